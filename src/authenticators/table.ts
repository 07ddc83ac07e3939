/**
 * The names that a configuration may give an authenticator, as the reference calls its own. A file is loaded only
 * where its name is used, so that nobody needs libpam who has no PAM. Own modules: `module.ts`.
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
  ["OIDCAuthenticator", async () => (await import("./oidc/authenticator.ts")).OIDCAuthenticator],
  [
    "ProxiedOIDCAuthenticator",
    async () => (await import("./oidc/proxied-authenticator.ts")).ProxiedOIDCAuthenticator,
  ],
  ["EntraAuthenticator", async () => (await import("./oidc/entra-authenticator.ts")).EntraAuthenticator],
]);

/** What the reference has beyond these. */
export const ELSEWHERE: ReadonlySet<string> = new Set(["LDAPAuthenticator", "SAMLAuthenticator"]);

export function availableNames(): string {
  return [...AUTHENTICATORS.keys()].map((name) => PREFIX + name).join(", ");
}
