/**
 * Accepts the access tokens of Microsoft Entra ID (`tiled.authenticators:EntraAuthenticator`). Users are named by
 * the short form of their user name, as in existing databases (`entra-name.ts`). No token of the provider is stored.
 */
import type { AuthenticatorContext } from "../../domain/ports/authenticator.ts";
import { ENTRA_ARGS, type EntraArgs } from "./args.ts";
import { entraName, isVerifiedByEntra } from "./entra-name.ts";
import type { OidcOptions } from "./options.ts";
import { keptClaims, profileOf } from "./person.ts";
import { Proxied } from "./proxied.ts";

export class EntraAuthenticator extends Proxied {
  static readonly args = ENTRA_ARGS;
  readonly #anyDomain: boolean;
  readonly #warn: AuthenticatorContext["warn"];

  constructor(args: EntraArgs, context: AuthenticatorContext, options: Partial<OidcOptions> = {}) {
    const domains = args.allowed_domains ?? null;
    const parts = {
      identify: (claims: Readonly<Record<string, unknown>>) => ({
        id: entraName(claims, domains),
        ...keptClaims(claims, context.keepClaims ?? []),
        ...profileOf({ ...claims, email_verified: isVerifiedByEntra(claims) }),
      }),
      // preferred_username is one of its claims.
      browserScopes: ["profile"],
      // User principal names are not case-sensitive.
      caseSensitive: false,
      extraScopes: args.extra_scopes ?? [],
    };
    super(args, parts, context, options);
    this.#anyDomain = domains === null;
    this.#warn = context.warn;
  }

  override async start(): Promise<void> {
    if (this.#anyDomain) {
      this.#warn(
        "user names are used without their domain, so alice@one.example and alice@two.example of this tenant are one " +
          "person here. Name the domains in args.allowed_domains.",
      );
    }
    await super.start();
  }
}
