/**
 * What somebody is told who was let in, and shut out before the change that they asked for was made. That nothing was
 * changed then is the store's doing.
 */
import { Failure } from "../../errors.ts";
import type { ShutOut } from "../ports.ts";
import type { Origin } from "./entities.ts";

export function shutOut({ credential }: Origin, { why }: ShutOut): Failure {
  const log = `shut out meanwhile: ${why}`;
  if (why === "principal") return new Failure("no_principal", { log });
  switch (credential?.kind) {
    case "api_key":
      return new Failure("invalid_api_key", { log });
    case "browser":
      return new Failure("browser_login_over", { log });
    default:
      return new Failure("invalid_token", { log });
  }
}
