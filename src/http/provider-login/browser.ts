/**
 * `GET /auth/provider/{provider}/authorize` and `…/code`: a browser goes to the provider and comes back (RFC 6749,
 * section 4.1). An application gets a one-time code in the redirect, and tokens only if the operator wants Tiled's redirect.
 * Without a redirect, a browser gets a page and a program the tokens.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { newBrowserSecret } from "../../domain/login/binding.ts";
import type { BrowserLogins } from "../../domain/login/browser-login.ts";
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import { isOurs, isOursByState } from "../../domain/login/sealed-login.ts";
import type { IdentityRef } from "../../domain/model/entities.ts";
import type { AuthenticatedIdentity, Profile } from "../../domain/ports/authenticator.ts";
import type { LoginGoal } from "../../domain/ports/logins.ts";
import { Failure } from "../../errors.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { refusals } from "../../schemas/errors.ts";
import { AuthorizeQuery, LoginOrPage, ProviderReturn, Redirect } from "../../schemas/provider-login.ts";
import { browserOf, browserOfLogin, keepBrowser, keepForLogin } from "../access/login-cookie.ts";
import { requireNavigation } from "../access/navigation.ts";
import { answerJson, wantsPage } from "../answer.ts";
import type { AuthServices } from "../auth/services.ts";
import { noteLogin } from "../logging.ts";
import { queryOf } from "../query.ts";
import type { TypedApp } from "../typed-app.ts";
import { type FailurePage, failurePages, type PageContext } from "./failure-pages.ts";

/** A browser login that ends on our own pages; its session is not open yet. */
export interface BrowserLogin {
  readonly identity: IdentityRef;
  readonly authenticated: AuthenticatedIdentity;
  /** Where the login was to lead; unchecked. */
  readonly next: string | null;
}

/** A person who is logged in adds an identity to their account. */
interface BrowserLink {
  readonly identity: IdentityRef;
  readonly profile: Profile | undefined;
  /** The session that began it. */
  readonly session: Uuid;
}

/** Logins whose `next` leads to pages with a login of their own (`http/cave/browser`). */
export interface OtherLogins {
  /** Where the browser goes on, whether the login succeeded or failed; null for any other `next`. */
  onward(next: string): string | null;
  finish(request: FastifyRequest, reply: FastifyReply, login: BrowserLogin): Promise<FastifyReply>;
}

export interface BrowserRoutes extends PageContext {
  readonly services: AuthServices;
  readonly logins: BrowserLogins;
  readonly others: OtherLogins | null;
  /** Answers a browser whose login was not begun by an application. */
  onBrowserLogin(
    request: FastifyRequest,
    reply: FastifyReply,
    login: BrowserLogin,
  ): FastifyReply | Promise<FastifyReply>;
  /** For a browser that comes back once more (a reload, a restored tab); false if it is not logged in. */
  onAgain(request: FastifyRequest, reply: FastifyReply, goal: LoginGoal): Promise<boolean>;
  onLink(request: FastifyRequest, reply: FastifyReply, link: BrowserLink): Promise<FastifyReply>;
}

/** What the steps of a login at one provider work with. */
interface BrowserSteps extends BrowserRoutes {
  readonly provider: IdentityProvider;
  /** Of the provider's routes. */
  readonly path: string;
}

type Started = FastifyRequest<{ Querystring: Static<typeof AuthorizeQuery> }>;
type Returned = FastifyRequest<{ Querystring: Static<typeof ProviderReturn> }>;

