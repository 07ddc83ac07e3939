/** Adds CAVE's pages, and its API (`cave-api.ts`), for a server whose configuration has the section `cave`. */
import type { FastifyInstance } from "fastify";
import { passwordProviders } from "../http/auth/providers.ts";
import { authorizeRoutes } from "../http/cave/browser/authorize.ts";
import type { CaveLoginDeps } from "../http/cave/browser/deps.ts";
import { fileRoutes } from "../http/cave/browser/files.ts";
import { logoutPage } from "../http/cave/browser/logout.ts";
import { arrivalRoute, caveReturns } from "../http/cave/browser/provider-return.ts";
import { caveGates } from "../http/cave/browser/session.ts";
import { termsRoutes } from "../http/cave/browser/terms.ts";
import { tokensRoutes } from "../http/cave/browser/tokens.ts";
import type { OtherLogins } from "../http/provider-login/browser.ts";
import type { CaveServices } from "./cave.ts";
import { addCaveApi } from "./cave-api.ts";
import { imagesOf } from "./parts.ts";
import type { Wiring } from "./wiring.ts";

/** Answers how logins at a provider end on these pages. */
export function addCavePages(app: FastifyInstance, cave: CaveServices, wiring: Wiring): OtherLogins {
  const deps = pageDeps(app, cave, wiring);
  authorizeRoutes(app, deps);
  arrivalRoute(app, deps);
  tokensRoutes(app, { ...deps, tokens: cave.tokens });
  termsRoutes(app, { ...deps, people: cave.people });
  fileRoutes(app, deps.links, imagesOf(wiring.parts));
  addCaveApi(app, cave, wiring, logoutPage(deps));
  return caveReturns(deps);
}

function pageDeps(app: FastifyInstance, cave: CaveServices, wiring: Wiring): CaveLoginDeps {
  const { config, parts, site, multiUser } = wiring;
  if (multiUser?.caveHandOvers == null) throw new Error("CAVE's pages need accounts.");
  const { services, caveHandOvers: handOvers } = multiUser;
  const { accountUrl, publicUrl } = config.server;
  const { links } = cave;
  return {
    site,
    links,
    gates: caveGates(app, { site, links, sessions: services.browserSessions }),
    services,
    rules: cave.rules,
    clock: parts.clock,
    providers: [...parts.authenticators.keys()],
    passwords: passwordProviders(parts.authenticators),
    peopleBase: (accountUrl ?? publicUrl ?? links.base).replace(/\/+$/, ""),
    handOvers,
    logins: cave.logins,
  };
}
