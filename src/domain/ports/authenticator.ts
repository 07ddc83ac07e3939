/**
 * The contract of an authenticator; part of the public API. Authenticators are told apart by `kind`, never by `instanceof`,
 * since an operator's class may come from another copy of this package. A wrong password is a value (`null`), a broken
 * backend is a thrown error. The built-in classes are in `src/authenticators`.
 */
import type { TSchema } from "typebox";

/** Name and address of a person. Shown to people and services; never used to identify or admit a person. */
export interface Profile {
  /** At most 255 characters. Absent: the stored name is kept. */
  readonly name?: string;
  /** Only if the backend has verified it; at most 255 characters. Absent: the stored address is deleted. */
  readonly email?: string;
}

/** The person who logged in, as the backend knows them. */
export interface AuthenticatedIdentity {
  /** 1 to 255 characters; the backend's own spelling of the name, so that one person is one identity. */
  readonly id: string;
  /**
   * Facts about the person, e.g. groups, for access policies. Stored with the session and shown by whoami, so never a secret.
   * Above 64 kB of JSON it is dropped with a warning.
   */
  readonly state?: Readonly<Record<string, unknown>>;
  /**
   * Stored with the identity; tokens and whoami leave it out. Absent: the stored profile is kept. A field that cannot be stored
   * is dropped with a warning.
   */
  readonly profile?: Profile;
}

/** A login that the backend refused for a reason other than a wrong password. The answer to the person is the same. */
export interface RefusedLogin {
  /** A word for the audit log, e.g. `account_locked`. */
  readonly refused: string;
  /** A sentence for the operator's log; never a secret. */
  readonly log?: string;
}

/**
 * Checks a user name and a password (RFC 6749, section 4.3; mode "internal" in the about document).
 *
 * @example
 * ```ts
 * import type { PasswordAuthenticator } from "tiled-auth";
 *
 * export class LabAuthenticator implements PasswordAuthenticator {
 *   static readonly args = { type: "object", properties: {}, additionalProperties: false };
 *   readonly kind = "password";
 *   readonly confirmationMessage = "Logged in as {id}.";
 *
 *   async authenticate(username: string, password: string) {
 *     return (await lab.check(username, password)) ? { id: username } : null;
 *   }
 * }
 * ```
 */
export interface PasswordAuthenticator {
  readonly kind: "password";
  /**
   * True if the backend distinguishes names that differ only in case or in the form of their letters. Otherwise a name that
   * differs from a known one only so is refused. The operator's `case_sensitive` overrides it.
   */
  readonly caseSensitive?: boolean;
  /** Shown by clients after a login; `{id}` stands for the identity's id. */
  readonly confirmationMessage: string;
  /**
   * Resolves to the identity, or to null for an unknown user and for a wrong password alike, after the same time. A
   * `RefusedLogin` counts and is answered like null; its reason goes to the log and the audit log.
   *
   * @param signal Aborted when the answer is no longer needed.
   * @param source Address block of the client (IPv4 address or IPv6 /64), so that a queue can be fair among clients.
   * @throws Any error if the backend is broken: the caller gets 502, and the message is logged. A `Failure` is answered as it is.
   */
  authenticate(
    username: string,
    password: string,
    signal?: AbortSignal,
    source?: string,
  ): Promise<AuthenticatedIdentity | RefusedLogin | null>;
  /** As `authenticate`, and reports each step; for `tiled config try`. */
  explain?(
    username: string,
    password: string,
    report: (step: string) => void,
  ): Promise<AuthenticatedIdentity | RefusedLogin | null>;
  /** As for an external provider: null if logins should work. Absent: not known. */
  problem?(): string | null;
  /** `config check` calls it in place of `start`: reads files, without network and database. @throws As `start`. */
  check?(): Promise<void>;
  /** Asks the backend whether it can be used, for `config check --online`. @throws What is wrong, for the operator. */
  contact?(): Promise<void>;
  /**
   * Whether the user exists, if that can be answered at once. Used for the audit log, which then names a guessed account
   * before its first login; no answer to a client depends on it.
   */
  knows?(username: string): boolean;
  /** Runs once before the server listens. @throws If the backend is missing or misconfigured; that stops the start. */
  start?(): Promise<void>;
  /** Runs once when the server stops. */
  stop?(): Promise<void>;
}

/** Binds a provider's answer to the request that asked for it. The server makes all values; each is used once. */
export interface AuthorizationRequest {
  /** Absolute URL; one of the server's two registered redirect URIs. */
  readonly redirectUri: string;
  /** RFC 6749, section 4.1.1; up to 8192 characters. */
  readonly state: string;
  /** OpenID Connect Core, section 3.1.2.1. */
  readonly nonce: string;
  /** PKCE (RFC 7636); the challenge's method is always S256. */
  readonly codeVerifier: string;
}

/** The browser's return from the provider, together with the request that sent it there. */
export interface AuthorizationResponse extends AuthorizationRequest {
  /** The redirect URI with the query the provider added: `code`, `state`, `iss`, or `error`. */
  readonly callback: URL;
}

