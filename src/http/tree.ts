/**
 * The tree behind the authentication, under `/api/v1`: one file for each kind of route, this one registers them.
 */
import type { FastifyInstance } from "fastify";
import { arrayRoutes } from "./tree-array.ts";
import { containerRoute } from "./tree-container.ts";
import { distinctRoute } from "./tree-distinct.ts";
import { metadataRoute } from "./tree-metadata.ts";
import type { TreeDeps } from "./tree-nodes.ts";
import { searchRoutes } from "./tree-search.ts";
import { tableRoutes } from "./tree-table.ts";

export function treeRoutes(app: FastifyInstance, deps: TreeDeps): void {
  metadataRoute(app, deps);
  searchRoutes(app, deps);
  distinctRoute(app, deps);
  arrayRoutes(app, deps);
  tableRoutes(app, deps);
  containerRoute(app, deps);
}
