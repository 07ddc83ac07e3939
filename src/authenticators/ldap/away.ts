/** The failure of a login whose directory cannot be used. The person learns only that it is not their fault; the log says why. */
import { Failure } from "../../errors.ts";

const DETAIL = {
  bad_gateway:
    "The directory that checks passwords cannot be used at the moment. Try again in a few minutes.",
  gateway_timeout: "The directory that checks passwords did not answer in time. Try again in a few minutes.",
} as const;

export function away(code: keyof typeof DETAIL, log: string, cause?: unknown): Failure {
  return new Failure(code, { detail: DETAIL[code], log, cause });
}
