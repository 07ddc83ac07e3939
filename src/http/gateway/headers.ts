/**
 * Which header fields pass between a caller and a server behind this one. Each way, what belongs to one connection stays
 * on it (RFC 9110, section 7.6.1); credentials, and fields in which only a proxy may speak, never come through.
 */

import { withoutParameters } from "../query.ts";
import { mayRunScript, SANDBOX } from "./trust.ts";

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
  "x-http-host-override",
  "x-rewrite-url",
  // The caller's address or scheme, as some proxies say it.
  "cf-connecting-ip",
  "fastly-client-ip",
  "front-end-https",
  "true-client-ip",
  "x-azure-clientip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-envoy-external-address",
  "x-real-ip",
  "x-scheme",
  "x-url-scheme",
]);

/** A field whose name begins so is ours alone to send. */
const OUR_WORD = /^x-(?:tiled|forwarded|original)(?:-|$)/;

/**
 * In which other proxies say who asks, and services believe them: CGI's REMOTE_USER, oauth2-proxy, Authelia, authentik, Grafana,
 * mod_auth_openidc, Shibboleth, SiteMinder, WebSEAL, Kong, APISIX, Cloudflare, Google, AWS, Azure, Pomerium, Tailscale, Vouch, Kubernetes;
 * and certificates of clients (RFC 9440).
 */
const IDENTITY = new RegExp(
  `^(?:${[
    "(?:x-)?(?:remote|webauth|authentik|authelia|authenticated|vouch|pomerium|consumer|credential|sso|shib|mellon)(?:-.*)?",
    "x-auth-request(?:-.*)?",
    "x-(?:auth-|proxy-)?(?:user|username|userid|user-(?:id|name|email|login|groups?|roles?)|email|groups?|roles?)",
    "x-(?:anonymous-consumer|userinfo|appengine-user-.+|jwt-assertion)",
    "(?:auth|proxy|logged-in)-user(?:name)?",
    "(?:eppn|eduperson.*|persistent-id|unscoped-affiliation)",
    "(?:oidc|tailscale|cf-access|iv|sm|impersonate)-.+",
    "x-(?:goog-authenticated-user|goog-iap|amzn-oidc|ms-client-principal|ms-token)(?:-.*)?",
    "(?:x-)?(?:ssl-)?client-(?:cert|dn|verify|subject|s-dn|issuer)(?:-.*)?",
    "x-(?:ssl|arr-clientcert)(?:-.*)?",
  ].join("|")})$`,
);

/** By their names, which are few. */
const forged = new Map<string, boolean>();
const MAX_NAMES = 1_000;

function isForged(name: string): boolean {
  let found = forged.get(name);
  if (found === undefined) {
    found = OUR_WORD.test(name) || IDENTITY.test(name);
    if (forged.size < MAX_NAMES && name.length <= 64) forged.set(name, found);
  }
  return found;
}

/** Services that obey it would change something by a request that was let pass as one that only reads. */
const OTHER_METHOD = /^x-(?:http-)?method(?:-override)?$/;

/** A handshake is made anew, and has no body. */
const SOCKET = /^(?:sec-websocket|content)-/;

/** A browser sends one without a name as its bare value (RFC 6265bis, section 5.7), which may look like ours. */
const OUR_COOKIE = /^[\s=]*(?:__(?:host|secure)-)?tiled_/i;

/** Of a URL's query. */
export const CREDENTIALS: ReadonlySet<string> = new Set(["api_key", "access_token", "refresh_token"]);
export const WITH_CSRF: ReadonlySet<string> = new Set([...CREDENTIALS, "csrf"]);

/** `names`: what `Connection` names beside them. */
function named(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || USUAL.has(connection.toLowerCase())) return NONE;
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}

const USUAL: ReadonlySet<string> = new Set(["keep-alive", "close", "upgrade"]);
const NONE: ReadonlySet<string> = new Set();

