/**
 * One line a request: what was asked, by whom, from where, how it ended. Never a header, a body or a query, since
 * those hold secrets; a path is cut to a sane length. What asks every few seconds is a line of the level `debug`.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { type Caller, isKnown } from "../domain/model/caller.ts";
import type { IdentityRef } from "../domain/model/entities.ts";
import { DEBUG, eventLines, INFO, jsonText } from "../lib/log-lines.ts";
import { parseUuid } from "../lib/uuid.ts";
import { type AfterRequest, elapsed } from "./after.ts";
import type { Proxies } from "./proxies.ts";
import { routeOf } from "./route.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Asked for so often that its successes are debug lines; `files`: those whose path ends like a file's. */
    quiet?: true | "files";
  }
  interface FastifyRequest {
    /** What its line says beyond the caller: who logged in by it, or that it was one poll of many. */
    remark: LoggedIn | "poll" | null;
  }
}

interface LoggedIn {
  readonly identity: IdentityRef;
  /** As in the wire's answers. */
  readonly principal: string;
}

const MAX_PATH = 200;
const FILE = /\/[^/?#]*\.[A-Za-z0-9]+(?:[?#]|$)/;

export function requestLines(app: FastifyInstance, logger: Logger, proxies: Proxies): AfterRequest {
  app.decorateRequest("remark", null);
  const lines = eventLines(logger, "request");
  return (request, reply, aborted) => {
    const level = isQuiet(request, reply.statusCode) ? DEBUG : INFO;
    if (!lines.writes(level)) return;
    const { failure } = request;
    const { address } = proxies.read(request);
    const ms = Math.round(elapsed(request) * 10) / 10;
    const why =
      failure === null ? "" : `,"code":${jsonText(failure.code)},"reason":${jsonText(failure.message)}`;
    lines.write(
      level,
      `"reqId":${jsonText(request.id)},"method":${jsonText(request.method)},"path":${jsonText(pathOf(request.originalUrl))},` +
        `"status":${reply.statusCode},"ms":${ms},"address":${address === null ? null : jsonText(address)},` +
        `${who(request)}${aborted ? ',"aborted":true' : ""}${why}`,
    );
  };
}

/** For a login that succeeded: its line is the person's, although it came without a credential. */
export function noteLogin(request: FastifyRequest, { identity, principal }: LoggedIn): void {
  request.remark = { identity, principal };
}

/** A principal and the name that people know it by. */
export function callerNames(caller: Caller | undefined): {
  readonly principal: string;
  readonly name?: string;
} {
  if (caller === undefined) return { principal: "anonymous" };
  if (!isKnown(caller)) return { principal: caller.kind };
  const { uuid, identities } = caller.principal;
  const identity = caller.kind === "browser" ? caller.identity : identities[0];
  // A service has none.
  return identity === undefined ? { principal: uuid } : { principal: uuid, name: nameOf(identity) };
}

function who({ caller, remark }: FastifyRequest): string {
  if (remark === null || remark === "poll") {
    const { principal, name } = callerNames(caller);
    return `"principal":${jsonText(principal)}${name === undefined ? "" : `,"name":${jsonText(name)}`}`;
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

function pathOf(url: string): string {
  // Every spelling of a query's start: a query may hold a key, also where a link was encoded as a whole.
  const end = url.search(/[?#;&]|%(?:25)*(?:3f|23|3b|26)/i);
  const path = end === -1 ? url : url.slice(0, end);
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path;
}
