/**
 * To an identity provider and back, for device logins and browser logins: the code is exchanged at once, the identity is
 * checked, and failures are counted and audited.
 */

import { Failure } from "../../errors.ts";
import type { RequestContext } from "../model/entities.ts";
import { isStorableName } from "../model/storable-text.ts";
import type {
  AuthenticatedIdentity,
  ExternalAuthenticator,
  ProxiedAuthenticator,
} from "../ports/authenticator.ts";
import type { Binding } from "../ports/logins.ts";
import type { LoginThrottle } from "../throttling/throttle.ts";
import type { Login } from "./login.ts";
import type { KeptAnswer, PostedForm, PostedReturns } from "./posted-return.ts";

/** An authenticator that sends browsers to an identity provider, with its name in the configuration. */
export interface IdentityProvider {
  readonly name: string;
  readonly authenticator: ExternalAuthenticator | ProxiedAuthenticator;
}

export interface ReturnDeps {
  readonly login: Login;
  readonly throttle: LoginThrottle;
  /** Answers that browsers posted from their provider's site. */
  readonly posted: PostedReturns;
}

/** A browser's return to one of our two redirect URIs. */
export interface Return {
  readonly state: string;
  readonly callback: URL;
  /** The browser's secret; null if it has none. */
  readonly browser: string | null;
}

/** The URL at the provider. A refusal here is a fault of the provider or the operator (502), since no login has begun yet. */
export async function authorizationUri(
  { authenticator }: IdentityProvider,
  { redirectUri, nonce, codeVerifier }: Binding,
  state: string,
): Promise<URL> {
  try {
    return await authenticator.begin({ redirectUri, nonce, codeVerifier, state });
  } catch (error) {
    if (!(error instanceof Failure) || error.status >= 500) throw error;
    throw new Failure("bad_gateway", { log: error.message, cause: error });
  }
}

export async function exchange(
  deps: ReturnDeps,
  { name, authenticator }: IdentityProvider,
  binding: Binding,
  { state, callback }: Pick<Return, "state" | "callback">,
  context: RequestContext,
): Promise<AuthenticatedIdentity> {
  const { redirectUri, nonce, codeVerifier } = binding;
  try {
    const code = callback.searchParams.get("code");
    const isPosted = authenticator.kind === "external" && authenticator.posted !== undefined;
    const identity =
      isPosted && code !== null
        ? await deps.posted.collect(name, state, code)
        : await authenticator.finish({ redirectUri, nonce, codeVerifier, state, callback });
    if (isStorableName(identity.id)) return await deps.login.asKnown(name, identity);
    throw new Failure("provider_invalid", {
      log: "The identity's id is empty, longer than 255 characters, or not plain Unicode.",
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.status < 500) return await refuseReturn(deps, name, error, context);
    await deps.login.note("login_failed", null, context, { provider: name, reason: error.code });
    throw error;
  }
}

/** A provider's answer as its site lets the browser post it; the browser then comes back as from any provider. */
export async function receivePosted(
  deps: ReturnDeps,
  { name, authenticator }: IdentityProvider,
  form: PostedForm,
  context: RequestContext,
): Promise<KeptAnswer> {
  const posted = authenticator.kind === "external" ? authenticator.posted : undefined;
  if (posted === undefined) throw new Failure("not_found");
  try {
    return await deps.posted.receive(name, posted, form);
  } catch (error) {
    if (!(error instanceof Failure) || error.status >= 500) throw error;
    return await refuseReturn(deps, name, error, context);
  }
}

/**
 * Refuses a return: counts it against its address, and audits it unless the address is throttled. A valid return is accepted
 * even from a throttled address.
 */
export async function refuseReturn(
  { login, throttle }: ReturnDeps,
  provider: string,
  failure: Failure,
  context: RequestContext,
  reason: string = failure.code,
): Promise<never> {
  const { retryAfter, limitReached } = await throttle.failed(context.address);
  if (retryAfter > 0) {
    throw new Failure("throttled", {
      headers: { "retry-after": String(retryAfter) },
      log: `throttled; the last: ${failure.message}`,
    });
  }
  await login.note("login_failed", null, context, { provider, reason });
  if (limitReached) await login.note("login_throttled", null, context, { provider });
  throw failure;
}
