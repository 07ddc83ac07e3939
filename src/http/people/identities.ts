/**
 * Adds an identity to an account, or removes one, with a browser. Both need a login of the last five minutes; adding also needs
 * one at the new identity's provider, which opens no session. `auth/identities.ts` has the same for programs.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { formTokenOf } from "../../domain/browser-session.ts";
import type { Linker, LinkOptions } from "../../domain/linking.ts";
import { newBrowserSecret } from "../../domain/login/binding.ts";
import { BROWSER_LOGIN_MAX_AGE } from "../../domain/login/browser-login.ts";
import type { IdentityProvider } from "../../domain/login/provider-return.ts";
import type { BrowserCaller } from "../../domain/model/caller.ts";
import type { IdentityRef } from "../../domain/model/entities.ts";
import { Failure } from "../../errors.ts";
import type { Notice } from "../../pages/account.ts";
import { leavingPage, linkPage } from "../../pages/linking.ts";
import type { LoginProblem } from "../../pages/login-page.ts";
import { IdentityBody, LoginBody } from "../../schemas/pages.ts";
import { personOf } from "../access/callers.ts";
import { browserOf, keepBrowser } from "../access/login-cookie.ts";
import { sessionSecretOf } from "../access/session-cookie.ts";
import type { PasswordProvider } from "../auth/providers.ts";
import { logFailure } from "../errors.ts";
import { sendPage } from "../send-page.ts";
import type { TypedApp } from "../typed-app.ts";
import type { AccountDeps } from "./account-deps.ts";
import { done } from "./account-view.ts";
import { askAgain } from "./fresh-login.ts";
import { loginProblem, typedName } from "./login-form.ts";
import { type ProblemPages, toLogin } from "./problem-pages.ts";

export interface LinkingPagesDeps extends AccountDeps {
  readonly passwords: readonly PasswordProvider[];
  readonly identityProviders: readonly IdentityProvider[];
  readonly problems: ProblemPages;
}

const ADD = "/account/identities/add";
const FORM = { access: "person", body: "form", formToken: true } as const;

export function linkingPages(app: TypedApp, deps: LinkingPagesDeps): void {
  const { services, links, passwords, identityProviders } = deps;

  app.get(`${ADD}/:provider`, { config: { access: "person" }, schema: { hide: true } }, (request, reply) =>
    show(deps, request, reply, null),
  );

  app.post(
    `${ADD}/:provider`,
    { config: FORM, schema: { hide: true, body: LoginBody } },
    async (request, reply) => {
      const caller = personOf(request);
      if (!services.linking.isFresh(caller)) return again(deps, request, reply);
      const name = providerIn(request);
      const context = services.contextOf(request);
      const identityProvider = identityProviders.find((provider) => provider.name === name);
      if (identityProvider !== undefined) return await leave(deps, request, reply, identityProvider, caller);
      const password = passwords.find((provider) => provider.name === name);
      if (password === undefined) throw new Failure("not_found");
      const { password: given = "" } = request.body;
      const username = typedName(request.body);
      if (username === "" || given === "") {
        return show(deps, request, reply, { username, problem: { kind: "empty" }, status: 422 });
      }
      try {
        const credentials = { username, password: given };
        const { identity, authenticated } = await services.login.identify(
          password.name,
          password.authenticator,
          credentials,
          context,
        );
        const { profile } = authenticated;
        return await link(deps, request, reply, { ...linkerOf(caller), identity }, { profile });
      } catch (error) {
        const problem = loginProblem(error);
        if (problem === null) throw error;
        reply.headers((error as Failure).headers);
        request.failure = error as Failure;
        return show(deps, request, reply, { username, problem, status: (error as Failure).status });
      }
    },
  );

  app.post(
    "/account/identities/remove",
    { config: FORM, schema: { hide: true, body: IdentityBody } },
    async (request, reply) => {
      const caller = personOf(request);
      const { provider = "", id = "" } = request.body;
      const asked = askAgain(deps, request, reply, "identities/remove");
      if (asked !== undefined) return asked;
      try {
        await services.linking.unlink(linkerOf(caller), { provider, id }, services.contextOf(request));
      } catch (error) {
        const notice = error instanceof Failure ? UNLINK_NOTICES[error.code] : undefined;
        if (notice !== undefined) return done(deps, request, reply, notice);
        // The database decides, a moment after the first check.
        if (!isTooOld(error)) throw error;
        return toLogin(request, reply, links, { next: `${links.rootPath}/account`, again: true });
      }
      return done(deps, request, reply, "identity-removed");
    },
  );
}

const UNLINK_NOTICES: Readonly<Partial<Record<string, Notice>>> = {
  not_found: "identity-gone",
  last_identity: "identity-last",
};

/** The browser comes back from the provider with an identity for the account that began this in the same browser. */
export async function finishLink(
  deps: LinkingPagesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  {
    identity,
    profile,
    session,
  }: {
    readonly identity: IdentityRef;
    readonly profile: LinkOptions["profile"];
    readonly session: Linker["session"];
  },
): Promise<FastifyReply> {
  try {
    const secret = sessionSecretOf(request, deps.links);
    if (secret === null) throw elsewhere();
    const caller = await deps.services.browserSessions.identify(secret);
    if (caller.session !== session) throw elsewhere();
    request.caller = caller;
    const wish = { ...linkerOf(caller), identity };
    return await link(deps, request, reply, wish, { underway: BROWSER_LOGIN_MAX_AGE, profile });
  } catch (error) {
    // Not shown as a failed login, which may lead to an application.
    if (!(error instanceof Failure)) throw error;
    logFailure(error, request);
    return deps.problems.send(error, request, reply);
  }
}

