/**
 * Chooses the header fields that pass between a caller and a server behind this one. In both directions hop-by-hop fields
 * stay behind (RFC 9110, section 7.6.1). Credentials and fields reserved for proxies never reach the upstream.
 */

import { withoutParameters } from "../query.ts";
import { mayRunScript, SANDBOX } from "./trust.ts";

/** Fields of one connection. */
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
  // Answered by Node.
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  // Some servers take it for their proxy setting ("httpoxy").
  "proxy",
  "x-csrf",
  "x-http-host-override",
  "x-rewrite-url",
  // The caller's address or scheme, in the fields of various proxies.
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

/** Only we may send fields with these prefixes. */
const OUR_WORD = /^x-(?:tiled|forwarded|original)(?:-|$)/;

/**
 * Fields by which other proxies identify callers to services that trust them: CGI's REMOTE_USER, oauth2-proxy, Authelia, authentik, Grafana,
 * mod_auth_openidc, Shibboleth, SiteMinder, WebSEAL, Kong, APISIX, Cloudflare, Google, AWS, Azure, Pomerium, Tailscale, Vouch, Kubernetes;
 * and client certificates (RFC 9440).
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

/** Results by name, since names are few. */
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

const READING: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether a method changes nothing (RFC 9110, section 9.2.1). */
export function isReading(method: string): boolean {
  return READING.has(method);
}

/** A service that obeys it could change data by a request that was admitted as reading. */
const OTHER_METHOD = /^x-(?:http-)?method(?:-override)?$/;

/** Left out of handshakes, which are made anew and have no body. */
const SOCKET = /^(?:sec-websocket|content)-/;

/** Browsers send a cookie without a name as its bare value (RFC 6265bis, section 5.7), which may look like ours. */
const OUR_COOKIE = /^[\s=]*(?:__(?:host|secure)-)?tiled_/i;

/** Query parameters. */
export const CREDENTIALS: ReadonlySet<string> = new Set(["api_key", "access_token", "refresh_token"]);
export const WITH_CSRF: ReadonlySet<string> = new Set([...CREDENTIALS, "csrf"]);

/** Further hop-by-hop fields that `Connection` lists. */
function named(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || USUAL.has(connection.toLowerCase())) return NONE;
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}

const USUAL: ReadonlySet<string> = new Set(["keep-alive", "close", "upgrade"]);
const NONE: ReadonlySet<string> = new Set();

/**
 * Fields of a request that are passed on: names and values in turn, like `rawHeaders`. `socket`: for the handshake of a
 * WebSocket, which is made anew. `reading`: the method changes nothing.
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
    // Servers that turn names into variables (CGI, WSGI) do not tell '_' from '-'.
    const plain = name.toLowerCase().replaceAll("_", "-");
    if (plain === "cookie") {
      const rest = withoutOurCookies(value);
      if (rest !== "" && !dropped.has(plain)) kept.push(name, rest);
      continue;
    }
    if (NOT_UPWARDS.has(plain) || dropped.has(plain) || isForged(plain)) continue;
    if (options.reading && OTHER_METHOD.test(plain)) continue;
    if (options.socket && SOCKET.test(plain)) continue;
    // A second length, as such servers would read it.
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
  // They apply to the whole origin, which is ours: another route to it, deleted cookies, no HTTPS.
  "alt-svc",
  "clear-site-data",
  "strict-transport-security",
  "x-content-type-options",
  "x-tiled-request-id",
]);

/** They give a script or a report collector access to the whole origin. */
const OF_TRUSTED_PAGES: ReadonlySet<string> = new Set(["nel", "report-to", "service-worker-allowed"]);

/** CORS is decided here, by `allow_origins`. */
const CORS = /^access-control-/;

export interface AnswerContext {
  /** Fields that this server adds to every answer; the upstream's values take precedence. */
  readonly ours: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** Rewrites a `Location` that names the upstream. */
  readonly relocate: (location: string) => string;
  /** The answer is for one caller: the upstream saw `Authorization`, but a cache in front of us may have seen only a cookie. */
  readonly personal: boolean;
  /** The page may do on our origin what our own pages may. */
  readonly trusted: boolean;
  /** The status allows no `Content-Length` (RFC 9110, section 8.6): a caller would wait for the bytes. */
  readonly noContent?: boolean;
}

/** Fields of the answer: names and values in turn. */
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
  // In addition to the upstream's own policy: browsers obey all of them.
  if (!trusted && mayRunScript(types)) fields.push("content-security-policy", SANDBOX);
  if (personal && !said.has("cache-control")) fields.push("cache-control", "private");
  for (const [name, value] of Object.entries(ours)) {
    if (value === undefined || (said.has(name) && !ADDED.has(name))) continue;
    for (const item of typeof value === "object" ? value : [String(value)]) fields.push(name, item);
  }
  return fields;
}

/** Shared caches must not keep it unless the upstream marks it as public (RFC 9111, section 3.5). */
function privately(directives: string): string {
  return /\b(?:private|no-store|public|s-maxage)\b/i.test(directives) ? directives : `${directives}, private`;
}

/** List fields, to which both may add. */
const ADDED: ReadonlySet<string> = new Set(["server-timing", "set-cookie", "vary"]);
