/**
 * `authorize`: hands a login token to a service by a redirect, or to the viewer that opened this page as a popup. Only allowed
 * origins get one (`../redirects.ts`), which is decided before the login. There is no code to exchange, since no client of
 * CAVE would redeem it; the token is worth little instead (`domain/cave/logins.ts`).
 */
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";
import type { BrowserCaller } from "../../../domain/model/caller.ts";
import { Failure } from "../../../errors.ts";
import { handOverPage } from "../../../pages/cave/hand-over.ts";
import { LoginBody } from "../../../schemas/pages.ts";
import { requireNavigation } from "../../access/navigation.ts";
import { sendPage } from "../../send-page.ts";
import type { TypedApp } from "../../typed-app.ts";
import { handedOrigins, type Redirect, readRedirect, withToken } from "../redirects.ts";
import type { CaveLoginDeps } from "./deps.ts";
import { logIn, showLogin } from "./login.ts";
import { caveProblems } from "./problems.ts";

type Allowed = Exclude<Redirect, { readonly kind: "refused" }>;

const PATH = "/api/v1/authorize";

export function authorizeRoutes(app: TypedApp, deps: CaveLoginDeps): void {
  const { links, gates } = deps;
  const access = { gate: gates.anyone };

  app.get(
    `/sticky_auth${PATH}`,
    {
      config: { access },
      onRequest: requireVisit,
      // Looking at the address without opening it must not issue a token.
      exposeHeadRoute: false,
      schema: { hide: true },
    },
    async (request, reply) => {
      const redirect = redirectOf(deps, request);
      if (isProgram(request)) return sendAddress(deps, reply, redirect);
      const { caller } = request;
      if (caller.kind !== "browser") return showLogin(deps, request, reply, urlOf(redirect));
      return await handOver(deps, request, reply, redirect, caller);
    },
  );

  app.post(
    `/sticky_auth${PATH}`,
    { config: { access, body: "form", formToken: true }, schema: { hide: true, body: LoginBody } },
    async (request, reply) =>
      await logIn(deps, request, reply, request.body, urlOf(redirectOf(deps, request))),
  );

  // The cookie is not sent to this prefix.
  app.get(
    `/auth${PATH}`,
    {
      config: { access: "public" },
      onRequest: requireVisit,
      errorHandler: caveProblems(deps),
      schema: { hide: true },
    },
    (request, reply) => {
      const redirect = redirectOf(deps, request);
      if (isProgram(request)) return sendAddress(deps, reply, redirect);
      return sendOn(reply, links.authorize(urlOf(redirect)?.href));
    },
  );
}

/** Only what a person opens, and a script that asks for the address to open, which gets no token. */
const requireVisit: onRequestHookHandler = function (request, reply, done) {
  if (isProgram(request)) done();
  else requireNavigation.call(this, request, reply, done);
};

function isProgram({ headers }: FastifyRequest): boolean {
  return headers["x-requested-with"] !== undefined;
}

/** Fails with `redirect_refused`. */
function redirectOf({ links, rules }: CaveLoginDeps, request: FastifyRequest): Allowed {
  const { redirect: given } = request.query as Readonly<Record<string, unknown>>;
  const redirect = readRedirect(given, links, rules.current);
  if (redirect.kind !== "refused") return redirect;
  const { origin } = URL.parse(String(given).slice(0, 200)) ?? { origin: "null" };
  const isKnown = origin === links.origin || rules.current.allowsOrigin(origin);
  throw new Failure("redirect_refused", { log: refusalOf(origin, isKnown) });
}

/** For the operator, whose service the redirect may come from. */
function refusalOf(origin: string, isKnown: boolean): string {
  if (origin === "null") return "The redirect is refused, since it is not one http or https address.";
  return isKnown
    ? `The redirect to ${origin} is refused for its form: it is too long, or has a user name, a space or a backslash.`
    : `The redirect to the origin ${origin} is refused. To let it have login tokens, add it to cave.origins.`;
}

function urlOf(redirect: Allowed): URL | null {
  return redirect.kind === "none" ? null : redirect.url;
}

/**
 * For scripts that open the login in a window of their own. They ask with cookies, which make no difference here, and can read
 * the answer only if it says so (Fetch standard, section 3.3.4).
 */
function sendAddress({ links }: CaveLoginDeps, reply: FastifyReply, redirect: Allowed): FastifyReply {
  if (reply.hasHeader("access-control-allow-origin")) {
    reply.header("access-control-allow-credentials", "true");
  }
  return reply
    .header("cache-control", "no-store")
    .header("content-type", "text/plain; charset=utf-8")
    .send(links.authorize(urlOf(redirect)?.href));
}

async function handOver(
  { site, links, services, rules, logins }: CaveLoginDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  redirect: Allowed,
  caller: BrowserCaller,
): Promise<FastifyReply> {
  if (redirect.kind === "own") return sendOn(reply, redirect.url.href);
  const context = services.contextOf(request);
  if (redirect.kind === "handed") {
    const token = await logins.issue(caller, redirect.url.origin, context);
    return sendOn(reply, withToken(redirect.url, token, links));
  }
  const origins = handedOrigins(links, rules.current.settings.origins);
  const token = await logins.issue(caller, links.origin, context);
  const page = handOverPage({
    site,
    basePath: links.stickyPath,
    tokensHref: links.tokensPage,
    person: caller.identity.id,
    message: { token, app_urls: origins },
    origins,
  });
  return sendPage(reply, page, { noStore: true, script: true });
}

function sendOn(reply: FastifyReply, url: string): FastifyReply {
  return reply.header("cache-control", "no-store").redirect(url, 302);
}
