/**
 * Logout of CAVE's pages: ends the browser's session, and with it the login tokens that were handed over. The address is the
 * API's, too (`../api`), which passes on what a browser without a token sends there.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { formTokenOf } from "../../../domain/browser-session.ts";
import { Failure } from "../../../errors.ts";
import { caveLogoutPage } from "../../../pages/cave/login.ts";
import { requireSameOrigin } from "../../access/same-origin.ts";
import { checkForm } from "../../access/session-cookie.ts";
import { seeOther } from "../../people/problem-pages.ts";
import { sendPage } from "../../send-page.ts";
import type { CavePageDeps } from "./deps.ts";
import { caveProblems } from "./problems.ts";
import { caveSessionOf, csrfFieldOf, dropCaveSession } from "./session.ts";

const PATH = "/api/v1/logout";

/** Answers a browser at `logout`, failures included. */
export function logoutPage(deps: CavePageDeps) {
  const problems = caveProblems(deps);
  const answering =
    (step: typeof show) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      try {
        return await step(deps, request, reply);
      } catch (error) {
        problems(error as FastifyError, request, reply);
        return reply;
      }
    };
  return { show: answering(show), submit: answering(submit) };
}

async function show(
  { site, links, gates }: CavePageDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // The cookie is not sent to the other prefix.
  if (!request.url.startsWith("/sticky_auth/")) return seeOther(reply, links.sticky + PATH);
  const caller = await gates.anyone.admit(request, reply);
  const person =
    caller.kind === "browser"
      ? {
          name: caller.identity.id,
          action: links.stickyPath + PATH,
          csrf: csrfFieldOf(request, links),
        }
      : null;
  const page = caveLogoutPage({
    site,
    basePath: links.stickyPath,
    loginHref: links.authorize(links.tokensPage),
    tokensHref: links.tokensPage,
    person,
  });
  return sendPage(reply, page, { noStore: true });
}

/** Drops the cookie even if its session has ended before. */
async function submit(
  { links, services }: CavePageDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  requireSameOrigin(request, links.here);
  const secret = caveSessionOf(request, links);
  if (secret !== null) {
    checkForm(request, formTokenOf(secret));
    try {
      const { principal, session } = await services.browserSessions.identify(secret);
      const context = { ...services.contextOf(request), actor: principal.uuid };
      await services.sessions.revokeOwn(session, principal.uuid, context);
    } catch (error) {
      if (!(error instanceof Failure) || error.status >= 500) throw error;
    }
  }
  dropCaveSession(reply, links);
  return seeOther(reply, links.sticky + PATH);
}
