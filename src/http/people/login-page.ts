/**
 * `/login` and `/logout`: a browser logs in with a username and a password, through the pipeline and the throttle of the
 * token route, or goes to another site; and it logs out. The session and its cookie are in `access/session-cookie.ts`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { formTokenOf, isToken, loginTokenOf } from "../../domain/browser-session.ts";
import { newBrowserSecret } from "../../domain/login/binding.ts";
import type { HandOvers } from "../../domain/login/hand-over.ts";
import type { Caller } from "../../domain/model/caller.ts";
import type { IdentityRef } from "../../domain/model/entities.ts";
import type { AuthenticatedIdentity } from "../../domain/ports/authenticator.ts";
import type { LoginGoal } from "../../domain/ports/logins.ts";
import { Failure } from "../../errors.ts";
import type { Site } from "../../pages/layout.ts";
import {
  type Choice,
  type LoginForm,
  type LoginProblem,
  loginPage,
  logoutPage,
  onwardPage,
} from "../../pages/login-page.ts";
import { LoginBody, LoginQuery, TokenBody } from "../../schemas/pages.ts";
import { dropKey, hasKeyCookie } from "../access/key-cookie.ts";
import { browserOf, keepBrowser } from "../access/login-cookie.ts";
import { readNext } from "../access/next.ts";
import { requireSameOrigin } from "../access/same-origin.ts";
import { checkForm, dropSession, keepSession, sessionSecretOf } from "../access/session-cookie.ts";
import type { PasswordProvider } from "../auth/providers.ts";
import type { AuthServices } from "../auth/services.ts";
import type { Links } from "../links.ts";
import { noteLogin } from "../logging.ts";
import { sendPage } from "../send-page.ts";
import type { TypedApp } from "../typed-app.ts";
import { loginProblem, typedName } from "./login-form.ts";
import { seeOther } from "./problem-pages.ts";

export interface LoginPageDeps {
  readonly site: Site;
  readonly links: Links;
  readonly services: AuthServices;
  /** All, in the order of the configuration. */
  readonly providers: readonly string[];
  readonly passwords: readonly PasswordProvider[];
  /** Hosts beside our own that a login may lead to. */
  readonly nextHosts: readonly string[];
  /** Null: logins are made where data are read. */
  readonly handOvers: HandOvers | null;
}

/** What a login page is about: where it leads, and which provider was chosen. */
interface Wish {
  readonly next: string | null;
  readonly provider: string | null;
  /** Who has to log in once more. */
  readonly again: IdentityRef | null;
}

export class LoginPages {
  readonly #deps: LoginPageDeps;

  constructor(deps: LoginPageDeps) {
    this.#deps = deps;
  }

  /** Logs the browser in as somebody whom an authenticator vouches for, and sends it on. */
  async welcome(
    request: FastifyRequest,
    reply: FastifyReply,
    login: {
      readonly identity: IdentityRef;
      readonly authenticated: AuthenticatedIdentity;
      readonly next: string | null;
    },
  ): Promise<FastifyReply> {
    const { services, links } = this.#deps;
    const { browserSessions } = services;
    const previous = sessionSecretOf(request, links);
    const context = services.contextOf(request);
    const { secret, opened } = await browserSessions.begin(
      login.identity,
      login.authenticated,
      previous,
      context,
    );
    noteLogin(request, { identity: login.identity, principal: opened.principal.uuid });
    keepSession(request, reply, links, secret, browserSessions.maxAge);
    if (hasKeyCookie(request, links)) dropKey(request, reply, links);
    return seeOther(reply, this.next(request, login.next)?.href ?? `${links.base(request)}/account`);
  }

