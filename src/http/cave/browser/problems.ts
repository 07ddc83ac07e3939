/**
 * What a browser sees if one of CAVE's pages cannot be shown: the login page if that helps, else a page that says what to do
 * next. Pages of the account have `people/problem-pages.ts`, CAVE's API its own form of errors.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Site } from "../../../pages/layout.ts";
import { problemPage } from "../../../pages/problem.ts";
import { logFailure, toFailure } from "../../errors.ts";
import { SAFE_METHODS } from "../../methods.ts";
import { sendPage } from "../../send-page.ts";
import { LONGEST_REDIRECT } from "../redirects.ts";
import type { CaveLinks } from "../server-address.ts";

export interface CaveProblemDeps {
  readonly site: Site;
  readonly links: CaveLinks;
}

const TO_LOGIN: ReadonlySet<string> = new Set(["login_needed", "browser_login_over"]);

/** The error handler of a page's route. */
export function caveProblems({ site, links }: CaveProblemDeps) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const failure = toFailure(error, request);
    logFailure(failure, request);
    const { code, status } = failure;
    if (TO_LOGIN.has(code)) {
      reply.header("cache-control", "no-store").redirect(links.authorize(onwardOf(request, links)), 303);
      return;
    }
    if (status === 401) reply.header("www-authenticate", `Bearer realm="${links.authorize()}"`);
    reply.headers(failure.headers);
    const retryAfter = Number(failure.headers["retry-after"]);
    const page = problemPage({
      site,
      basePath: links.stickyPath,
      code,
      status,
      requestId: request.id,
      accounts: false,
      ...(retryAfter > 0 && { retryAfter }),
    });
    sendPage(reply, page, { status, noStore: true });
  };
}

/** The same page once more after the login. */
function onwardOf(request: FastifyRequest, links: CaveLinks): string {
  const same = links.base + request.url;
  return SAFE_METHODS.has(request.method) && same.length <= LONGEST_REDIRECT ? same : links.tokensPage;
}
