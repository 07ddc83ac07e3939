/**
 * Turns a provider's error answers and openid-client's errors into a `Failure` whose log names the check and the setting to look
 * at. Secrets are removed from a provider's text before it is logged.
 */
import { AuthorizationResponseError, ResponseBodyError } from "openid-client";
import { Failure, type FailureCode } from "../../errors.ts";
import { quotedForLog } from "./signature.ts";

/** OAuth error codes about the state of the provider rather than this login. */
const TRANSIENT = new Set(["server_error", "temporarily_unavailable"]);

const HINTS: Readonly<Record<string, string>> = {
  access_denied: "The user, or a rule at the provider, refused.",
  invalid_client: "Check args.client_id and args.client_secret (and args.token_endpoint_auth_method).",
  unauthorized_client:
    "The provider does not allow this client the authorization code flow, or (Keycloak) args.client_secret is wrong.",
  invalid_grant: "The code was used before or has expired, or the redirect URI is not the registered one.",
  invalid_scope: "Check args.scopes: the provider does not know one of them, or does not allow it.",
  redirect_uri_mismatch: "Register both redirect URIs of this server at the provider, letter by letter.",
  invalid_request: "Is the redirect URI registered at the provider letter by letter?",
};

/** An error answer (RFC 6749, sections 4.1.2.1 and 5.2). `secrets`: values that the provider may repeat in its text. */
function providerError(
  where: string,
  error: string,
  description: string | undefined,
  secrets: readonly string[],
): Failure {
  const code: FailureCode = TRANSIENT.has(error) ? "bad_gateway" : "login_refused";
  const said = description === undefined ? "" : ` (${quotedForLog(masked(description, secrets))})`;
  const hint = Object.hasOwn(HINTS, error) ? ` ${HINTS[error]}` : "";
  return new Failure(code, {
    log: `${where} answered ${quotedForLog(masked(error, secrets))}${said}.${hint}`,
  });
}

/** What the code grant failed with. `asked`: the browser's return was in order, and the token endpoint was called. */
export function grantFailure(error: unknown, asked: boolean, secrets: readonly string[]): Failure {
  const inner = innerFailure(error);
  if (inner !== undefined) return inner;
  if (error instanceof AuthorizationResponseError)
    return providerError("The provider", error.error, error.error_description, secrets);
  if (error instanceof ResponseBodyError)
    return providerError("The provider's token endpoint", error.error, error.error_description, secrets);
  const what = asked ? "answer of the provider's token endpoint" : "browser's return from the provider";
  const why = masked(innerMessage(error), secrets);
  const rule = !asked && why.includes('"iss"') ? " It must name the provider's issuer (RFC 9207)." : "";
  return new Failure("provider_invalid", { log: `The ${what} is not valid: ${why}.${rule}` });
}

/** The failure of a call, inside the error of openid-client. */
export function innerFailure(error: unknown): Failure | undefined {
  let inner = error;
  while (inner instanceof Error) {
    if (inner instanceof Failure) return inner;
    inner = inner.cause;
  }
  return undefined;
}

/** The cause of openid-client's error has the reason. */
export function innerMessage(error: unknown): string {
  if (!(error instanceof Error)) return "unknown reason";
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function masked(text: string, secrets: readonly string[]): string {
  let safe = text;
  for (const secret of secrets) {
    if (secret !== "") safe = safe.replaceAll(secret, "…");
  }
  return safe;
}
