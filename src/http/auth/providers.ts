/** The configured providers by how people log in at them. */
import type {
  Authenticator,
  ExternalAuthenticator,
  PasswordAuthenticator,
  ProxiedAuthenticator,
} from "../../domain/ports/authenticator.ts";

export interface PasswordProvider {
  readonly name: string;
  readonly authenticator: PasswordAuthenticator;
}

/** A provider with login pages of its own, to which browsers are sent. */
export interface ExternalProvider {
  readonly name: string;
  readonly authenticator: ExternalAuthenticator | ProxiedAuthenticator;
}

export function passwordProviders(authenticators: ReadonlyMap<string, Authenticator>): PasswordProvider[] {
  return [...authenticators].flatMap(([name, authenticator]) =>
    authenticator.kind === "password" ? [{ name, authenticator }] : [],
  );
}

export function externalProviders(authenticators: ReadonlyMap<string, Authenticator>): ExternalProvider[] {
  return [...authenticators].flatMap(([name, authenticator]) =>
    authenticator.kind === "password" ? [] : [{ name, authenticator }],
  );
}
