/**
 * Adds everything that people do with a browser on a server with accounts: logins here or at a provider, the account, and its
 * identities.
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
import type { OtherLogins } from "../provider-login/browser.ts";
import { providerLoginRoutes } from "../provider-login/providers.ts";
import { accountRoutes } from "./account.ts";
import { accountKeyRoutes } from "./account-keys.ts";
import { finishLink, linkingPages } from "./identities.ts";
import { loginRoutes } from "./login-page.ts";
import { logoutRoutes } from "./logout.ts";
import { newPasswordRoutes, type OwnAccountsDeps } from "./new-password.ts";
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
  /** Other hosts that a login may lead to. */
  readonly nextHosts: readonly string[];
  /** Null if people log in at the host of the data. */
  readonly handOvers: HandOvers | null;
  /** The page of a person's CAVE tokens; null if the server does not speak CAVE. */
  readonly caveTokensUrl: string | null;
  /** Null without other pages that people log in to. */
  readonly others: OtherLogins | null;
  readonly own: OwnAccountsDeps;
}

export function peopleRoutes(app: FastifyInstance, deps: PeopleDeps): void {
  const { site, links, services, clock, identityProviders, caveTokensUrl } = deps;
  loginRoutes(app, deps);
  newPasswordRoutes(app, deps);
  logoutRoutes(app, deps);
  accountRoutes(app, deps);
  accountKeyRoutes(app, deps);
  linkingPages(app, deps);
  linkingRoutes(app, deps);
  providerLoginRoutes(
    app,
    {
      services,
      site,
      links,
      clock,
      caveTokensUrl,
      others: deps.others,
      onBrowserLogin: (request, reply, back) => welcome(deps, request, reply, back),
      onAgain: (request, reply, goal) => goOn(deps, request, reply, goal),
      onLink: (request, reply, link) => finishLink(deps, request, reply, link),
    },
    identityProviders,
  );
}
