/**
 * `/login`: a browser logs in with a user name and a password, by the pipeline and the throttle of the token route, or goes to a
 * provider. The session and its cookie are in `access/session-cookie.ts`.
 */
import { isToken, loginTokenOf } from "../../domain/browser-session.ts";
import { Failure } from "../../errors.ts";
import { type LoginProblem, onwardPage } from "../../pages/login-page.ts";
import { LoginBody, LoginQuery } from "../../schemas/pages.ts";
import { identityOf } from "../access/callers.ts";
import { browserOf } from "../access/login-cookie.ts";
import { requireSameOrigin } from "../access/same-origin.ts";
import { sendPage } from "../send-page.ts";
import type { TypedApp } from "../typed-app.ts";
import { type LoginDeps, nextOf } from "./login-deps.ts";
import { loginProblem, typedName } from "./login-form.ts";
import { LoginView } from "./login-view.ts";
import { seeOther } from "./problem-pages.ts";
import { welcome } from "./welcome.ts";

export function loginRoutes(app: TypedApp, deps: LoginDeps): void {
  const view = new LoginView(deps);
  const { site, links, services, passwords } = deps;

  app.get(
    "/login",
    { config: { access: "page" }, schema: { hide: true, querystring: LoginQuery } },
    (request, reply) => {
      const { next = null, provider = null, again } = request.query;
      const person = identityOf(request);
      if (person === null || again !== undefined) {
        return view.show(
          request,
          reply,
          { next, provider: provider ?? person?.provider ?? null, again: person },
          null,
        );
      }
      const target = nextOf(deps, request, next);
      const base = links.base(request);
      // Another host may not know this login and would send the browser back, again and again.
      if (target !== null && target.origin !== new URL(base).origin) {
        const onward = { name: person.id, href: target.href, destination: target.host };
        return sendPage(reply, onwardPage({ site, basePath: links.rootPath, ...onward }), { noStore: true });
      }
      return seeOther(reply, target?.href ?? `${base}/account`);
    },
  );

  app.post(
    "/login",
    {
      config: { access: "page", body: "form", formToken: true },
      schema: { hide: true, body: LoginBody },
    },
    async (request, reply) => {
      requireSameOrigin(request, links);
      const { token, next = null, provider = null, password = "" } = request.body;
      const username = typedName(request.body);
      const wish = { next, provider, again: null };
      const refuse = (status: number, problem: LoginProblem) =>
        view.show(request, reply, wish, { username, problem, status });
      const browser = browserOf(request, links);
      if (browser === null || !isToken(token, loginTokenOf(browser))) {
        return refuse(403, { kind: "outdated" });
      }
      const chosen = passwords.find(({ name }) => name === provider);
      if (chosen === undefined) throw new Failure("bad_request", { log: "a login form of no provider" });
      if (username === "" || password === "") return refuse(422, { kind: "empty" });
      try {
        const { name, authenticator } = chosen;
        const credentials = { username, password };
        const context = services.contextOf(request);
        const person = await services.login.identify(name, authenticator, credentials, context);
        return await welcome(deps, request, reply, { ...person, next });
      } catch (error) {
        const problem = loginProblem(error);
        if (problem === null) throw error;
        reply.headers((error as Failure).headers);
        request.failure = error as Failure;
        return refuse((error as Failure).status, problem);
      }
    },
  );
}
