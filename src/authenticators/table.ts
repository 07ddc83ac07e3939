/**
 * The names of authenticators in a configuration: the same as Tiled's, and this server's own. A file is loaded only if its name is used, so that
 * libpam is needed for PAM alone. Own modules: `module.ts`.
 */
import type { AuthenticatorClass } from "../domain/ports/authenticator.ts";

export const PREFIX = "tiled.authenticators:";

/** Reads: `tiled.authenticators:` and one of these. */
export const AUTHENTICATORS: ReadonlyMap<string, () => Promise<AuthenticatorClass>> = new Map<
  string,
  () => Promise<AuthenticatorClass>
>([
  ["DictionaryAuthenticator", async () => (await import("./dictionary.ts")).DictionaryAuthenticator],
  ["DummyAuthenticator", async () => (await import("./dummy.ts")).DummyAuthenticator],
  ["PAMAuthenticator", async () => (await import("./pam/authenticator.ts")).PAMAuthenticator],
  ["LDAPAuthenticator", async () => (await import("./ldap/authenticator.ts")).LDAPAuthenticator],
  ["OIDCAuthenticator", async () => (await import("./oidc/authenticator.ts")).OIDCAuthenticator],
  [
    "ProxiedOIDCAuthenticator",
    async () => (await import("./oidc/proxied-authenticator.ts")).ProxiedOIDCAuthenticator,
  ],
  ["SAMLAuthenticator", async () => (await import("./saml/authenticator.ts")).SAMLAuthenticator],
  ["EntraAuthenticator", async () => (await import("./oidc/entra-authenticator.ts")).EntraAuthenticator],
]);

/** This server's own, which Tiled does not have, by their whole names. */
export const OWN: ReadonlyMap<string, () => Promise<AuthenticatorClass>> = new Map<
  string,
  () => Promise<AuthenticatorClass>
>([
  [
    "tiled_auth:LocalAuthenticator",
    async () => (await import("./local/authenticator.ts")).LocalAuthenticator,
  ],
]);

export function availableNames(): string {
  return [...[...AUTHENTICATORS.keys()].map((name) => PREFIX + name), ...OWN.keys()].join(", ");
}
