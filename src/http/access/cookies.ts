/**
 * The request's cookies, parsed for the first route that reads one, and how our own are set: HttpOnly, SameSite=Lax, and
 * under HTTPS Secure with the prefix `__Host-`, which keeps neighbours of our host name from planting them (RFC 6265bis,
 * section 4.1.3.2). `tiled_csrf` has no prefix, since Tiled's Python client looks for it by that name: see `csrf.ts`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Links } from "../links.ts";

type Where = Pick<Links, "isHttps">;
type Cookies = Readonly<Record<string, string | undefined>>;

const NONE: Cookies = {};
const EQUALS = 61;

/** One of our own cookies, for all paths of this host. */
export class OwnCookie {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  read(request: FastifyRequest, links: Where): string | undefined {
    // Most requests carry none, and need not find out how they came.
    if (request.raw.headers.cookie?.includes(this.#name) !== true) return undefined;
    return cookiesOf(request)[this.#fullName(request, links)];
  }

  /** How often it is given. A second one comes from another path or from a neighbour's host. */
  timesGiven(request: FastifyRequest, links: Where): number {
    if (request.raw.headers.cookie?.includes(this.#name) !== true) return 0;
    return timesGiven(request, this.#fullName(request, links));
  }

  /** `maxAge`: seconds; without it the cookie ends with the browser. */
  set(request: FastifyRequest, reply: FastifyReply, links: Where, value: string, maxAge?: number): void {
    const secure = links.isHttps(request);
    sendCookie(reply, this.#fullName(request, links), value, {
      path: "/",
      secure,
      ...(maxAge !== undefined && { maxAge }),
    });
  }

  drop(request: FastifyRequest, reply: FastifyReply, links: Where): void {
    this.set(request, reply, links, "", 0);
  }

  #fullName(request: FastifyRequest, links: Where): string {
    return links.isHttps(request) ? `__Host-${this.#name}` : this.#name;
  }
}

/**
 * At once, since an answer that is passed on from a server behind this one runs no hooks of ours; the last one of a name
 * replaces earlier ones (RFC 6265, section 4.1.1).
 */
export function sendCookie(
  reply: FastifyReply,
  name: string,
  value: string,
  attributes: { readonly path: string; readonly secure: boolean; readonly maxAge?: number },
): void {
  const line = reply.server.serializeCookie(name, value, { httpOnly: true, sameSite: "lax", ...attributes });
  const before = [reply.getHeader("set-cookie") ?? []].flat().map(String);
  const others = before.filter((other) => !other.startsWith(`${name}=`));
  if (others.length < before.length) reply.removeHeader("set-cookie");
  reply.header("set-cookie", others.length < before.length ? [...others, line] : line);
}

/** The value of a cookie under exactly this name. */
export function cookieOf(request: FastifyRequest, name: string): string | undefined {
  return request.raw.headers.cookie?.includes(name) ? cookiesOf(request)[name] : undefined;
}

/** White space around a name, as the parser sees it (RFC 6265, section 5.2). */
const AROUND = /^[ \t]+|[ \t]+$/g;

export function timesGiven(request: FastifyRequest, name: string): number {
  const { cookie } = request.raw.headers;
  if (cookie === undefined || !cookie.includes(name)) return 0;
  return cookie.split(";").filter((pair) => pair.split("=", 1)[0]?.replaceAll(AROUND, "") === name).length;
}

/** Whether a cookie is there, even an empty one; needs no parsing where it is the first one, as programs send it. */
export function hasCookie(request: FastifyRequest, name: string): boolean {
  const { cookie } = request.raw.headers;
  if (cookie?.startsWith(name) && cookie.charCodeAt(name.length) === EQUALS) return true;
  return cookieOf(request, name) !== undefined;
}

function cookiesOf(request: FastifyRequest): Cookies {
  const { cookie } = request.raw.headers;
  if (cookie === undefined) return NONE;
  // Null until parsed, whatever its type says.
  request.cookies ??= request.server.parseCookie(cookie) as typeof request.cookies;
  return request.cookies;
}
