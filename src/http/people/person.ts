/** Who is logged in with a browser, and what the pages for them work with. */
import type { FastifyRequest } from "fastify";
import type { BrowserCaller } from "../../domain/model/caller.ts";
import { Failure } from "../../errors.ts";
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
}

/** Who is logged in, on routes of that access. */
export function person({ caller }: FastifyRequest): BrowserCaller {
  if (caller.kind !== "browser") throw new Failure("login_needed");
  return caller;
}
