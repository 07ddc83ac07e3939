/**
 * A `fetch` that reports on stderr what the client library does with it: `Retrying…` with the reason once it repeats a request,
 * and under `TILED_DEBUG=1` a line per request with method, URL, status and request id. Neither queries, headers nor bodies are
 * printed, since they contain secrets.
 */
import { withoutQuery } from "../../client/address.ts";
import { printable } from "../../lib/printable.ts";
import type { Progress } from "../console/progress.ts";
import { styleOf } from "../console/style.ts";
import type { Terminal } from "../console/terminal.ts";

/** `send`: the real `fetch`. `progress`: the status line, which is cleared before anything is printed. */
export function watchedFetch(send: typeof fetch, terminal: Terminal, progress: Progress): typeof fetch {
  const { env, errView } = terminal;
  const { dim } = styleOf(errView);
  /** Requests that may be repeated, and the reasons. */
  const failed = new Map<string, string>();
  let said = false;
  const print = (line: string) => {
    progress.clear();
    terminal.err(dim(line));
  };
  const debug = env["TILED_DEBUG"] ? (line: string) => print(`debug: ${printable(line)}`) : () => {};
  return async (input, init) => {
    const request = requestOf(input, init);
    const reason = failed.get(request);
    if (reason !== undefined && !said) {
      said = true;
      print(`Retrying… ${printable(reason)}`);
    }
    try {
      const response = await send(input, init);
      const { status, headers } = response;
      debug([request, status, headers.get("x-tiled-request-id") ?? ""].join(" ").trimEnd());
      if (status === 429 || status >= 500) failed.set(request, `${placeOf(input)} answered ${status}.`);
      else failed.delete(request);
      return response;
    } catch (error) {
      debug(`${request} failed: ${reasonOf(error)}`);
      if (!isAbort(error)) failed.set(request, await unreachable(input, error));
      throw error;
    }
  };
}

function requestOf(input: string | URL | Request, init: RequestInit | undefined): string {
  const { url, method } = input instanceof Request ? input : { url: input, method: "GET" };
  return `${init?.method ?? method} ${withoutQuery(url)}`;
}

async function unreachable(input: string | URL | Request, error: unknown): Promise<string> {
  const { reasonFor } = await import("./problems.ts");
  return [`${placeOf(input)} cannot be reached.`, reasonFor(error)].filter((part) => part !== null).join(" ");
}

/** Without path and query. */
function placeOf(input: string | URL | Request): string {
  return new URL(input instanceof Request ? input.url : input).origin;
}

/** A code or a name, e.g. `ECONNREFUSED`: a message may repeat the URL. */
function reasonOf(error: unknown): string {
  let reason = "unknown";
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    reason = "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
  return reason;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