  /** To where a login at a provider was to lead, for a browser that comes back with it once more: false where it is not logged in. */
  async goOn(request: FastifyRequest, reply: FastifyReply, goal: LoginGoal): Promise<boolean> {
    const { links } = this.#deps;
    if (goal.kind === "application" || !(await this.#isLoggedIn(request))) return false;
    const next = goal.kind === "page" ? this.next(request, goal.next) : null;
    seeOther(reply, next?.href ?? `${links.base(request)}/account`);
    return true;
  }

  async #isLoggedIn(request: FastifyRequest): Promise<boolean> {
    const { services, links } = this.#deps;
    const secret = sessionSecretOf(request, links);
    if (secret === null) return false;
    try {
      await services.browserSessions.identify(secret);
      return true;
    } catch (error) {
      if (error instanceof Failure && error.status < 500) return false;
      throw error;
    }
  }

  next(request: FastifyRequest, text: string | null | undefined): URL | null {
    return readNext(text, { base: this.#deps.links.base(request), hosts: this.#deps.nextHosts });
  }

  /** A form that asks for a name and a password; it needs the browser's cookie to be sent back. */
  show(
    request: FastifyRequest,
    reply: FastifyReply,
    wish: Wish,
    trouble: { readonly username: string; readonly problem: LoginProblem; readonly status: number } | null,
  ): FastifyReply {
    const { site, links } = this.#deps;
    const browser = browserOf(request, links) ?? newBrowserSecret();
    keepBrowser(request, reply, links, browser);
    const chosen = this.#chosen(wish);
    const next = this.next(request, wish.next);
    const foreign = this.#foreign(request, next);
    const form: LoginForm | null =
      chosen === undefined
        ? null
        : {
            action: `${links.rootPath}/login`,
            token: loginTokenOf(browser),
            provider: chosen.name,
            next: next === null ? null : wish.next,
            username: trouble?.username ?? (wish.again?.provider === chosen.name ? wish.again.id : ""),
            problem: trouble?.problem ?? null,
            requestId: request.id,
          };
    const page = loginPage({
      site,
      basePath: links.rootPath,
      form,
      choices: this.#choices(chosen?.name, { ...wish, next: next === null ? null : wish.next }),
      destination: foreign[0]?.host ?? null,
      again: wish.again?.id ?? null,
    });
    return sendPage(reply, page, {
      status: trouble?.status ?? 200,
      noStore: true,
      formAction: foreign.map(({ origin }) => origin),
    });
  }

  /** To where else a login leads, one after the other: browsers hold a form to its policy on all of the way. */
  #foreign(request: FastifyRequest, next: URL | null): URL[] {
    const { links, handOvers } = this.#deps;
    if (next === null) return [];
    if (next.origin !== new URL(links.base(request)).origin) return [next];
    const ticket = handOvers?.readTicket(next.searchParams.get("to") ?? "") ?? null;
    if (ticket === null) return [];
    const end = new URL(ticket.next);
    return end.origin === ticket.origin ? [end] : [new URL(ticket.origin), end];
  }

  /** The provider whose form is shown: the one that was asked for, or the only one that has a form. */
  #chosen({ provider, again }: Wish): PasswordProvider | undefined {
    const { passwords } = this.#deps;
    const [only, ...others] = passwords;
    const fallback = others.length === 0 && again === null ? only : undefined;
    return passwords.find(({ name }) => name === provider) ?? fallback;
  }

  /** All other ways; the one that somebody logged in with comes first. */
  #choices(chosen: string | undefined, { next, again }: Wish): Choice[] {
    const { links, providers, passwords } = this.#deps;
    return providers
      .filter((name) => name !== chosen)
      .toSorted((a, b) => Number(b === again?.provider) - Number(a === again?.provider))
      .map((name) => {
        if (passwords.some((provider) => provider.name === name)) {
          const query = new URLSearchParams({ provider: name, ...(next !== null && { next }) });
          if (again !== null) query.set("again", "1");
          return { name, href: `${links.rootPath}/login?${query}` };
        }
        const query = new URLSearchParams({ next: next ?? `${links.rootPath}/account` });
        return { name, href: `${links.rootPath}/api/v1/auth/provider/${name}/authorize?${query}` };
      });
  }
}

export function loginRoutes(app: TypedApp, deps: LoginPageDeps, pages: LoginPages): void {
  const { site, links, services, passwords } = deps;

  app.get(
    "/login",
    { config: { access: "page" }, schema: { hide: true, querystring: LoginQuery } },
    (request, reply) => {
      const { next = null, provider = null, again } = request.query;
      const person = personOf(request.caller);
      if (person === null || again !== undefined) {
        return pages.show(
          request,
          reply,
          { next, provider: provider ?? person?.provider ?? null, again: person },
          null,
        );
      }
      const target = pages.next(request, next);
      const base = links.base(request);
      // Another host may not know this login: it would send the browser back, again and again.
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
        pages.show(request, reply, wish, { username, problem, status });
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
        return await pages.welcome(request, reply, { ...person, next });
      } catch (error) {
        const problem = loginProblem(error);
        if (problem === null) throw error;
        reply.headers((error as Failure).headers);
        request.failure = error as Failure;
        return refuse((error as Failure).status, problem);
      }
    },
  );

  app.get("/logout", { config: { access: "page" }, schema: { hide: true } }, (request, reply) => {
    const secret = sessionSecretOf(request, links);
    const person = personOf(request.caller);
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

/** The browser's session ends, if it has one. One that has ended already is no reason to keep the cookie. */
export async function endLogin(
  { services, links }: Pick<LoginPageDeps, "services" | "links">,
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

function personOf(caller: Caller): IdentityRef | null {
  return caller.kind === "browser" ? caller.identity : null;
}
