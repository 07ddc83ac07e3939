/**
 * All readings of a request's path: ours, and those of servers that decode it again, merge slashes, or drop parameters after
 * a semicolon. Paths that some servers would read as `..` or as another path are refused, since a decision on one reading
 * says nothing about another (RFC 3986, sections 3.3 and 6.2.2).
 */

export interface Readings {
  /** Decoded once, slashes merged. */
  readonly normal: string;
  /** All readings in lower case; the normal one is first. */
  readonly all: readonly string[];
}

/** Undefined after a call of `refuse` with the reason. */
export function readingsOf(path: string, refuse: (reason: string) => void): Readings | undefined {
  if (!ODD.test(path)) return { normal: path, all: [path.toLowerCase()] };
  if (!path.startsWith("/") || FOREIGN.test(path)) {
    refuse("The path has characters that a URL cannot have.");
    return undefined;
  }
  const all: string[] = [];
  let normal: string | undefined;
  let text: string | undefined = path;
  for (let round = 0; text !== undefined && round < MAX_ROUNDS; round++) {
    const before: string = text;
    text = round === 0 ? decode(before) : decodeLoosely(before);
    if (text === undefined) {
      refuse("The path is not properly percent-encoded.");
      return undefined;
    }
    const reason = reasonAgainst(text);
    if (reason !== undefined) {
      refuse(reason);
      return undefined;
    }
    const joined = joinSlashes(text);
    normal ??= joined;
    all.push(joined.toLowerCase(), joinSlashes(text.replace(/;[^/]*/g, "")).toLowerCase());
    if (text === before) break;
  }
  return normal === undefined ? undefined : { normal, all: [...new Set(all)] };
}

/** Anything that servers read differently. */
const ODD = /^(?!\/)|[^\x21-\x7e]|[%\\;?#]|\/\/|\/\.{1,2}(?:\/|$)/;
const FOREIGN = /[^\x21-\x7e]|[?#]/;
const MAX_ROUNDS = 3;

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Like servers that decode again: invalid sequences stay, and valid ones beside them are decoded. */
function decodeLoosely(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function reasonAgainst(path: string): string | undefined {
  if (path.includes("\0")) return "The path contains a NUL.";
  if (path.includes("\\")) return "The path contains a backslash.";
  if (/(?:^|\/)\.{1,2}(?:;[^/]*)?(?:\/|$)/.test(path)) return "The path contains '.' or '..' as a name.";
  return undefined;
}

function joinSlashes(path: string): string {
  return path.replace(/\/{2,}/g, "/");
}
