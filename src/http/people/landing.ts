/** The landing page, and the files that all pages link to. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Asset, ICON_ASSET, STYLE_ASSET } from "../../pages/assets.ts";
import { type AccessMode, landingPage } from "../../pages/landing.ts";
import type { Site } from "../../pages/layout.ts";
import { keyInUrl } from "../query.ts";
import { sendPage } from "../send-page.ts";

export interface LandingDeps {
  readonly site: Site;
  /** The operator's: logo and icons. */
  readonly images: readonly Asset[];
  readonly mode: AccessMode;
  readonly writable: boolean;
  readonly providers: readonly string[];
  readonly links: { base(request: FastifyRequest): string; readonly rootPath: string };
}

const DAY = 86_400;

export function landingRoutes(app: FastifyInstance, deps: LandingDeps): void {
  const { site, mode, writable, providers, links } = deps;

  app.get("/", { schema: { hide: true }, config: { access: "page" } }, (request, reply) => {
    const loggedIn = request.caller.kind === "browser";
    const keyRefused = keyInUrl(request) !== null && request.caller.kind === "anonymous";
    const baseUrl = links.base(request);
    const page = landingPage({
      site,
      baseUrl,
      basePath: links.rootPath,
      mode,
      writable,
      providers,
      loggedIn,
      keyRefused,
    });
    return sendPage(reply, page, { noStore: loggedIn || keyRefused });
  });

  assetRoutes(app, "", [STYLE_ASSET, ICON_ASSET, ...deps.images]);
}

/** `prefix`: of the pages that link to the files. */
export function assetRoutes(app: FastifyInstance, prefix: string, files: readonly Asset[]): void {
  for (const file of files) {
    app.get(
      prefix + file.path,
      { schema: { hide: true }, config: { access: "public", shared: true, quiet: true } },
      (_request, reply) =>
        reply
          .header("cache-control", `public, max-age=${365 * DAY}, immutable`)
          .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
          .header("x-content-type-options", "nosniff")
          .header("content-type", file.mediaType)
          .send(file.content),
    );
  }
}
