/** What the pages of an account work with. */
import type { Clock } from "../../lib/clock.ts";
import type { Site } from "../../pages/layout.ts";
import type { AuthServices } from "../auth/services.ts";
import type { Links } from "../links.ts";

export interface AccountDeps {
  readonly site: Site;
  readonly links: Links;
  readonly services: AuthServices;
  readonly clock: Clock;
  /** In the order of the configuration. */
  readonly providers: readonly string[];
  /** The page of a person's CAVE tokens; null if the server does not speak CAVE. */
  readonly caveTokensUrl: string | null;
}