export function browserRoutes(app: TypedApp, options: BrowserRoutes, provider: IdentityProvider): void {
  const path = `/api/v1/auth/provider/${provider.name}`;
  const steps: BrowserSteps = { ...options, provider, path };

  app.get(
    `${path}/authorize`,
    {
      config: { access: "public" },
      onRequest: requireNavigation,
      exposeHeadRoute: false,
      errorHandler: (error, request, reply) => {
        const { next } = request.query;
        const goal = typeof next === "string" ? ({ kind: "page", next } as const) : null;
        failurePages(options, failurePageOf(steps, goal, null))(error, request, reply);
      },
      schema: {
        tags: ["login"],
        operationId: "beginBrowserLogin",
        summary: "Send the browser to the provider",
        querystring: AuthorizeQuery,
        response: { 307: Redirect, ...refusals(403, 422, 502) },
      },
    },
    async (request, reply) => await sendToProvider(steps, request, reply),
  );

  app.get(
    `${path}/code`,
    {
      config: { access: "public" },
      onRequest: requireNavigation,
      // Looking at the address without opening it must not use up the provider's code.
      exposeHeadRoute: false,
      // Before the goal of the login is known, its state may tell that our pages began it.
      errorHandler: (error, request, reply) => {
        const { state } = request.query;
        const ours = typeof state === "string" && isOursByState(state);
        const goal = ours ? ({ kind: "page", next: `${options.links.rootPath}/account` } as const) : null;
        answerFailure(steps, goal, error, request, reply);
      },
      schema: {
        tags: ["login"],
        operationId: "finishBrowserLogin",
        summary: "Finish the login of a browser that comes back from the provider",
        querystring: ProviderReturn,
        response: { 200: LoginOrPage, 302: Redirect, 303: Redirect, ...refusals(401, 403, 502, 504) },
      },
    },
    async (request, reply) => await comeBack(steps, request, reply),
  );
}

/** The authorization request (RFC 6749, section 4.1.1), bound to this browser. */
async function sendToProvider(
  { logins, links, provider, path }: BrowserSteps,
  request: Started,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const known = browserOf(request, links);
  const browser = known ?? newBrowserSecret();
  const goal = goalOf(request.query, provider.authenticator.redirectOnSuccess !== null);
  const redirectUri = `${links.base(request)}${path}/code`;
  const { url, state } = await logins.begin(provider, redirectUri, browser, goal);
  keepBrowser(request, reply, links, browser);
  if (known === null) keepForLogin(request, reply, links, { secret: browser, state });
  return reply.header("cache-control", "no-store").redirect(url.href, 307);
}

/** The provider's answer (RFC 6749, section 4.1.2): the login is claimed once, and its code exchanged. */
async function comeBack(steps: BrowserSteps, request: Returned, reply: FastifyReply): Promise<FastifyReply> {
  const { services, logins, links, provider, path } = steps;
  const redirectUri = `${links.base(request)}${path}/code`;
  const callback = new URL(redirectUri + queryOf(request));
  const context = services.contextOf(request);
  const { state = "" } = request.query;
  const returned = { state, callback, browser: browserOfLogin(request, links, state) };
  const { kind, login } = await logins.claim(provider, redirectUri, returned, context);
  reply.header("cache-control", "no-store");
  try {
    if (kind === "again") {
      const elsewhere = login.goal.kind === "page" ? steps.others?.onward(login.goal.next ?? "") : null;
      // That page finds out itself whether the browser is logged in.
      if (elsewhere != null) return reply.redirect(elsewhere, 303);
      const isSent = await steps.onAgain(request, reply, login.goal);
      return isSent ? reply : await logins.refuseAgain(provider, context);
    }
    const identity = await logins.exchange(provider, login, returned, context);
    return await finish(steps, request, reply, login.goal, identity);
  } catch (error) {
    answerFailure(steps, login.goal, error as FastifyError, request, reply);
    return reply;
  }
}

