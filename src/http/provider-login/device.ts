/**
 * `POST /auth/provider/{provider}/authorize` and `…/device_code`: a program without a browser starts a login (RFC 8628,
 * section 3.1), and a person confirms it in any browser, back from the provider. The program polls `token.ts`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { newBrowserSecret } from "../../domain/login/binding.ts";
import type { DeviceLogins } from "../../domain/login/device.ts";
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import { Failure } from "../../errors.ts";
import { DeviceFormBody, DeviceReturn, DeviceStart, GrantProblem } from "../../schemas/provider-login.ts";
import { browserOf, keepBrowser } from "../access/login-cookie.ts";
import { requireNavigation } from "../access/navigation.ts";
import { answerJson } from "../answer.ts";
import type { AuthServices } from "../auth/services.ts";
import { queryOf } from "../query.ts";
import type { TypedApp } from "../typed-app.ts";
import { DevicePages, rememberUserCode } from "./device-pages.ts";
import { startAnswer } from "./device-start.ts";
import { failurePages, type LoginPages } from "./failure-pages.ts";
import { grantErrors } from "./oauth.ts";

export interface DeviceRoutes extends LoginPages {
  readonly services: AuthServices;
  readonly logins: DeviceLogins;
  now(): number;
}

export function deviceRoutes(app: TypedApp, options: DeviceRoutes, provider: IdentityProvider): void {
  const { services, logins, links } = options;
  const path = `/api/v1/auth/provider/${provider.name}`;
  const pages = new DevicePages(options, `${path}/device_code`);
  const errorHandler = failurePages(options, {
    provider: provider.name,
    begun: "program",
    onward: null,
    redirect: null,
    always: true,
  });

  app.post(
    `${path}/authorize`,
    {
      config: { access: "public", counted: true },
      errorHandler: grantErrors(links),
      schema: {
        tags: ["login"],
        summary: "Start the login of a program without a browser",
        response: { 200: DeviceStart, 429: GrantProblem },
      },
    },
    async (request, reply) => {
      const api = `${links.base(request)}${path}`;
      const page = `${links.pagesBase(request)}${path}/device_code`;
      const userAgent = request.headers["user-agent"] ?? null;
      const context = services.contextOf(request);
      const started = await logins.start(provider, page, userAgent, context);
      return answerJson(reply, startAnswer(request, { page, poll: `${api}/token` }, started));
    },
  );

  app.get(
    `${path}/device_code`,
    {
      config: { access: "public" },
      onRequest: requireNavigation,
      // Looking at the address without opening it must not use up the provider's code.
      exposeHeadRoute: false,
      errorHandler,
      schema: {
        tags: ["login"],
        summary: "The form for the code of a program, for a browser that comes back from the provider",
        querystring: DeviceReturn,
      },
    },
    async (request, reply) => {
      const { code, state = "", error } = request.query;
      if (code === undefined && error === undefined) return await resume(request, reply);
      const browser = browserOf(request, links) ?? newBrowserSecret();
      const callback = new URL(`${links.base(request)}${path}/device_code${queryOf(request)}`);
      const denied = error === "access_denied";
      const context = services.contextOf(request);
      const signedIn = await logins.signIn(provider, { state, callback, browser, denied }, context);
      keepBrowser(request, reply, links, browser);
      if (signedIn.confirmed) return pages.confirmed(reply, signedIn.identity);
      return pages.form(request, reply, { signedIn, browser, address: context.address, problem: null });
    },
  );

  /** Somebody opens our address in place of the provider's: on to the provider. */
  async function resume(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { state, user_code = null } = request.query as Static<typeof DeviceReturn>;
    if (state === undefined) {
      throw new Failure("invalid", {
        detail: [{ type: "missing", loc: ["query", "code"], msg: "Field required" }],
      });
    }
    const resumed = await logins.resume(provider, state, user_code, services.contextOf(request));
    if (resumed.userCode !== null)
      rememberUserCode(request, reply, links, `${path}/device_code`, resumed.userCode);
    return reply.header("cache-control", "no-store").redirect(resumed.authorizationUri.href, 302);
  }

  app.post(
    `${path}/device_code`,
    {
      config: { access: "public", body: "form", formToken: true },
      errorHandler,
      schema: {
        tags: ["login"],
        summary: "Confirm the login of a program, or turn it away",
        consumes: ["application/x-www-form-urlencoded"],
        querystring: DeviceReturn,
        body: DeviceFormBody,
      },
    },
    async (request, reply) => {
      const { user_code: userCode, token = "", cancel } = request.body;
      const browser = browserOf(request, links);
      const form = { state: request.query.state ?? "", browser, token };
      const context = services.contextOf(request);
      if (cancel !== undefined) {
        await logins.cancel(provider, form, context);
        return pages.refused(reply, "cancelled");
      }
      const typed = await logins.type(provider, { ...form, userCode }, context);
      switch (typed.kind) {
        case "confirmed":
          return pages.confirmed(reply, typed.identity);
        case "refused":
          return pages.refused(reply, typed.reason);
        default: {
          if (typed.kind === "throttled") reply.header("retry-after", String(typed.retryAfter));
          const { signedIn, kind: problem } = typed;
          return pages.form(request, reply, {
            signedIn,
            browser: browser ?? "",
            address: context.address,
            problem,
          });
        }
      }
    },
  );
}
