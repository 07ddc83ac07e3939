/**
 * Turns errors of the client library into errors of a command: one line with the server's detail and the request's id, and what
 * to do. Loaded only after a failure.
 */
import { TiledError } from "../../client/errors.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";

/** Any other error is returned as it is. */
export function asOperatorError(error: unknown): unknown {
  if (error instanceof TiledError) return new OperatorError(printable(error.message));
  return error;
}