/** Leads to what the login was for: an application, an account's new identity, our pages, or tokens for a program. */
async function finish(
  { services, logins, others, links, provider, onLink, onBrowserLogin }: BrowserSteps,
  request: FastifyRequest,
  reply: FastifyReply,
  goal: LoginGoal,
  identity: AuthenticatedIdentity,
): Promise<FastifyReply> {
  const { redirectOnSuccess, tokensInRedirect } = provider.authenticator;
  const browser = browserOf(request, links);
  if (goal.kind === "application" && redirectOnSuccess !== null && !tokensInRedirect && browser !== null) {
    const code = await logins.issueCode(provider, browser, goal.challenge, identity);
    return reply.redirect(withQuery(redirectOnSuccess, { code, state: goal.state }), 302);
  }
  const named = { provider: provider.name, id: identity.id };
  if (goal.kind === "link") {
    const { profile } = identity;
    return await onLink(request, reply, { identity: named, profile, session: goal.session });
  }
  if (wantsPage(request) && (goal.kind === "page" || redirectOnSuccess === null)) {
    const next = goal.kind === "page" ? goal.next : null;
    const login = { identity: named, authenticated: identity, next };
    if (next !== null && others !== null && others.onward(next) !== null)
      return await others.finish(request, reply, login);
    return await onBrowserLogin(request, reply, login);
  }
  const answer = await services.login.answer(
    await services.login.open(named, identity, services.contextOf(request)),
  );
  noteLogin(request, answer);
  if (goal.kind === "application" && redirectOnSuccess !== null) {
    return reply.redirect(withQuery(redirectOnSuccess, inQuery(answer, goal.state)), 302);
  }
  return answerJson(reply, answer);
}

/** An application learns that its login failed; a login that our own pages began ends on them. */
function answerFailure(
  steps: BrowserSteps,
  goal: LoginGoal | null,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { redirectOnFailure } = steps.provider.authenticator;
  const redirect = goal !== null && isOurs(goal) ? null : redirectOnFailure;
  failurePages(steps, failurePageOf(steps, goal, redirect))(error, request, reply);
}

function failurePageOf(
  { provider, links, others }: BrowserSteps,
  goal: LoginGoal | null,
  redirect: string | null,
): FailurePage {
  return { provider: provider.name, redirect, ...begunAt(goal, links.rootPath, others) };
}

/** Where a login began, if that is known, and where our pages lead back to. */
function begunAt(
  goal: LoginGoal | null,
  rootPath: string,
  others: OtherLogins | null,
): Pick<FailurePage, "begun" | "onward"> {
  switch (goal?.kind) {
    case "link":
      return { begun: "account", onward: `${rootPath}/account` };
    case "page": {
      const onward = others?.onward(goal.next ?? "") ?? null;
      if (onward !== null) return { begun: "page", onward };
      // The login page checks where it may lead.
      const query = goal.next === null ? "" : `?${new URLSearchParams({ next: goal.next })}`;
      return { begun: "page", onward: `${rootPath}/login${query}` };
    }
    default:
      return { begun: "browser", onward: null };
  }
}

function goalOf(query: Static<typeof AuthorizeQuery>, redirects: boolean): LoginGoal {
  const { next, state = null, code_challenge: challenge = null, code_challenge_method: method } = query;
  if (next !== undefined) return { kind: "page", next };
  if ((challenge === null) !== (method === undefined)) {
    const missing = challenge === null ? "code_challenge" : "code_challenge_method";
    throw new Failure("invalid", {
      detail: [{ type: "missing", loc: ["query", missing], msg: "PKCE needs both; the only method is S256" }],
    });
  }
  return redirects ? { kind: "application", state, challenge } : { kind: "page", next: null };
}

/** The query of Tiled's redirect. */
function inQuery(
  answer: Awaited<ReturnType<AuthServices["login"]["answer"]>>,
  state: string | null,
): Record<string, string | null> {
  return {
    access_token: answer.access_token,
    refresh_token: answer.refresh_token,
    "identity.id": answer.identity.id,
    "identity.provider": answer.identity.provider,
    principal: answer.principal,
    state,
  };
}

function withQuery(target: string, parameters: Readonly<Record<string, string | null>>): string {
  const url = new URL(target);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null) url.searchParams.set(name, value);
  }
  return url.href;
}