function elsewhere(): Failure {
  return new Failure("login_elsewhere", {
    log: "The login that began to add an identity has ended in this browser.",
  });
}

async function link(
  deps: LinkingPagesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  wish: Linker & { readonly identity: IdentityRef },
  options: LinkOptions = {},
): Promise<FastifyReply> {
  const { services } = deps;
  try {
    const outcome = await services.linking.link(wish, wish.identity, services.contextOf(request), options);
    return done(deps, request, reply, outcome === "linked" ? "identity-added" : "identity-known");
  } catch (error) {
    if (isTooOld(error)) return again(deps, request, reply);
    if (error instanceof Failure && error.code === "limit_reached") {
      return done(deps, request, reply, "too-many-identities");
    }
    throw error;
  }
}

/** The provider in the path, undefined on routes without one. */
function providerIn({ params }: FastifyRequest): string | undefined {
  return (params as { readonly provider?: string }).provider;
}

function isTooOld(error: unknown): boolean {
  return error instanceof Failure && error.code === "login_too_old";
}

function linkerOf({ principal, session }: BrowserCaller): Linker {
  return { principal: principal.uuid, session };
}

/** Asks for the login again, which leads back here. */
function again({ links }: LinkingPagesDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const provider = providerIn(request);
  const next = provider === undefined ? "/account" : `${ADD}/${encodeURIComponent(provider)}`;
  return toLogin(request, reply, links, { next: links.rootPath + next, again: true });
}

function show(
  deps: LinkingPagesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  trouble: { readonly username: string; readonly problem: LoginProblem; readonly status: number } | null,
): FastifyReply {
  const { site, links, services, passwords, identityProviders } = deps;
  const caller = personOf(request);
  const provider = providerIn(request) ?? "";
  const named = (one: { readonly name: string }) => one.name === provider;
  if (!identityProviders.some(named) && !passwords.some(named)) throw new Failure("not_found");
  if (!services.linking.isFresh(caller)) return again(deps, request, reply);
  const token = formTokenOf(sessionSecretOf(request, links) ?? "");
  const action = `${links.rootPath}${ADD}/${encodeURIComponent(provider)}`;
  const page = linkPage({
    site,
    basePath: links.rootPath,
    name: caller.identity.id,
    ownProvider: caller.identity.provider,
    provider,
    action,
    token,
    form: identityProviders.some(named)
      ? null
      : {
          action,
          token,
          provider,
          next: null,
          username: trouble?.username ?? "",
          problem: trouble?.problem ?? null,
          requestId: request.id,
        },
  });
  return sendPage(reply, page, { status: trouble?.status ?? 200, noStore: true });
}

async function leave(
  { site, links, services }: LinkingPagesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  provider: IdentityProvider,
  { session }: BrowserCaller,
): Promise<FastifyReply> {
  const browser = browserOf(request, links) ?? newBrowserSecret();
  const redirectUri = `${links.base(request)}/api/v1/auth/provider/${provider.name}/code`;
  const goal = { kind: "link", session } as const;
  const { url } = await services.browserLogins.begin(provider, redirectUri, browser, goal);
  keepBrowser(request, reply, links, browser);
  const page = leavingPage({ site, basePath: links.rootPath, provider: provider.name, href: url.href });
  return sendPage(reply, page, { noStore: true });
}
