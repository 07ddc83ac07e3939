/**
 * An external authenticator without a network: the test says who signs in there, and it holds what comes back to what a
 * real provider would: the code is its own and used once, verifier, nonce and redirect URI are those it was asked with.
 */
import { hash } from "node:crypto";
import type {
  AuthenticatedIdentity,
  AuthorizationRequest,
  AuthorizationResponse,
  ExternalAuthenticator,
} from "../../src/domain/ports/authenticator.ts";
import { Failure, type FailureCode } from "../../src/errors.ts";

interface Grant {
  readonly identity: AuthenticatedIdentity;
  readonly challenge: string;
  readonly nonce: string;
  readonly redirectUri: string;
}

export interface ScriptedOptions {
  readonly host?: string;
  readonly redirectOnSuccess?: string;
  readonly redirectOnFailure?: string;
  readonly tokensInRedirect?: boolean;
  /** Its identities are e-mail addresses. */
  readonly addresses?: boolean;
}

export class ScriptedProvider implements ExternalAuthenticator {
  readonly kind = "external";
  readonly confirmationMessage = "You have logged in as {id}.";
  readonly redirectOnSuccess: string | null;
  readonly redirectOnFailure: string | null;
  readonly tokensInRedirect: boolean;
  readonly namesAddresses: boolean;
  /** What the next calls fail with. */
  trouble: FailureCode | null = null;
  /** Exchanges that were asked for. */
  exchanges = 0;
  readonly #host: string;
  readonly #grants = new Map<string, Grant>();
  #codes = 0;

  constructor(options: ScriptedOptions = {}) {
    this.#host = options.host ?? "provider.example";
    this.redirectOnSuccess = options.redirectOnSuccess ?? null;
    this.redirectOnFailure = options.redirectOnFailure ?? null;
    this.tokensInRedirect = options.tokensInRedirect ?? false;
    this.namesAddresses = options.addresses ?? false;
  }

  problem(): null {
    return null;
  }

  async begin({ redirectUri, state, nonce, codeVerifier }: AuthorizationRequest): Promise<URL> {
    this.#fail();
    const url = new URL(`https://${this.#host}/auth`);
    url.search = new URLSearchParams({
      client_id: "tiled",
      response_type: "code",
      scope: "openid",
      redirect_uri: redirectUri,
      state,
      nonce,
      code_challenge: hash("sha256", codeVerifier, "base64url"),
      code_challenge_method: "S256",
    }).toString();
    return url;
  }

  async finish(response: AuthorizationResponse): Promise<AuthenticatedIdentity> {
    this.exchanges += 1;
    this.#fail();
    const { searchParams } = response.callback;
    if (searchParams.has("error"))
      throw new Failure("login_refused", { log: `provider: ${searchParams.get("error")}` });
    const code = searchParams.get("code") ?? "";
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    if (
      grant === undefined ||
      grant.challenge !== hash("sha256", response.codeVerifier, "base64url") ||
      grant.nonce !== response.nonce ||
      grant.redirectUri !== response.redirectUri
    ) {
      throw new Failure("provider_invalid", { log: "a check failed" });
    }
    return grant.identity;
  }

  /** A person follows the URL that `begin` made and signs in; returns the address that the browser is sent back to. */
  signIn(
    authorizationUrl: string,
    id: string,
    state?: AuthenticatedIdentity["state"],
    profile?: AuthenticatedIdentity["profile"],
  ): string {
    const asked = new URL(authorizationUrl).searchParams;
    this.#codes += 1;
    const code = `${this.#host} code ${this.#codes}`;
    this.#grants.set(code, {
      identity: { id, ...(state && { state }), ...(profile !== undefined && { profile }) },
      challenge: asked.get("code_challenge") ?? "",
      nonce: asked.get("nonce") ?? "",
      redirectUri: asked.get("redirect_uri") ?? "",
    });
    return this.#back(asked, { code });
  }

  /** A person presses "deny" there. */
  deny(authorizationUrl: string, error = "access_denied"): string {
    return this.#back(new URL(authorizationUrl).searchParams, { error });
  }

  #back(asked: URLSearchParams, answer: Record<string, string>): string {
    const url = new URL(asked.get("redirect_uri") ?? "");
    url.search = new URLSearchParams({ ...answer, state: asked.get("state") ?? "" }).toString();
    return url.href;
  }

  #fail(): void {
    if (this.trouble !== null) throw new Failure(this.trouble, { log: `scripted: ${this.trouble}` });
  }
}
