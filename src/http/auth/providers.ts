/** The configured providers by how people log in at them. */
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import type { Authenticator, PasswordAuthenticator } from "../../domain/ports/authenticator.ts";
import { type KeepsPasswords, NEW_PASSWORDS, type NewPasswords } from "../../domain/ports/local-accounts.ts";

export interface PasswordProvider {
  readonly name: string;
  readonly authenticator: PasswordAuthenticator;
}

export function passwordProviders(authenticators: ReadonlyMap<string, Authenticator>): PasswordProvider[] {
  return [...authenticators].flatMap(([name, authenticator]) =>
    authenticator.kind === "password" ? [{ name, authenticator }] : [],
  );
}

/** Of the providers whose accounts this server keeps itself, by their names. */
export function newPasswordsOf(
  authenticators: ReadonlyMap<string, Authenticator & KeepsPasswords>,
): ReadonlyMap<string, NewPasswords> {
  return new Map(
    [...authenticators].flatMap(([name, { [NEW_PASSWORDS]: made }]) =>
      made === undefined ? [] : [[name, made] as const],
    ),
  );
}

export function identityProviders(authenticators: ReadonlyMap<string, Authenticator>): IdentityProvider[] {
  return [...authenticators].flatMap(([name, authenticator]) =>
    authenticator.kind === "password" ? [] : [{ name, authenticator }],
  );
}
