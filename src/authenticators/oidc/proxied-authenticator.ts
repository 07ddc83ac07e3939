/**
 * Accepts the access tokens of an OpenID Connect provider (`tiled.authenticators:ProxiedOIDCAuthenticator`). The
 * user is named by the claim `user`, else `sub`, or by the operator's `user_id_claim`.
 */
import type { AuthenticatorContext } from "../../domain/ports/authenticator.ts";
import { PROXIED_ARGS, type ProxiedArgs } from "./args.ts";
import type { OidcOptions } from "./options.ts";
import { identify, scopesFor } from "./person.ts";
import { Proxied } from "./proxied.ts";

export class ProxiedOIDCAuthenticator extends Proxied {
  static readonly args = PROXIED_ARGS;

  constructor(args: ProxiedArgs, context: AuthenticatorContext, options: Partial<OidcOptions> = {}) {
    const rules = {
      claim: args.user_id_claim ?? "sub",
      users: null,
      domains: null,
      keep: context.keepClaims ?? [],
    };
    const parts = {
      caseSensitive: rules.claim === "sub",
      namesAddresses: rules.claim === "email",
      identify: (claims: Readonly<Record<string, unknown>>) => {
        const named = rules.claim === "sub" && claims["user"] ? "user" : rules.claim;
        return identify(claims, { ...rules, claim: named });
      },
      browserScopes: scopesFor(rules),
      extraScopes: [],
    };
    super(args, parts, context, options);
  }
}
