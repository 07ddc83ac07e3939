/** Adds CAVE's routes for programs, below both prefixes. Those of the pages are in `../browser/`. */
import type { TypedApp } from "../../typed-app.ts";
import { PREFIXES } from "../paths.ts";
import type { CaveLinks } from "../server-address.ts";
import { authInfoRoute } from "./auth-info.ts";
import type { CaveApiDeps } from "./deps.ts";
import { groupRoutes } from "./groups.ts";
import { leftOutRoutes } from "./left-out.ts";
import { type LogoutPage, logoutRoutes } from "./logout.ts";
import { tableRoutes } from "./tables.ts";
import { tokenRoutes } from "./tokens.ts";
import { userRoutes } from "./users.ts";

export interface CaveApiParts extends CaveApiDeps {
  readonly links: CaveLinks;
  readonly logoutPage: LogoutPage;
}

export function caveApi(app: TypedApp, { links, logoutPage, ...deps }: CaveApiParts): void {
  for (const prefix of PREFIXES) {
    userRoutes(app, prefix, deps);
    groupRoutes(app, prefix, deps);
    tokenRoutes(app, prefix, deps);
    tableRoutes(app, prefix, deps);
    logoutRoutes(app, prefix, deps, logoutPage);
    leftOutRoutes(app, prefix);
  }
  authInfoRoute(app, links);
}
