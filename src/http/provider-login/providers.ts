/** Adds the routes of every provider with login pages of its own. */
import type { FastifyInstance } from "fastify";
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import type { Clock } from "../../lib/clock.ts";
import type { AuthServices } from "../auth/services.ts";
import { type BrowserRoutes, browserRoutes } from "./browser.ts";
import { deviceRoutes } from "./device.ts";
import { postedRoutes } from "./posted.ts";
import { tokenRoute } from "./token.ts";

export interface ProviderLoginOptions extends Omit<BrowserRoutes, "logins"> {
  readonly services: AuthServices;
  readonly clock: Clock;
  /** The page of a person's CAVE tokens; null if the server does not speak CAVE. */
  readonly caveTokensUrl: string | null;
}

export function providerLoginRoutes(
  app: FastifyInstance,
  options: ProviderLoginOptions,
  providers: readonly IdentityProvider[],
): void {
  const { services, links, clock } = options;
  const { deviceLogins: devices, browserLogins: browsers } = services;
  for (const provider of providers) {
    browserRoutes(app, { ...options, logins: browsers }, provider);
    tokenRoute(app, { services, devices, browsers, links }, provider);
    if (provider.authenticator.kind === "external" && provider.authenticator.posted !== undefined) {
      postedRoutes(app, { ...options, logins: browsers }, provider, provider.authenticator.posted);
    }
    // At a proxied provider, programs log in directly.
    if (provider.authenticator.kind === "external") {
      deviceRoutes(app, { ...options, logins: devices, now: () => clock.now() }, provider);
    }
  }
}
