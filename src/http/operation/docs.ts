/**
 * `GET /docs`: the API documentation as a page, made from the OpenAPI document of all routes. Routes of a server behind
 * this one are listed, too.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Html } from "../../lib/html.ts";
import type { ApiDocument } from "../../pages/docs.ts";
import type { Site } from "../../pages/layout.ts";
import type { Links } from "../links.ts";
import { sendPage } from "../send-page.ts";

type Paths = ApiDocument["paths"];

export interface DocsDeps {
  readonly site: Site;
  readonly links: Pick<Links, "rootPath">;
  /** Our own routes. */
  readonly ours: () => Promise<ApiDocument>;
  /** The same object until it changes; null without a server behind this one, or if it has no OpenAPI document. */
  readonly behind: (request: FastifyRequest) => Promise<Paths | null>;
}

export function docsRoute(app: FastifyInstance, { site, links, ours: describe, behind }: DocsDeps): void {
  let made: { readonly page: Html; readonly theirs: Paths | null } | undefined;
  app.get("/docs", { config: { access: "public" }, schema: { hide: true } }, async (request, reply) => {
    const theirs = await behind(request);
    if (made === undefined || made.theirs !== theirs) {
      const [ours, { docsPage, withoutReferences }] = await Promise.all([
        describe(),
        import("../../pages/docs.ts"),
      ]);
      const document = { ...ours, paths: { ...theirs, ...withoutReferences(ours).paths } };
      made = { page: docsPage({ site, basePath: links.rootPath, document }), theirs };
    }
    return sendPage(reply, made.page);
  });
}
