/** `/logout`: the page with its button, and the end of a browser's login. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { formTokenOf } from "../../domain/browser-session.ts";
import { Failure } from "../../errors.ts";
import { logoutPage } from "../../pages/login-page.ts";
import { TokenBody } from "../../schemas/pages.ts";
import { identityOf } from "../access/callers.ts";
import { dropKey } from "../access/key-cookie.ts";
import { requireSameOrigin } from "../access/same-origin.ts";
import { checkForm, dropSession, sessionSecretOf } from "../access/session-cookie.ts";
import { sendPage } from "../send-page.ts";
import type { TypedApp } from "../typed-app.ts";
import type { LoginDeps } from "./login-deps.ts";
import { seeOther } from "./problem-pages.ts";

export function logoutRoutes(app: TypedApp, deps: LoginDeps): void {
  const { site, links } = deps;

  app.get("/logout", { config: { access: "page" }, schema: { hide: true } }, (request, reply) => {
    const secret = sessionSecretOf(request, links);
    const person = identityOf(request);
    const form =
      person === null || secret === null
        ? null
        : { name: person.id, action: `${links.rootPath}/logout`, token: formTokenOf(secret) };
    return sendPage(reply, logoutPage({ site, basePath: links.rootPath, person: form }), { noStore: true });
  });

  app.post(
    "/logout",
    {
      config: { access: "page", body: "form", formToken: true },
      schema: { hide: true, body: TokenBody },
    },
    async (request, reply) => {
      requireSameOrigin(request, links);
      const secret = sessionSecretOf(request, links);
      if (secret !== null) checkForm(request, formTokenOf(secret));
      await endLogin(deps, request, reply);
      dropKey(request, reply, links);
      return seeOther(reply, `${links.base(request)}/logout`);
    },
  );
}

/** Ends the browser's session, if it has one, and drops the cookie even if that session has ended before. */
export async function endLogin(
  { services, links }: Pick<LoginDeps, "services" | "links">,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const secret = sessionSecretOf(request, links);
  try {
    if (secret !== null) {
      const { principal, session } = await services.browserSessions.identify(secret);
      const context = { ...services.contextOf(request), actor: principal.uuid };
      await services.sessions.revokeOwn(session, principal.uuid, context);
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.status >= 500) throw error;
  }
  dropSession(request, reply, links);
}
