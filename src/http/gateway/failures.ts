/**
 * Turns errors of the HTTP client into failures for the caller. Their texts say nothing about the upstream's location; the
 * cause is logged.
 */
import { Failure } from "../../errors.ts";

function codeOf(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return String(typeof code === "string" ? code : name);
}

const TOO_SLOW: ReadonlySet<string> = new Set([
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "ETIMEDOUT",
  "TimeoutError",
]);

/** Requests that the HTTP client refuses to send. */
const UNFIT: ReadonlySet<string> = new Set([
  "UND_ERR_INVALID_ARG",
  "UND_ERR_NOT_SUPPORTED",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
]);

/** The upstream may have closed an idle connection just as we reused it. */
export function isStale(error: unknown): boolean {
  const code = codeOf(error);
  return code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE";
}

export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  if (UNFIT.has(code)) return new Failure("bad_request", { log: "not fit to be passed on", cause: error });
  if (TOO_SLOW.has(code)) {
    return new Failure("gateway_timeout", {
      detail:
        "The data service behind this server did not answer in time. Try again later; logins are not affected.",
      cause: error,
    });
  }
  return new Failure("bad_gateway", {
    detail:
      "The data service behind this server cannot be reached or closed the connection. Try again later; logins are not affected.",
    cause: error,
  });
}
