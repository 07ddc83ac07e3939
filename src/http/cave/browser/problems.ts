/**
 * What a browser sees if one of CAVE's pages cannot be shown: the login page if that helps, else a page that says what to do
 * next. Pages of the account have `people/problem-pages.ts`, CAVE's API its own form of errors.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Site } from "../../../pages/layout.ts";
import { logFailure, toFailure } from "../../errors.ts";
import { SAFE_METHODS } from "../../methods.ts";
import { seeOther, sendProblem, TO_LOGIN } from "../../people/problem-pages.ts";
import { LONGEST_REDIRECT } from "../redirects.ts";
import type { CaveLinks } from "../server-address.ts";

export interface CaveProblemDeps {
  readonly site: Site;
  readonly links: CaveLinks;
}

/** The error handler of a page's route. */
export function caveProblems({ site, links }: CaveProblemDeps) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const failure = toFailure(error, request);
    logFailure(failure, request);
    if (TO_LOGIN.has(failure.code)) {
      seeOther(reply, links.authorize(onwardOf(request, links)));
      return;
    }
    sendProblem(failure, request, reply, {
      site,
      basePath: links.stickyPath,
      accounts: false,
      challenge: `Bearer realm="${links.authorize()}"`,
    });
  };
}

/** The same page once more after the login. */
function onwardOf(request: FastifyRequest, links: CaveLinks): string {
  const same = links.base + request.url;
  return SAFE_METHODS.has(request.method) && same.length <= LONGEST_REDIRECT ? same : links.tokensPage;
}
