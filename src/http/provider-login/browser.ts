/**
 * `GET /auth/provider/{provider}/authorize` and `…/code`: a browser goes to the provider and comes back (RFC 6749,
 * section 4.1). An application gets a one-time code in the redirect, never a token, unless the operator wants the
 * reference's redirect; who waits for no redirect gets a page, and a program the tokens.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { newBrowserSecret } from "../../domain/login/binding.ts";
import type { BrowserLogins } from "../../domain/login/browser-login.ts";
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import { isOurs, isOursByState } from "../../domain/login/sealed-login.ts";
import type { IdentityRef } from "../../domain/model/entities.ts";
import type { AuthenticatedIdentity } from "../../domain/ports/authenticator.ts";
import type { LoginGoal } from "../../domain/ports/logins.ts";
import { Failure } from "../../errors.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { LoginAnswer, Problem } from "../../schemas/auth.ts";
import { AuthorizeQuery, ProviderReturn } from "../../schemas/provider-login.ts";
import { browserOf, browserOfLogin, keepBrowser, keepForLogin } from "../access/login-cookie.ts";
import { requireNavigation } from "../access/navigation.ts";
import { answerJson, wantsPage } from "../answer.ts";
import type { AuthServices } from "../auth/services.ts";
import { noteLogin } from "../logging.ts";
import { queryOf } from "../query.ts";
import type { TypedApp } from "../typed-app.ts";
import { type FailurePage, failurePages, type PageContext } from "./failure-pages.ts";

/** A browser login that ends on our own pages; nothing is opened yet. */
interface BrowserLogin {
  readonly identity: IdentityRef;
  readonly authenticated: AuthenticatedIdentity;
  /** Where the login was to lead; unchecked. */
  readonly next: string | null;
}

/** Somebody who is logged in and adds an identity to their account. */
interface BrowserLink {
  readonly identity: IdentityRef;
  /** That began it. */
  readonly session: Uuid;
}

export interface BrowserRoutes extends PageContext {
  readonly services: AuthServices;
  readonly logins: BrowserLogins;
  /** Answers a browser whose login no application waits for. */
  onBrowserLogin(
    request: FastifyRequest,
    reply: FastifyReply,
    login: BrowserLogin,
  ): FastifyReply | Promise<FastifyReply>;
  /** For a browser that comes back once more (a reload, a restored tab): false where it is not logged in. */
  onAgain(request: FastifyRequest, reply: FastifyReply, goal: LoginGoal): Promise<boolean>;
  onLink(request: FastifyRequest, reply: FastifyReply, link: BrowserLink): Promise<FastifyReply>;
}

export function browserRoutes(app: TypedApp, options: BrowserRoutes, provider: IdentityProvider): void {
  const { services, logins, links } = options;
  const { redirectOnSuccess, redirectOnFailure, tokensInRedirect } = provider.authenticator;
  const path = `/api/v1/auth/provider/${provider.name}`;

  const redirectUriOf = (request: FastifyRequest) => `${links.base(request)}${path}/code`;

  /** The application that waits for a login is told that it failed; what our own pages began ends there. */
  const failed = (goal: LoginGoal | null) =>
    failurePages(options, {
      provider: provider.name,
      redirect: goal !== null && isOurs(goal) ? null : redirectOnFailure,
      ...begunAt(goal, links.rootPath),
    });

  app.get(
    `${path}/authorize`,
    {
      config: { access: "public" },
      onRequest: requireNavigation,
      exposeHeadRoute: false,
      errorHandler: (error, request, reply) => {
        const { next } = request.query;
        const goal = typeof next === "string" ? ({ kind: "page", next } as const) : null;
        const page = { provider: provider.name, redirect: null, ...begunAt(goal, links.rootPath) };
        failurePages(options, page)(error, request, reply);
      },
      schema: {
        tags: ["login"],
        summary: "Send the browser to the provider",
        querystring: AuthorizeQuery,
        response: { 403: Problem, 422: Problem, 502: Problem },
      },
    },
    async (request, reply) => {
      const known = browserOf(request, links);
      const browser = known ?? newBrowserSecret();
      const goal = goalOf(request.query, redirectOnSuccess !== null);
      const { url, state } = await logins.begin(provider, redirectUriOf(request), browser, goal);
      keepBrowser(request, reply, links, browser);
      if (known === null) keepForLogin(request, reply, links, { secret: browser, state });
      return reply.header("cache-control", "no-store").redirect(url.href, 307);
    },
  );

  app.get(
    `${path}/code`,
    {
      config: { access: "public" },
      onRequest: requireNavigation,
      // Looking at the address without opening it must not use up the provider's code.
      exposeHeadRoute: false,
      // As long as it is not known what the login was for, its state may still say whose it was.
      errorHandler: (error, request, reply) => {
        const { state } = request.query;
        const ours = typeof state === "string" && isOursByState(state);
        failed(ours ? { kind: "page", next: `${links.rootPath}/account` } : null)(error, request, reply);
      },
      schema: {
        tags: ["login"],
        summary: "Finish the login of a browser that comes back from the provider",
        querystring: ProviderReturn,
        response: { 200: LoginAnswer, 401: Problem, 403: Problem, 502: Problem, 504: Problem },
      },
    },
    async (request, reply) => {
      const redirectUri = redirectUriOf(request);
      const callback = new URL(redirectUri + queryOf(request));
      const context = services.contextOf(request);
      const { state = "" } = request.query;
      const browser = browserOfLogin(request, links, state);
      const returned = { state, callback, browser };
      const { kind, login } = await logins.claim(provider, redirectUri, returned, context);
      reply.header("cache-control", "no-store");
      try {
        if (kind === "again") {
          const isSent = await options.onAgain(request, reply, login.goal);
          return isSent ? reply : await logins.refuseAgain(provider, context);
        }
        const identity = await logins.exchange(provider, login, returned, context);
        return await finish(request, reply, login.goal, identity);
      } catch (error) {
        failed(login.goal)(error as FastifyError, request, reply);
        return reply;
      }
    },
  );

  async function finish(
    request: FastifyRequest,
    reply: FastifyReply,
    goal: LoginGoal,
    identity: AuthenticatedIdentity,
  ): Promise<FastifyReply> {
    const browser = browserOf(request, links);
    if (goal.kind === "application" && redirectOnSuccess !== null && !tokensInRedirect && browser !== null) {
      const code = await logins.issueCode(provider, browser, goal.challenge, identity);
      return reply.redirect(withQuery(redirectOnSuccess, { code, state: goal.state }), 302);
    }
    const named = { provider: provider.name, id: identity.id };
    if (goal.kind === "link") {
      return await options.onLink(request, reply, { identity: named, session: goal.session });
    }
    if (wantsPage(request) && (goal.kind === "page" || redirectOnSuccess === null)) {
      const next = goal.kind === "page" ? goal.next : null;
      return await options.onBrowserLogin(request, reply, { identity: named, authenticated: identity, next });
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
}

/** Where a login began, as far as that is known, and where our pages lead back to. */
function begunAt(goal: LoginGoal | null, rootPath: string): Pick<FailurePage, "begun" | "onward"> {
  switch (goal?.kind) {
    case "link":
      return { begun: "account", onward: `${rootPath}/account` };
    case "page": {
      // Whether it may lead there is checked where it does.
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

/** The reference's redirect. */
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
