/** Error for a caller whose credential was revoked between admission and commit. The store has changed nothing then. */
import { Failure } from "../../errors.ts";
import type { RequestContext } from "./entities.ts";

/** Who asked for the change has been shut out since the request was let in. Nothing was changed. */
export interface ShutOut {
  readonly kind: "shut_out";
  readonly why: "principal" | "credential";
}

export function shutOut({ credential }: RequestContext, { why }: ShutOut): Failure {
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
