/**
 * Registers the routes of the tree under `/api/v1`; one file for each kind.
 */
import type { FastifyInstance } from "fastify";
import { arrayRoutes } from "./array.ts";
import { containerRoute } from "./container.ts";
import { distinctRoute } from "./distinct.ts";
import { metadataRoute } from "./metadata.ts";
import type { TreeDeps } from "./nodes.ts";
import { searchRoutes } from "./search.ts";
import { tableRoutes } from "./table.ts";

/** Registers all routes of the tree. */
export function treeRoutes(app: FastifyInstance, deps: TreeDeps): void {
  metadataRoute(app, deps);
  searchRoutes(app, deps);
  distinctRoute(app, deps);
  arrayRoutes(app, deps);
  tableRoutes(app, deps);
  containerRoute(app, deps);
}
