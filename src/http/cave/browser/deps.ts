/** What the pages of CAVE work with; `src/app` puts it together. */
import type { CaveRulesInForce } from "../../../domain/cave/rules.ts";
import type { HandOvers } from "../../../domain/login/hand-over.ts";
import type { BrowserCaller } from "../../../domain/model/caller.ts";
import type { RequestContext } from "../../../domain/model/entities.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Site } from "../../../pages/layout.ts";
import type { PasswordProvider } from "../../auth/providers.ts";
import type { AuthServices } from "../../auth/services.ts";
import type { CaveLinks } from "../server-address.ts";
import type { CaveGates } from "./session.ts";

export interface CavePageDeps {
  readonly site: Site;
  readonly links: CaveLinks;
  readonly gates: CaveGates;
  readonly services: Pick<AuthServices, "login" | "browserSessions" | "sessions" | "contextOf">;
  readonly rules: CaveRulesInForce;
  readonly clock: Clock;
}

/** For the pages that log a browser in and hand tokens over. */
export interface CaveLoginDeps extends CavePageDeps {
  /** All, in the order of the configuration. */
  readonly providers: readonly string[];
  readonly passwords: readonly PasswordProvider[];
  /** Where a browser goes to log in at a provider, which sends it back there: the address of the pages for people. */
  readonly peopleBase: string;
  readonly handOvers: HandOvers;
  readonly logins: {
    /** A login token for one origin; it ends with the browser's login. */
    issue(browser: BrowserCaller, origin: string, context: RequestContext): Promise<string>;
  };
}
