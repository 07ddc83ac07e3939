/** Adds CAVE's routes for programs. `cave-pages.ts` has those of the pages, `cave.ts` makes the services. */
import type { FastifyInstance } from "fastify";
import { caveApi } from "../http/cave/api/api.ts";
import type { LogoutPage } from "../http/cave/api/logout.ts";
import { tokenGates } from "../http/cave/guard.ts";
import { OWN_PATHS } from "../http/cave/paths.ts";
import type { CaveServices } from "./cave.ts";
import type { Wiring } from "./wiring.ts";

export function addCaveApi(
  app: FastifyInstance,
  cave: CaveServices,
  { own, proxies }: Wiring,
  logoutPage: LogoutPage,
): void {
  for (const path of OWN_PATHS) own.reserve(path);
  caveApi(app, { ...cave, proxies, gates: tokenGates(app, { ...cave, proxies }), logoutPage });
}
