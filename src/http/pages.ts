/**
 * The landing page, the files that pages link to, and how any page is sent: with a policy that allows nothing but our
 * own stylesheet and images. What the pages show is in `pages/`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Html } from "../lib/html.ts";
import { type Asset, ICON_ASSET, STYLE_ASSET } from "../pages/assets.ts";
import { type AccessMode, landingPage } from "../pages/landing.ts";
import type { Site } from "../pages/layout.ts";
import { keyInUrl } from "./access/credential.ts";

export interface PageDeps {
  readonly site: Site;
  readonly logo: Asset | null;
  readonly mode: AccessMode;
  readonly writable: boolean;
  readonly providers: readonly string[];
  readonly links: { base(request: FastifyRequest): string; readonly rootPath: string };
}

const DAY = 86_400;

export function pageRoutes(app: FastifyInstance, deps: PageDeps): void {
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

  for (const file of [STYLE_ASSET, ICON_ASSET, ...(deps.logo ? [deps.logo] : [])]) {
    app.get(
      file.path,
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

export interface PageOptions {
  readonly status?: number;
  /** For pages that show what concerns one person. */
  readonly noStore?: boolean;
  /** Further origins that the page's form leads to. */
  readonly formAction?: readonly string[];
}

export function sendPage(reply: FastifyReply, page: Html, options: PageOptions = {}): FastifyReply {
  return reply
    .code(options.status ?? 200)
    .headers({
      "cache-control": options.noStore ? "no-store" : "no-cache",
      "content-security-policy": contentSecurityPolicy(options.formAction ?? []),
      "content-type": "text/html; charset=utf-8",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    })
    .send(page.text);
}

function contentSecurityPolicy(formAction: readonly string[]): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    ["form-action 'self'", ...formAction].join(" "),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}