/**
 * What is passed on of a request's fields, names and values in turn, as `rawHeaders` has them. `socket`: the handshake
 * of a WebSocket is made anew. `reading`: the method changes nothing.
 */
export function requestHeaders(
  raw: readonly string[],
  connection: string | undefined,
  options: { readonly socket: boolean; readonly reading: boolean },
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
    if (NOT_UPWARDS.has(plain) || dropped.has(plain) || isForged(plain)) continue;
    if (options.reading && OTHER_METHOD.test(plain)) continue;
    if (options.socket && SOCKET.test(plain)) continue;
    // The length as such a server would read it, beside the true one.
    if (plain === "content-length" && plain !== name.toLowerCase()) continue;
    kept.push(name, plain === "referer" ? withoutParameters(value, WITH_CSRF) : value);
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
  // They speak for the whole origin, which is ours: a way around this server, cookies that are gone, no HTTPS.
  "alt-svc",
  "clear-site-data",
  "strict-transport-security",
  "x-content-type-options",
  "x-tiled-request-id",
]);

/** They give a script or a collector of reports all of the origin. */
const OF_TRUSTED_PAGES: ReadonlySet<string> = new Set(["nel", "report-to", "service-worker-allowed"]);

/** Whom another origin's page may ask is decided here, by `allow_origins`. */
const CORS = /^access-control-/;

export interface AnswerContext {
  /** What this server says on every answer; the upstream's own word counts where both say something. */
  readonly ours: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** For a `Location` that names the upstream itself. */
  readonly relocate: (location: string) => string;
  /** For one caller: the server behind saw an `Authorization`, a cache before us may have seen a cookie only. */
  readonly personal: boolean;
  /** A page that may do on our origin what our own may. */
  readonly trusted: boolean;
  /** A status that has no length (RFC 9110, section 8.6): a caller would wait for so many bytes. */
  readonly noContent?: boolean;
}

/** The answer's fields, names and values in turn. */
export function answerHeaders(
  raw: readonly (Buffer | string)[],
  { ours, relocate, personal, trusted, noContent = false }: AnswerContext,
): string[] {
  const text = (index: number) => raw[index]?.toString("latin1") ?? "";
  let dropped = NONE;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index]?.length === 10 && text(index).toLowerCase() === "connection")
      dropped = named(text(index + 1));
  }
  const fields: string[] = [];
  const said = new Set<string>();
  const types: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = text(index);
    const plain = name.toLowerCase();
    if (NOT_DOWNWARDS.has(plain) || dropped.has(plain) || CORS.test(plain)) continue;
    if (noContent && plain === "content-length") continue;
    const value = text(index + 1);
    if (!trusted) {
      if (OF_TRUSTED_PAGES.has(plain)) continue;
      if (plain === "content-type") types.push(value);
    }
    if (plain === "set-cookie") {
      if (!OUR_COOKIE.test(value.trim())) fields.push(name, value);
      continue;
    }
    said.add(plain);
    if (plain === "location") fields.push(name, relocate(value));
    else fields.push(name, personal && plain === "cache-control" ? privately(value) : value);
  }
  // Beside the server's own: a browser obeys all of them.
  if (!trusted && mayRunScript(types)) fields.push("content-security-policy", SANDBOX);
  if (personal && !said.has("cache-control")) fields.push("cache-control", "private");
  for (const [name, value] of Object.entries(ours)) {
    if (value === undefined || (said.has(name) && !ADDED.has(name))) continue;
    for (const item of typeof value === "object" ? value : [String(value)]) fields.push(name, item);
  }
  return fields;
}

/** Caches may keep it for the one who asked only, unless the server says that it is for all (RFC 9111, section 3.5). */
function privately(directives: string): string {
  return /\b(?:private|no-store|public|s-maxage)\b/i.test(directives) ? directives : `${directives}, private`;
}

/** Lists, to which both may add. */
const ADDED: ReadonlySet<string> = new Set(["server-timing", "set-cookie", "vary"]);
