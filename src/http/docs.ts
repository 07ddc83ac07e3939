/**
 * `GET /docs`: the API documentation as a page, made once from the OpenAPI document of all routes.
 */
import type { FastifyInstance } from "fastify";
import type { Html } from "../lib/html.ts";
import { type ApiDocument, docsPage } from "../pages/docs.ts";
import type { Site } from "../pages/layout.ts";
import type { Links } from "./links.ts";
import { sendPage } from "./pages.ts";

export interface DocsDeps {
  readonly site: Site;
  readonly links: Pick<Links, "rootPath">;
}

export function docsRoute(app: FastifyInstance, { site, links }: DocsDeps): void {
  let made: Html | undefined;
  app.get("/docs", { config: { access: "public" }, schema: { hide: true } }, (_request, reply) => {
    made ??= docsPage({ site, basePath: links.rootPath, document: app.swagger() as ApiDocument });
    return sendPage(reply, made);
  });
}
