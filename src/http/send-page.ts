/**
 * Sends an HTML page with a policy that allows our own stylesheet, images and, if it has one, script, and nothing else. What
 * the pages show is in `pages/`.
 */
import type { FastifyReply } from "fastify";
import type { Html } from "../lib/html.ts";

export interface PageOptions {
  readonly status?: number;
  /** For pages about one person. */
  readonly noStore?: boolean;
  /** Other origins that the page's form leads to. */
  readonly formAction?: readonly string[];
  /** The page has a script, which is an asset of ours. */
  readonly script?: true;
}

export function sendPage(reply: FastifyReply, page: Html, options: PageOptions = {}): FastifyReply {
  return reply
    .code(options.status ?? 200)
    .headers({
      "cache-control": options.noStore ? "no-store" : "no-cache",
      "content-security-policy": contentSecurityPolicy(options),
      "content-type": "text/html; charset=utf-8",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    })
    .send(page.text);
}

function contentSecurityPolicy({ formAction = [], script }: PageOptions): string {
  return [
    "default-src 'none'",
    ...(script ? ["script-src 'self'"] : []),
    "style-src 'self'",
    "img-src 'self'",
    ["form-action 'self'", ...formAction].join(" "),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}
