/** The login page: whose form it shows, which other ways to log in it offers, and where the login may lead. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { loginTokenOf } from "../../domain/browser-session.ts";
import { newBrowserSecret } from "../../domain/login/binding.ts";
import type { IdentityRef } from "../../domain/model/entities.ts";
import { type Choice, type LoginForm, type LoginProblem, loginPage } from "../../pages/login-page.ts";
import { browserOf, keepBrowser } from "../access/login-cookie.ts";
import type { PasswordProvider } from "../auth/providers.ts";
import { sendPage } from "../send-page.ts";
import { type LoginDeps, nextOf } from "./login-deps.ts";

/** What a login page is about: where it leads, and which provider was chosen. */
export interface Wish {
  readonly next: string | null;
  readonly provider: string | null;
  /** The identity that has to log in once more. */
  readonly again: IdentityRef | null;
}

export class LoginView {
  readonly #deps: LoginDeps;

  constructor(deps: LoginDeps) {
    this.#deps = deps;
  }

  /** The form is bound to the browser by its cookie. */
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
    const next = nextOf(this.#deps, request, wish.next);
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

  /** The other origins that a login leads through: browsers hold a form to its policy on every redirect. */
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

  /** All other providers, the one of the current login first. */
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
