/** Makes CAVE's services for a server whose configuration has the section `cave`. */
import type { Config } from "../config/model.ts";
import { CaveCallers } from "../domain/cave/callers.ts";
import { CaveLogins } from "../domain/cave/logins.ts";
import { CavePeople } from "../domain/cave/people.ts";
import type { CaveRulesInForce } from "../domain/cave/rules.ts";
import { CaveTokens } from "../domain/cave/tokens.ts";
import type { AuthServices } from "../http/auth/services.ts";
import { CaveOrigins } from "../http/cave/cors.ts";
import { CaveLinks } from "../http/cave/server-address.ts";
import type { AppParts } from "./parts.ts";

export interface CaveServices {
  readonly links: CaveLinks;
  readonly rules: CaveRulesInForce;
  readonly callers: CaveCallers;
  readonly tokens: CaveTokens;
  readonly logins: CaveLogins;
  readonly people: CavePeople;
}

/** Null without the section, and in the modes without providers. */
export function caveServices(
  config: Config,
  { store, clock, cave: rules }: AppParts,
  services: AuthServices | null,
): CaveServices | null {
  if (config.cave === null || rules === null || store === null || services === null) return null;
  const { principalCache, activity, apiKeys } = services;
  const common = { store: store.cave, principalCache, activity, clock };
  const people = new CavePeople(common);
  const callers = new CaveCallers({ ...common, people });
  return {
    links: new CaveLinks(config.cave.serverAddress),
    rules,
    callers,
    people,
    tokens: new CaveTokens({ ...common, keys: apiKeys, createKey: (key) => store.apiKeys.create(key) }),
    logins: new CaveLogins({ ...common, callers, rules }),
  };
}

/** The origins whose pages may read the API; a reload of the configuration may change them. */
export function caveOrigins({ links, rules }: CaveServices): CaveOrigins {
  return new CaveOrigins((origin) => origin === links.origin || rules.current.allowsOrigin(origin));
}
