/**
 * Which page a request comes from, by what browsers say and no script can change: `Origin` (Fetch standard, section 3.2)
 * and `Sec-Fetch-Site` (Fetch Metadata, section 2.3; under HTTPS and on localhost only). Programs send neither. Nothing
 * else in this server reads the two for a decision of access; each rule below says how it differs and why.
 */
import type { FastifyRequest } from "fastify";
import { Failure } from "../../errors.ts";
import type { Links } from "../links.ts";

/** Which origins beside our own may do the same. */
export type Trust = (origin: string) => boolean;

type Where = Pick<Links, "base">;
type Source = "unnamed" | "own" | "trusted" | "opaque" | "foreign";

const TRUSTS_NONE: Trust = () => false;

function sourceOf(request: FastifyRequest, links: Where, trusts: Trust): Source {
  const { origin } = request.headers;
  if (origin === undefined) return "unnamed";
  // As browsers name it: in lower case and without a default port (RFC 6454, section 6.2).
  if (origin === new URL(links.base(request)).origin) return "own";
  if (trusts(origin)) return "trusted";
  return origin === "null" ? "opaque" : "foreign";
}

/**
 * For changes by the cookie of an API key, and for logins that count against an address. `Origin` decides, so that pages of
 * trusted origins count, and `null` is foreign: no page of ours sends these. `Sec-Fetch-Site` decides where `Origin` is
 * missing. A page of a neighbour's host is "same site" and may plant cookies beside ours, so it is foreign as well.
 */
export function isForeign(request: FastifyRequest, links: Where, trusts: Trust): boolean {
  const source = sourceOf(request, links, trusts);
  if (source !== "unnamed") return source === "opaque" || source === "foreign";
  const site = request.headers["sec-fetch-site"];
  return site === "same-site" || site === "cross-site";
}

/**
 * For a browser's login and the forms of our pages. Both fields have to fit, and no other origin is trusted. `null` fits: our
 * pages allow no referrer, so their forms send it (Fetch standard, section 3.2); those requests carry a token as well.
 */
export function isSameOrigin(request: FastifyRequest, links: Where): boolean {
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  return sourceOf(request, links, TRUSTS_NONE) !== "foreign";
}

export function requireSameOrigin(request: FastifyRequest, links: Where): void {
  if (!isSameOrigin(request, links)) throw crossOrigin();
}

/**
 * For the handshake of a WebSocket by a browser's login: a page may open one to any host, and a browser names the page's
 * origin in each (RFC 6455, section 10.2). One without `Origin` is a program's, which has no login of a browser.
 */
export function namesOwnOrigin(request: FastifyRequest, links: Where): boolean {
  return sourceOf(request, links, TRUSTS_NONE) === "own";
}

/**
 * For the handshake of a WebSocket by the cookie of an API key, which a program may send, too, and for a proxy's question
 * whether such a key counts. `Origin` alone decides: a link on another site, which `Sec-Fetch-Site` would tell, is no harm.
 */
export function namesForeignOrigin(request: FastifyRequest, links: Where, trusts: Trust): boolean {
  const source = sourceOf(request, links, trusts);
  return source === "opaque" || source === "foreign";
}

/** A person has typed the address or chosen a bookmark (`none`), or followed a link of our own page. Not saying so is not enough. */
export function isOwnNavigation({ headers }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  return site === "none" || site === "same-origin";
}

/** A person followed a link on any page, and only they see the answer. A form would name its `Origin`. */
export function isOpenedByPerson({ headers }: FastifyRequest): boolean {
  return (
    headers.origin === undefined &&
    headers["sec-fetch-mode"] === "navigate" &&
    headers["sec-fetch-dest"] === "document"
  );
}

/** Neither field is there: a program, or an old browser without HTTPS. */
export function namesNoSource({ headers }: FastifyRequest): boolean {
  return headers["sec-fetch-site"] === undefined && headers.origin === undefined;
}

export function crossOrigin(detail = "The request comes from a page of another origin."): Failure {
  return new Failure("csrf", { detail });
}
