/** Error for a caller whose credential was revoked between admission and commit. The store has changed nothing then. */
import { Failure } from "../../errors.ts";
import type { RequestContext } from "./entities.ts";

/** Who asked for the change has been shut out since the request was let in. Nothing was changed. */
export interface CredentialRevoked {
  readonly kind: "credential_revoked";
  readonly why: "principal" | "credential";
}

export function credentialRevoked({ credential }: RequestContext, { why }: CredentialRevoked): Failure {
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
