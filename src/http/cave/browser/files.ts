/** What CAVE's pages link to, below their own path, since a gateway may pass on no other; and their start, the tokens page. */
import type { FastifyInstance } from "fastify";
import { type Asset, ICON_ASSET, STYLE_ASSET } from "../../../pages/assets.ts";
import { COPY_ASSET } from "../../../pages/cave/copy.ts";
import { HAND_OVER_ASSET } from "../../../pages/cave/hand-over.ts";
import { assetRoutes } from "../../people/landing.ts";
import { seeOther } from "../../people/problem-pages.ts";
import type { CaveLinks } from "../server-address.ts";

const PREFIX = "/sticky_auth";

export function fileRoutes(app: FastifyInstance, links: CaveLinks, images: readonly Asset[]): void {
  const files = [STYLE_ASSET, ICON_ASSET, COPY_ASSET, HAND_OVER_ASSET, ...images];
  assetRoutes(app, PREFIX, files);
  for (const path of [PREFIX, `${PREFIX}/`]) {
    app.get(path, { config: { access: "public" }, schema: { hide: true } }, (_request, reply) =>
      seeOther(reply, links.tokensPage),
    );
  }
}
