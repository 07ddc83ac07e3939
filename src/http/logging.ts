/**
 * One line a request: what was asked, by whom, from where, how it ended. Never a header, a body or a query, since
 * those hold secrets; a path is cut to a sane length.
 */
import type { Logger } from "pino";
import { type Caller, isKnown } from "../domain/caller.ts";
import { infoLines } from "../lib/log-lines.ts";
import type { AfterRequest } from "./after.ts";
import type { Proxies } from "./proxies.ts";

const MAX_PATH = 200;

export function requestLines(logger: Logger, proxies: Proxies): AfterRequest {
  const write = infoLines(logger);
  return (request, reply, aborted) => {
    const { caller, failure } = request;
    write({
      reqId: request.id,
      method: request.method,
      path: pathOf(request.originalUrl),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      address: proxies.read(request).address,
      principal: callerName(caller),
      aborted: aborted || undefined,
      code: failure?.code,
      reason: failure?.message,
      msg: "request",
    });
  };
}

function callerName(caller: Caller | undefined): string {
  if (caller === undefined) return "anonymous";
  return isKnown(caller) ? caller.principal.uuid : caller.kind;
}

function pathOf(url: string): string {
  // What may separate a query for somebody: it may hold a key.
  const end = url.search(/[?#;]/);
  const path = end === -1 ? url : url.slice(0, end);
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path;
}
