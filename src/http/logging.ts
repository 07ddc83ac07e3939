/**
 * One line a request: what was asked, by whom, from where, how it ended. Never a header, a body or a query, since
 * those hold secrets; a path is cut to a sane length.
 */
import type { Logger } from "pino";
import { type Caller, isKnown } from "../domain/caller.ts";
import { infoLines, quoted } from "../lib/log-lines.ts";
import { type AfterRequest, elapsed } from "./after.ts";
import type { Proxies } from "./proxies.ts";

const MAX_PATH = 200;

export function requestLines(logger: Logger, proxies: Proxies): AfterRequest {
  const write = infoLines(logger, "request");
  return (request, reply, aborted) => {
    const { caller, failure } = request;
    const { address } = proxies.read(request);
    const ms = Math.round(elapsed(request) * 10) / 10;
    const why = failure === null ? "" : `,"code":${quoted(failure.code)},"reason":${quoted(failure.message)}`;
    write(
      `"reqId":${quoted(request.id)},"method":${quoted(request.method)},"path":${quoted(pathOf(request.originalUrl))},` +
        `"status":${reply.statusCode},"ms":${ms},"address":${address === null ? null : quoted(address)},` +
        `"principal":${quoted(callerName(caller))}${aborted ? ',"aborted":true' : ""}${why}`,
    );
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
