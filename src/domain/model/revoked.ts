/** Error for a caller whose credential was revoked between admission and commit. The store then changes nothing. */
import { Failure } from "../../errors.ts";
import type { RequestContext } from "./entities.ts";

/** `principal`: it was disabled; `credential`: it was revoked or has expired. */
export interface CredentialRevoked {
  readonly kind: "credential_revoked";
  readonly why: "principal" | "credential";
}

export function credentialRevoked({ credential }: RequestContext, { why }: CredentialRevoked): Failure {
  const log = `revoked after admission: ${why}`;
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
