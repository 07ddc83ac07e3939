/**
 * The contract of an authenticator. They are told apart by `kind`, never by `instanceof`: an operator's own class may
 * come from another copy of this package. A wrong password is a value (`null`); a broken backend is a throw.
 */
import type { TSchema } from "typebox";

/** Who logged in, as the backend knows them. */
export interface AuthenticatedIdentity {
  /** At most 255 characters. */
  readonly id: string;
  /** Kept with the session and shown by whoami: never a secret. */
  readonly state?: Readonly<Record<string, unknown>>;
}

/** Takes a username and a password ("internal" in the about document). */
export interface PasswordAuthenticator {
  readonly kind: "password";
  /**
   * Whether people of the backend may have names that are equal but for case, or the form of their letters. Where it does
   * not say true, such a name is not let in as a second account. The operator's `case_sensitive` is stronger.
   */
  readonly caseSensitive?: boolean;
  /** Shown after a login; `{id}` stands for the identity. */
  readonly confirmationMessage: string;
  /**
   * Null for an unknown user and for a wrong password alike, at the same cost. Throws where the backend is broken.
   * `signal` is aborted where nobody waits for the answer any more. `place` is where the request comes from, the same
   * for all addresses of one machine: whoever has a queue is fair among places.
   */
  authenticate(
    username: string,
    password: string,
    signal?: AbortSignal,
    place?: string,
  ): Promise<AuthenticatedIdentity | null>;
  /**
   * Whether there is such a user, where that is known at once. The audit then names an account that is guessed at before its
   * first login; no answer tells.
   */
  knows?(username: string): boolean;
  /** Once, before the server listens: throws where the backend is missing or misconfigured. */
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** What binds a provider's answer to the request that asked for it; all values are ours and used once. */
export interface AuthorizationRequest {
  /** One of our two registered redirect URIs. */
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE (RFC 7636): the challenge's method is always S256. */
  readonly codeVerifier: string;
}

/** The browser's return from the provider, and what it was sent with. */
export interface AuthorizationResponse extends AuthorizationRequest {
  /** As the provider sent the browser back, with its query: `code`, `state`, `iss`, or `error`. */
  readonly callback: URL;
}

/**
 * A login at another site by a browser (RFC 6749, section 4.1, OpenID Connect Core, section 3.1). Both methods fail
 * with a `Failure`: `login_refused` where the person or the provider said no, `provider_invalid` where an answer does
 * not pass a check, `bad_gateway` or `gateway_timeout` where there was none. The failure's `log` names the check and the
 * setting to look at, never a token.
 */
export interface ProviderLogin {
  /** As of a `PasswordAuthenticator`. */
  readonly caseSensitive?: boolean;
  /** Identities are e-mail addresses: one that is known in other letters, upper or lower, is the same person. */
  readonly namesAddresses?: boolean;
  readonly confirmationMessage: string;
  /** Where a browser login leads, both absolute URLs; null: to our own pages. */
  readonly redirectOnSuccess: string | null;
  readonly redirectOnFailure: string | null;
  /** The reference's redirect with tokens in its query, only where the operator asked for it. */
  readonly tokensInRedirect: boolean;
  /** The URL at the provider to send the browser to. */
  begin(request: AuthorizationRequest): Promise<URL>;
  /** Exchanges the code and checks all there is to check. */
  finish(response: AuthorizationResponse): Promise<AuthenticatedIdentity>;
  /**
   * Null where logins should work; else, for the operator, why not (e.g. the provider cannot be reached). It is asked for
   * again and again: what changes goes to the log by `AuthenticatorContext.warn`.
   */
  problem(): string | null;
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** A `problem()` that a start left open, since it does not wait long for a provider. */
export const NOT_REACHED_YET = "The provider was not reached yet.";

/** Sends the browser to another site ("external" in the about document). */
export interface ExternalAuthenticator extends ProviderLogin {
  readonly kind: "external";
}

/**
 * Accepts the access tokens of a provider that the client logs in at by itself (RFC 9068); a browser may log in there
 * as at any other. There can be only one, and no other authenticator beside it.
 */
export interface ProxiedAuthenticator extends ProviderLogin {
  readonly kind: "proxied";
  /** For the about document; null until the provider was reached. */
  links(): ProxiedLinks | null;
  /**
   * Fails with `invalid_token` or `expired_token`, or `bad_gateway` or `gateway_timeout` where the provider's keys
   * cannot be had. A token that was seen before is answered synchronously.
   */
  verify(token: string): ProxiedIdentity | Promise<ProxiedIdentity>;
}

export interface ProxiedLinks {
  readonly deviceAuthorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly endSessionEndpoint: string | null;
  readonly clientId: string;
  /** What the client asks the provider for beyond its defaults. */
  readonly extraScopes: readonly string[];
}

export interface ProxiedIdentity extends AuthenticatedIdentity {
  /** Scopes of ours that the token gives, by the operator's map; the principal's roles come on top. */
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expires: number;
}

export type Authenticator = PasswordAuthenticator | ExternalAuthenticator | ProxiedAuthenticator;

/** What a constructor of an authenticator is told beside its own arguments. */
export interface AuthenticatorContext {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** The folder of the configuration file, for relative paths. */
  readonly directory: string;
  /** What the access policy wants to know of a person: claims of the provider's that belong into the identity's `state`. */
  readonly keepClaims?: readonly string[];
  /** For the operator; never a secret. */
  warn(message: string): void;
}

/** A class of authenticators: what the table of names and an operator's module export. */
export interface AuthenticatorClass {
  /** JSON Schema of `args`, closed: an unknown or wrong argument stops the start. */
  readonly args: TSchema;
  new (args: never, context: AuthenticatorContext): Authenticator;
}
