/**
 * What every request must have (one `Host`, at most one `Authorization`, a client that is new enough) and every answer gets
 * (request id, security headers, the time it took). CORS is in `cors.ts`, the CSRF cookie in `access/csrf.ts`.
 */
import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Failure } from "../errors.ts";
import { uniqueNames } from "../lib/secrets.ts";
import { elapsed } from "./after.ts";
import { rememberedHosts } from "./host-names.ts";
import type { Links } from "./links.ts";
import { routeOf } from "./route.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The answer has no links, so an HTTP/1.0 request needs no Host. */
    hostless?: true;
  }
}

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Request ids: 16 hex digits, or the UUID (version 4) from the client or a proxy. */
export function requestIds(): (request: IncomingMessage) => string {
  const newName = uniqueNames(8);
  return ({ headers }) => {
    const given = headers["x-tiled-request-id"];
    return typeof given === "string" && UUID4.test(given) ? given : newName();
  };
}

export interface CommonOptions {
  readonly links: Links;
  /** The server is stopping. */
  readonly isDraining: () => boolean;
}

export function commonHeaders(app: FastifyInstance, { links, isDraining }: CommonOptions): void {
  app.decorateRequest("forwarded", null);
  const isHost = rememberedHosts();
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-tiled-request-id", request.id);
    reply.header("x-content-type-options", "nosniff");
    reply.header("referrer-policy", "no-referrer");
    if (links.isHttps(request)) reply.header("strict-transport-security", "max-age=31536000");
    done(
      isDraining()
        ? new Failure("stopping", { headers: { "retry-after": "1" } })
        : (checkHeaders(request, isHost) ?? checkClient(request.raw.headers["user-agent"])),
    );
  });
  app.addHook("onSend", (request, reply, _payload, done) => {
    reply.header("server-timing", `app;dur=${Math.round(elapsed(request) * 10) / 10}`);
    // Fastify adds a charset to JSON, and Tiled's client then drops an error's text.
    if (reply.getHeader("content-type") === "application/json; charset=utf-8") {
      reply.header("content-type", "application/json");
    }
    const location = reply.statusCode < 300 ? undefined : reply.getHeader("location");
    // The answer to a proxy concerns another host.
    if (location !== undefined && routeOf(request).access !== "verify")
      reply.header("location", links.shortened(request, String(location)));
    done();
  });
}

/** Node silently joins or drops repeated headers, so two proxies may read the same request differently. */
function checkHeaders(request: FastifyRequest, isHost: (text: string) => boolean): Failure | undefined {
  const raw = request.raw.rawHeaders;
  let hosts = 0;
  let credentials = 0;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts += 1;
    else if (name?.length === 13 && name.toLowerCase() === "authorization") credentials += 1;
  }
  if (request.raw.url?.includes("#")) {
    return new Failure("bad_request", { detail: "A request's target has no fragment." });
  }
  if (hosts === 0 && mayLackHost(request)) return undefined;
  if (!isHost(request.raw.headers.host ?? "")) {
    return new Failure("bad_request", { detail: "The Host header is not a host name." });
  }
  if (hosts !== 1) return new Failure("bad_request", { detail: "A request needs one Host header." });
  if (credentials > 1)
    return new Failure("bad_request", { detail: "The Authorization header is given twice." });
  return undefined;
}

/** HAProxy's health checks are HTTP/1.0 without Host, which RFC 9112, section 3.2, requires from HTTP/1.1 on only. */
function mayLackHost(request: FastifyRequest): boolean {
  return request.raw.httpVersion === "1.0" && routeOf(request).hostless === true;
}

const OLDEST = "0.1.0a104";
const PYTHON_CLIENT = /^python-tiled\/(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?(?:[.+-].*)?$/;
const STAGES: Readonly<Record<string, number>> = { a: 0, b: 1, rc: 2 };

/** [major, minor, patch, stage, number] of a Python client, undefined for another client. */
export function pythonClient(userAgent: string | undefined): readonly number[] | undefined {
  const parts = userAgent === undefined ? null : PYTHON_CLIENT.exec(userAgent);
  if (parts === null) return undefined;
  const [, major, minor, patch, stage, number] = parts;
  return [
    Number(major),
    Number(minor),
    Number(patch),
    stage === undefined ? 3 : (STAGES[stage] ?? 3),
    Number(number ?? 0),
  ];
}

export function isOlder(version: readonly number[], than: readonly number[]): boolean {
  for (const [index, part] of than.entries()) {
    const difference = (version[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function checkClient(userAgent: string | undefined): Failure | undefined {
  const version = pythonClient(userAgent);
  if (version === undefined || !isOlder(version, [0, 1, 0, 0, 104])) return undefined;
  const reported = userAgent?.slice("python-tiled/".length);
  return new Failure("client_too_old", {
    detail: `Python Tiled client reports version ${reported}. Version ${OLDEST} or higher is needed to communicate with this Tiled server.`,
  });
}
