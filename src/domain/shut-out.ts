/**
 * What somebody is told who was let in, and shut out before the change that they asked for was made. That nothing was
 * changed then is the store's doing.
 */
import { Failure } from "../errors.ts";
import type { Origin } from "./model.ts";
import type { ShutOut } from "./ports.ts";

export function shutOut({ credential }: Origin, { why }: ShutOut): Failure {
  const log = `shut out meanwhile: ${why}`;
  if (why === "principal") return new Failure("no_principal", { log });
  return new Failure(credential?.kind === "api_key" ? "invalid_api_key" : "invalid_token", { log });
}
