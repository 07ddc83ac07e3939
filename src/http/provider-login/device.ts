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
import { GrantProblem, refusals } from "../../schemas/errors.ts";
import { DeviceFormBody, DeviceReturn, DeviceStart, Page, Redirect } from "../../schemas/provider-login.ts";
import { browserOf, keepBrowser } from "../access/login-cookie.ts";
import { requireNavigation } from "../access/navigation.ts";
import { answerJson } from "../answer.ts";
import type { AuthServices } from "../auth/services.ts";
import { queryOf } from "../query.ts";
import type { TypedApp } from "../typed-app.ts";
import { type DeviceContext, DevicePages, rememberUserCode } from "./device-pages.ts";
import { startAnswer } from "./device-start.ts";
import { failurePages } from "./failure-pages.ts";
import { grantErrors } from "./oauth.ts";

export interface DeviceRoutes extends DeviceContext {
  readonly services: AuthServices;
  readonly logins: DeviceLogins;
}

/** What the steps of a login at one provider work with. */
interface DeviceSteps extends DeviceRoutes {
  readonly provider: IdentityProvider;
  /** Of the provider's routes. */
  readonly path: string;
  readonly pages: DevicePages;
}

type Returned = FastifyRequest<{ Querystring: Static<typeof DeviceReturn> }>;
type Typed = FastifyRequest<{
  Querystring: Static<typeof DeviceReturn>;
  Body: Static<typeof DeviceFormBody>;
}>;

export function deviceRoutes(app: TypedApp, options: DeviceRoutes, provider: IdentityProvider): void {
  const path = `/api/v1/auth/provider/${provider.name}`;
  const form = `${path}/device_code`;
  const steps: DeviceSteps = { ...options, provider, path, pages: new DevicePages(options, form) };
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
      errorHandler: grantErrors(options.links),
      schema: {
        tags: ["login"],
        operationId: "startDeviceLogin",
        summary: "Start the login of a program without a browser",
        response: { 200: DeviceStart, 400: GrantProblem, 429: GrantProblem },
      },
    },
    async (request, reply) => await authorizeDevice(steps, request, reply),
  );

  app.get(
    form,
    {
      config: { access: "public" },
      onRequest: requireNavigation,
      // Looking at the address without opening it must not use up the provider's code.
      exposeHeadRoute: false,
      errorHandler,
      schema: {
        tags: ["login"],
        operationId: "showDeviceForm",
        summary: "The form for the code of a program, for a browser that comes back from the provider",
        querystring: DeviceReturn,
        response: { 200: Page, 302: Redirect, ...refusals(401, 403, 502, 504) },
      },
    },
    (request, reply) => {
      const { code, error } = request.query;
      const isBack = code !== undefined || error !== undefined;
      return isBack ? showForm(steps, request, reply) : sendToProvider(steps, request, reply);
    },
  );

  app.post(
    form,
    {
      config: { access: "public", body: "form", formToken: true },
      errorHandler,
      schema: {
        tags: ["login"],
        operationId: "confirmDeviceLogin",
        summary: "Confirm the login of a program, or turn it away",
        consumes: ["application/x-www-form-urlencoded"],
        querystring: DeviceReturn,
        body: DeviceFormBody,
        response: { 200: Page, ...refusals(401, 429) },
      },
    },
    (request, reply) =>
      request.body.cancel === undefined ? confirm(steps, request, reply) : cancel(steps, request, reply),
  );
}

/** The program asks for its codes (RFC 8628, sections 3.1 and 3.2). */
async function authorizeDevice(
  { services, logins, links, provider, path }: DeviceSteps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const page = `${links.pagesBase(request)}${path}/device_code`;
  const poll = `${links.base(request)}${path}/token`;
  const userAgent = request.headers["user-agent"] ?? null;
  const started = await logins.start(provider, page, userAgent, services.contextOf(request));
  return answerJson(reply, startAnswer(request, { page, poll }, started));
}

/** The person opens our address (RFC 8628, section 3.3) and is sent on to the provider. */
async function sendToProvider(
  { services, logins, links, provider, path }: DeviceSteps,
  request: Returned,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { state, user_code = null } = request.query;
  if (state === undefined) {
    throw new Failure("invalid", {
      detail: [{ type: "missing", loc: ["query", "code"], msg: "Field required" }],
    });
  }
  const { userCode, authorizationUri } = await logins.resume(
    provider,
    state,
    user_code,
    services.contextOf(request),
  );
  if (userCode !== null) rememberUserCode(request, reply, links, `${path}/device_code`, userCode);
  return reply.header("cache-control", "no-store").redirect(authorizationUri.href, 302);
}

/** The person comes back from the provider and is asked for the program's code, if the login still needs it. */
async function showForm(
  { services, logins, links, provider, path, pages }: DeviceSteps,
  request: Returned,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { state = "", error } = request.query;
  const browser = browserOf(request, links) ?? newBrowserSecret();
  const callback = new URL(`${links.base(request)}${path}/device_code${queryOf(request)}`);
  const context = services.contextOf(request);
  const returned = { state, callback, browser, denied: error === "access_denied" };
  const signedIn = await logins.signIn(provider, returned, context);
  keepBrowser(request, reply, links, browser);
  if (signedIn.confirmed) return pages.confirmed(reply, signedIn.identity);
  return pages.form(request, reply, { signedIn, browser, address: context.address, problem: null });
}

/** The person types the program's code (RFC 8628, section 3.3); a wrong one counts (section 5.1). */
async function confirm(
  { services, logins, links, provider, pages }: DeviceSteps,
  request: Typed,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { user_code: userCode } = request.body;
  const form = formOf(request, browserOf(request, links));
  const context = services.contextOf(request);
  const typed = await logins.type(provider, { ...form, userCode }, context);
  if (typed.kind === "confirmed") return pages.confirmed(reply, typed.identity);
  if (typed.kind === "refused") return pages.refused(reply, typed.reason);
  if (typed.kind === "throttled") reply.header("retry-after", String(typed.retryAfter));
  const { signedIn, kind: problem } = typed;
  const browser = form.browser ?? "";
  return pages.form(request, reply, { signedIn, browser, address: context.address, problem });
}

/** The person did not start this login (RFC 8628, section 5.4): the program is told `access_denied`. */
async function cancel(
  { services, logins, links, provider, pages }: DeviceSteps,
  request: Typed,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const form = formOf(request, browserOf(request, links));
  await logins.cancel(provider, form, services.contextOf(request));
  return pages.refused(reply, "cancelled");
}

function formOf({ query, body }: Typed, browser: string | null) {
  return { state: query.state ?? "", browser, token: body.token ?? "" };
}
