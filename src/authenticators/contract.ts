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
  /** Shown after a login; `{id}` stands for the identity. */
  readonly confirmationMessage: string;
  /**
   * Null for an unknown user and for a wrong password alike, at the same cost. Throws where the backend is broken.
   * `signal` is aborted where nobody waits for the answer any more.
   */
  authenticate(
    username: string,
    password: string,
    signal?: AbortSignal,
  ): Promise<AuthenticatedIdentity | null>;
  /** Once, before the server listens: throws where the backend is missing or misconfigured. */
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

export type Authenticator = PasswordAuthenticator;

/** What a constructor of an authenticator is told beside its own arguments. */
export interface AuthenticatorContext {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** The folder of the configuration file, for relative paths. */
  readonly directory: string;
  /** For the operator; never a secret. */
  warn(message: string): void;
}

/** A class of authenticators: what the table of names and an operator's module export. */
export interface AuthenticatorClass {
  /** JSON Schema of `args`, closed: an unknown or wrong argument stops the start. */
  readonly args: TSchema;
  new (args: never, context: AuthenticatorContext): Authenticator;
}