/**
 * A browser's login at an identity provider (RFC 6749, section 4.1; OpenID Connect Core, section 3.1). Both methods fail with
 * a `Failure`: `login_refused` if the person or the provider declined, `provider_invalid` if an answer does not pass a check,
 * `bad_gateway` or `gateway_timeout` if there was no answer. The failure's `log` names the check and the setting to look at,
 * never a token.
 */
export interface ProviderLogin {
  /** As in `PasswordAuthenticator`. */
  readonly caseSensitive?: boolean;
  /** True if ids are e-mail addresses: a known address in other upper or lower case is then the same person. */
  readonly namesAddresses?: boolean;
  /** As in `PasswordAuthenticator`. */
  readonly confirmationMessage: string;
  /** Absolute URL to which a browser goes after a login; null: to the server's own pages. */
  readonly redirectOnSuccess: string | null;
  /** Absolute URL to which a browser goes after a failed login; null: to the server's own pages. */
  readonly redirectOnFailure: string | null;
  /** Tiled's redirect with tokens in its query; only if the operator asked for it. */
  readonly tokensInRedirect: boolean;
  /** The URL at the provider to which the browser is sent. */
  begin(request: AuthorizationRequest): Promise<URL>;
  /** Exchanges the code for tokens and checks them. */
  finish(response: AuthorizationResponse): Promise<AuthenticatedIdentity>;
  /**
   * Null if logins should work; otherwise the reason, for the operator. Called often, e.g. by health checks; report changes by
   * `AuthenticatorContext.warn`.
   */
  problem(): string | null;
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** `problem()` of a provider that a start did not wait for. */
export const NOT_REACHED_YET = "The provider was not reached yet.";

/** Sends the browser to an identity provider (mode "external" in the about document). */
export interface ExternalAuthenticator extends ProviderLogin {
  readonly kind: "external";
  /**
   * For a provider that lets the browser post its answer to `…/{provider}/code` (SAML's HTTP-POST binding), where no cookie
   * comes along. `finish` is then called only for a browser that brings an `error`.
   */
  readonly posted?: PostedLogin;
}

/** A provider's answer as a form of another site posts it. */
export interface PostedAnswer {
  /** The form's field `SAMLResponse`. */
  readonly answer: string;
  /** Of the request that `RelayState` belongs to. */
  readonly nonce: string;
}

/** The person whom a posted answer proves. */
export interface PostedIdentity {
  readonly identity: AuthenticatedIdentity;
  /** A name of the answer that no other answer of the provider has; the server accepts it once. */
  readonly answer: string;
  /** When the answer could no longer be accepted anyway. */
  readonly expires: Date;
}

export interface PostedLogin {
  /** Checks everything in the answer; fails as `ProviderLogin.finish`. */
  receive(answer: PostedAnswer): Promise<PostedIdentity>;
  /** XML for the provider's operator. */
  metadata(): Promise<string>;
}

/**
 * Accepts access tokens of an identity provider at which the client logs in by itself (RFC 9068); browsers log in as at any
 * other provider. A configuration can have only one, and no other authenticator beside it.
 */
export interface ProxiedAuthenticator extends ProviderLogin {
  readonly kind: "proxied";
  /** For the about document; null until the provider was reached. */
  links(): ProxiedLinks | null;
  /**
   * The identity of an access token; synchronous, and the same object, for a token that was seen before.
   *
   * @throws A `Failure`: `invalid_token` or `expired_token`, or `bad_gateway` or `gateway_timeout` if the provider's keys
   * cannot be fetched.
   */
  verify(token: string): ProxiedIdentity | Promise<ProxiedIdentity>;
}

/** What the about document tells clients of a proxied provider. Endpoints are absolute URLs. */
export interface ProxiedLinks {
  readonly deviceAuthorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly endSessionEndpoint: string | null;
  readonly clientId: string;
  /** Scopes that the client requests beyond its defaults. */
  readonly extraScopes: readonly string[];
}

/** The identity of a proxied provider's access token. */
export interface ProxiedIdentity extends AuthenticatedIdentity {
  /** This server's scopes that the token grants, by the operator's map; the principal's roles are added. */
  readonly scopes: readonly string[];
  /** End of the token, in seconds since the epoch. */
  readonly expires: number;
}

export type Authenticator = PasswordAuthenticator | ExternalAuthenticator | ProxiedAuthenticator;

/** Second argument of an authenticator's constructor. */
export interface AuthenticatorContext {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** Absolute path of the configuration's folder, for relative paths. */
  readonly directory: string;
  /** Claims of the provider that the access policy needs in the identity's `state`. */
  readonly keepClaims?: readonly string[];
  /** Writes a warning to the operator's log; never pass a secret. */
  warn(message: string): void;
}

/** A class of authenticators, as the table of names and an operator's module export it. */
export interface AuthenticatorClass {
  /** JSON Schema of `args` with `additionalProperties: false`: an unknown or wrong argument stops the start. */
  readonly args: TSchema;
  new (args: never, context: AuthenticatorContext): Authenticator;
}
