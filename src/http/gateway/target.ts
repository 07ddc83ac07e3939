/**
 * How a request's path may be read: by us, and by servers that decode it once more, that ignore doubled slashes or
 * parameters behind a semicolon. What some would take for a way upwards or for another path is refused, since a decision
 * about the one reading would say nothing about the other (RFC 3986, sections 3.3 and 6.2.2).
 */

export interface Readings {
  /** Decoded once, doubled slashes joined. */
  readonly normal: string;
  /** All of them in lower case; the normal one is the first. */
  readonly all: readonly string[];
}

/** Undefined with the reason in `refuse`. */
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

/** Anything for which it matters who reads it. */
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

/** As servers do that decode once more: what is no sequence stays, and its neighbours are decoded all the same. */
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
