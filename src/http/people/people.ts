/**
 * All that a person does with a browser, put together: the login here or at a provider, the account, and the identities
 * that open it.
 */
import type { FastifyInstance } from "fastify";
import type { HandOvers } from "../../domain/login/hand-over.ts";
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Site } from "../../pages/layout.ts";
import { linkingRoutes } from "../auth/identities.ts";
import type { PasswordProvider } from "../auth/providers.ts";
import type { AuthServices } from "../auth/services.ts";
import type { Links } from "../links.ts";
import { providerLoginRoutes } from "../provider-login/providers.ts";
import { accountRoutes } from "./account.ts";
import { finishLink, linkingPages } from "./identities.ts";
import { loginRoutes } from "./login-page.ts";
import { logoutRoutes } from "./logout.ts";
import type { ProblemPages } from "./problem-pages.ts";
import { goOn, welcome } from "./welcome.ts";

export interface PeopleDeps {
  readonly site: Site;
  readonly links: Links;
  readonly services: AuthServices;
  readonly clock: Clock;
  /** All, in the order of the configuration. */
  readonly providers: readonly string[];
  readonly passwords: readonly PasswordProvider[];
  readonly identityProviders: readonly IdentityProvider[];
  readonly problems: ProblemPages;
  /** Hosts beside our own that a login may lead to. */
  readonly nextHosts: readonly string[];
  /** Null: logins are made where data are read. */
  readonly handOvers: HandOvers | null;
}

export function peopleRoutes(app: FastifyInstance, deps: PeopleDeps): void {
  const { site, links, services, clock, identityProviders } = deps;
  loginRoutes(app, deps);
  logoutRoutes(app, deps);
  accountRoutes(app, deps);
  linkingPages(app, deps);
  linkingRoutes(app, deps);
  providerLoginRoutes(
    app,
    {
      services,
      site,
      links,
      clock,
      onBrowserLogin: (request, reply, back) => welcome(deps, request, reply, back),
      onAgain: (request, reply, goal) => goOn(deps, request, reply, goal),
      onLink: (request, reply, link) => finishLink(deps, request, reply, link),
    },
    identityProviders,
  );
}
