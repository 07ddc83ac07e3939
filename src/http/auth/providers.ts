/** The configured providers by how people log in at them. */
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import type { Authenticator, PasswordAuthenticator } from "../../domain/ports/authenticator.ts";

export interface PasswordProvider {
  readonly name: string;
  readonly authenticator: PasswordAuthenticator;
}

export function passwordProviders(authenticators: ReadonlyMap<string, Authenticator>): PasswordProvider[] {
  return [...authenticators].flatMap(([name, authenticator]) =>
    authenticator.kind === "password" ? [{ name, authenticator }] : [],
  );
}

export function identityProviders(authenticators: ReadonlyMap<string, Authenticator>): IdentityProvider[] {
  return [...authenticators].flatMap(([name, authenticator]) =>
    authenticator.kind === "password" ? [] : [{ name, authenticator }],
  );
}
