/**
 * Which header fields pass between a caller and a server behind this one. Each way, what belongs to one connection stays
 * on it (RFC 9110, section 7.6.1); credentials, and fields in which only a proxy may speak, never come through.
 */
/** Of one connection. */
const HOP_BY_HOP: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const NOT_UPWARDS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "authorization",
  "cookie",
  // Answered here, by Node.
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  // Some servers take it for the setting of a proxy ("httpoxy").
  "proxy",
  "x-csrf",
  "x-real-ip",
  "x-rewrite-url",
]);

/** A field whose name begins so is ours alone to send. */
const OUR_WORD = /^x-(?:tiled|forwarded|original)(?:-|$)/;

const SOCKET = /^sec-websocket-/;

const OUR_COOKIE = /^(?:__(?:host|secure)-)?tiled_/i;

/** `names`: what `Connection` names beside them. */
function named(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || USUAL.has(connection.toLowerCase())) return NONE;
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}

const USUAL: ReadonlySet<string> = new Set(["keep-alive", "close", "upgrade"]);
const NONE: ReadonlySet<string> = new Set();

/**
 * What is passed on of a request's fields, names and values in turn, as `rawHeaders` has them. `socket`: the handshake
 * of a WebSocket is made anew.
 */
export function requestHeaders(
  raw: readonly string[],
  connection: string | undefined,
  options: { readonly socket: boolean },
): string[] {
  const dropped = named(connection);
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    // A server that turns names into variables (CGI, WSGI) takes '_' and '-' for the same.
    const plain = name.toLowerCase().replaceAll("_", "-");
    if (plain === "cookie") {
      const rest = withoutOurCookies(value);
      if (rest !== "" && !dropped.has(plain)) kept.push(name, rest);
      continue;
    }
    if (NOT_UPWARDS.has(plain) || dropped.has(plain) || OUR_WORD.test(plain)) continue;
    if (options.socket && SOCKET.test(plain)) continue;
    kept.push(name, value);
  }
  return kept;
}

function withoutOurCookies(header: string): string {
  if (!/tiled_/i.test(header)) return header;
  return header
    .split(";")
    .filter((cookie) => !OUR_COOKIE.test(cookie.trim()))
    .join(";")
    .trim();
}

const NOT_DOWNWARDS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  // Whom another origin's page may ask is decided here, by `allow_origins`.
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "access-control-max-age",
  // It would lead around this server.
  "alt-svc",
  "x-content-type-options",
  "x-tiled-request-id",
]);

export interface AnswerContext {
  /** What this server says on every answer; the upstream's own word counts where both say something. */
  readonly ours: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** For a `Location` that names the upstream itself. */
  readonly relocate: (location: string) => string;
}

/** The answer's fields, names and values in turn. */
export function answerHeaders(
  raw: readonly (Buffer | string)[],
  { ours, relocate }: AnswerContext,
): string[] {
  const text = (index: number) => raw[index]?.toString("latin1") ?? "";
  let dropped = NONE;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index]?.length === 10 && text(index).toLowerCase() === "connection")
      dropped = named(text(index + 1));
  }
  const fields: string[] = [];
  const said = new Set<string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = text(index);
    const plain = name.toLowerCase();
    if (NOT_DOWNWARDS.has(plain) || dropped.has(plain)) continue;
    const value = text(index + 1);
    if (plain === "set-cookie") {
      if (!OUR_COOKIE.test(value.trim())) fields.push(name, value);
      continue;
    }
    said.add(plain);
    fields.push(name, plain === "location" ? relocate(value) : value);
  }
  for (const [name, value] of Object.entries(ours)) {
    if (value === undefined || (said.has(name) && !ADDED.has(name))) continue;
    for (const item of typeof value === "object" ? value : [String(value)]) fields.push(name, item);
  }
  return fields;
}

/** Lists, to which both may add. */
const ADDED: ReadonlySet<string> = new Set(["server-timing", "set-cookie", "vary"]);
