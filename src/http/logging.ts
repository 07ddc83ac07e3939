/**
 * One log line per request: method and path, caller, address, outcome. It never holds a header, a body or a query, since
 * those hold secrets, and a long path is cut. Requests that come every few seconds are logged at level `debug`.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { type Caller, isKnown } from "../domain/model/caller.ts";
import type { IdentityRef } from "../domain/model/entities.ts";
import { DEBUG, eventLines, INFO, jsonText } from "../lib/log-lines.ts";
import { parseUuid } from "../lib/uuid.ts";
import type { AfterRequest } from "./after.ts";
import type { Proxies } from "./proxies.ts";
import { routeOf } from "./route.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** So frequent that successes are debug lines; `files`: only if the path ends like a file's. */
    quiet?: true | "files";
  }
  interface FastifyRequest {
    /** For its log line: the identity that it logged in, or that it was one poll of many. */
    remark: LoggedIn | "poll" | null;
  }
}

interface LoggedIn {
  readonly identity: IdentityRef;
  /** As the wire writes it. */
  readonly principal: string;
}

const MAX_PATH = 200;
/** What follows is a secret. Letters may be written as `%65`. */
const ACCOUNT_LINK = /(\/login\/+(?:invitation|reset|[^/]*%[^/]*)\/).+/i;
const FILE = /\/[^/?#]*\.[A-Za-z0-9]+(?:[?#]|$)/;

export function requestLines(app: FastifyInstance, logger: Logger, proxies: Proxies): AfterRequest {
  app.decorateRequest("remark", null);
  const lines = eventLines(logger, "request");
  return (request, reply, ms, aborted) => {
    const level = isQuiet(request, reply.statusCode) ? DEBUG : INFO;
    if (!lines.writes(level)) return;
    const { failure } = request;
    const { address } = proxies.read(request);
    const why =
      failure === null ? "" : `,"code":${jsonText(failure.code)},"reason":${jsonText(failure.message)}`;
    lines.write(
      level,
      // Ids, methods and addresses are checked when they are read, and hold nothing that JSON escapes.
      `"reqId":"${request.id}","method":"${request.method}","path":${path(request)},` +
        `"status":${reply.statusCode},"ms":${Math.round(ms * 10) / 10},"address":${address === null ? null : `"${address}"`},` +
        `${who(request)}${aborted ? ',"aborted":true' : ""}${why}`,
    );
  };
}

/** Notes a successful login, whose request carried no credential, for its log line. */
export function noteLogin(request: FastifyRequest, { identity, principal }: LoggedIn): void {
  request.remark = { identity, principal };
}

/** A principal, with the name that people know it by. */
export function callerNames(caller: Caller | undefined): {
  readonly principal: string;
  readonly name?: string;
} {
  if (caller === undefined) return { principal: "anonymous" };
  if (!isKnown(caller)) return { principal: caller.kind };
  const { uuid, identities } = caller.principal;
  const identity = caller.kind === "browser" ? caller.identity : identities[0];
  // A service has no identity.
  return identity === undefined ? { principal: uuid } : { principal: uuid, name: nameOf(identity) };
}

/** The text for a caller, who is the same object for as long as nothing about it changes. */
const CALLERS = new WeakMap<Caller, string>();

function who({ caller, remark }: FastifyRequest): string {
  if (remark === null || remark === "poll") {
    const known = CALLERS.get(caller);
    if (known !== undefined) return known;
    const { principal, name } = callerNames(caller);
    const text = `"principal":${jsonText(principal)}${name === undefined ? "" : `,"name":${jsonText(name)}`}`;
    // No caller if no hook of ours ran.
    if (caller !== undefined) CALLERS.set(caller, text);
    return text;
  }
  const principal = parseUuid(remark.principal) ?? remark.principal;
  return `"principal":${jsonText(principal)},"name":${jsonText(nameOf(remark.identity))},"event":"login"`;
}

function nameOf({ provider, id }: IdentityRef): string {
  return `${provider}:${id}`;
}

function isQuiet(request: FastifyRequest, status: number): boolean {
  if (request.remark === "poll") return true;
  const { quiet } = routeOf(request);
  if (quiet === undefined || status >= 400) return false;
  return quiet === true || FILE.test(request.originalUrl);
}

/** As JSON. */
function path(request: FastifyRequest): string {
  const { originalUrl } = request;
  // A route without parameters names its path itself.
  return originalUrl === routeOf(request).url ? `"${originalUrl}"` : jsonText(pathOf(originalUrl));
}

function pathOf(url: string): string {
  // A query may hold a key, so all spellings of its start count, also in a link that was encoded as a whole.
  const end = url.search(/[?#;&]|%(?:25)*(?:3f|23|3b|26)/i);
  const path = end === -1 ? url : url.slice(0, end);
  const link = ACCOUNT_LINK.exec(path);
  if (link !== null) return `${path.slice(0, link.index)}${link[1]}…`;
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path;
}
