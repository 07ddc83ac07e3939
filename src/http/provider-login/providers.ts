/** The routes of every provider that sends browsers elsewhere, and which of them each has. */
import type { FastifyInstance } from "fastify";
import type { Clock } from "../../lib/clock.ts";
import type { ExternalProvider } from "../auth/providers.ts";
import type { AuthServices } from "../auth/services.ts";
import { type ExternalRoutes, externalRoutes } from "./browser.ts";
import { deviceRoutes } from "./device.ts";
import { externalTokenRoute } from "./token.ts";

export interface ExternalProvidersOptions extends Omit<ExternalRoutes, "logins"> {
  readonly services: AuthServices;
  readonly clock: Clock;
}

export function externalProviderRoutes(
  app: FastifyInstance,
  options: ExternalProvidersOptions,
  providers: readonly ExternalProvider[],
): void {
  const { services, links, clock } = options;
  const { deviceLogins: devices, externalLogins: browsers } = services;
  for (const provider of providers) {
    externalRoutes(app, { ...options, logins: browsers }, provider);
    externalTokenRoute(app, { services, devices, browsers, links }, provider);
    // At a proxied provider a program logs in by itself.
    if (provider.authenticator.kind === "external") {
      deviceRoutes(app, { ...options, logins: devices, now: () => clock.now() }, provider);
    }
  }
}
