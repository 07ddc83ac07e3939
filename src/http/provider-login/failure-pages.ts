/**
 * What a browser sees if a login at a provider fails: a page that says what to do next, with the request's id for the operator.
 * Programs get the same failure as JSON.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Failure } from "../../errors.ts";
import { type Begun, loginFailed } from "../../pages/external.ts";
import type { Site } from "../../pages/layout.ts";
import { wantsPage } from "../answer.ts";
import { logFailure, sendFailure, toFailure } from "../errors.ts";
import type { Links } from "../links.ts";
import { sendPage } from "../send-page.ts";

export interface PageContext {
  readonly site: Site;
  readonly links: Links;
}

export interface FailurePage {
  readonly provider: string;
  readonly begun: Begun;
  /** Where our own pages go on after the failure; null if unknown. */
  readonly onward: string | null;
  /** Where the operator sends failed logins. */
  readonly redirect: string | null;
  /** Whether the answer is a page even if `Accept` does not ask for one. */
  readonly always?: boolean;
}

/** The error handler of a route that a browser opens. */
export function failurePages(pages: PageContext, page: FailurePage) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const failure = toFailure(error, request);
    if (page.redirect !== null) {
      logFailure(failure, request);
      reply.header("cache-control", "no-store").redirect(page.redirect, 302);
    } else if (wantsPage(request) || (page.always === true && failure.code !== "invalid")) {
      logFailure(failure, request);
      sendFailurePage(pages, page, failure, request, reply);
    } else {
      sendFailure(failure, request, reply, pages.links);
    }
  };
}

function sendFailurePage(
  { site, links }: PageContext,
  { provider, begun, onward }: FailurePage,
  failure: Failure,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { code, status } = failure;
  if (status === 401) reply.header("www-authenticate", "Bearer");
  reply.headers(failure.headers);
  const page = loginFailed({
    site,
    basePath: links.rootPath,
    provider,
    begun,
    onward,
    code,
    status,
    requestId: request.id,
  });
  return sendPage(reply, page, { status, noStore: true });
}
