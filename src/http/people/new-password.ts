/**
 * Links that set a password: `/login/invitation/…` and `/login/reset/…` put the secret into a cookie and lead to
 * `/login/new-password`, which uses it. `cli/admin` makes the links, `domain/login/account-links.ts` has the rules.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { isToken, linkTokenOf } from "../../domain/browser-session.ts";
import { type AccountLinks, readLinkSecret } from "../../domain/login/account-links.ts";
import { newBrowserSecret } from "../../domain/login/binding.ts";
import type { LinkedAccount, NewPasswords } from "../../domain/ports/local-accounts.ts";
import { addressBlock } from "../../domain/throttling/throttle.ts";
import { linkOverPage, newPasswordPage } from "../../pages/new-password.ts";
import { LinkParams, NewPasswordBody } from "../../schemas/pages.ts";
import { dropLink, keepLink, linkOf } from "../access/link-cookie.ts";
import { browserOf, keepBrowser } from "../access/login-cookie.ts";
import { requireSameOrigin } from "../access/same-origin.ts";
import { sendPage } from "../send-page.ts";
import type { TypedApp } from "../typed-app.ts";
import type { LoginDeps } from "./login-deps.ts";
import { seeOther } from "./problem-pages.ts";
import { welcome } from "./welcome.ts";

const PATH = "/login/new-password";

export interface OwnAccountsDeps {
  readonly accountLinks: AccountLinks;
  /** By the provider's name; empty without a provider whose accounts this server keeps. */
  readonly newPasswords: ReadonlyMap<string, NewPasswords>;
}

type Deps = LoginDeps & { readonly own: OwnAccountsDeps };

interface LiveLink {
  readonly secret: string;
  readonly account: LinkedAccount;
  readonly passwords: NewPasswords;
}

export function newPasswordRoutes(app: TypedApp, deps: Deps): void {
  const { links, services, own } = deps;
  if (own.newPasswords.size === 0) return;

  for (const path of ["/login/invitation/:link", "/login/reset/:link"]) {
    app.get(
      path,
      { config: { access: "page" }, schema: { hide: true, params: LinkParams } },
      (request, reply) => {
        const secret = readLinkSecret(request.params.link);
        if (secret === null) dropLink(request, reply, links);
        else keepLink(request, reply, links, secret);
        reply.header("referrer-policy", "no-referrer");
        return seeOther(reply, links.base(request) + PATH);
      },
    );
  }

  app.get(PATH, { config: { access: "page" }, schema: { hide: true } }, async (request, reply) => {
    const link = await liveLink(own, linkOf(request, links));
    return link === undefined ? over(deps, request, reply) : show(deps, request, reply, link, null);
  });

  app.post(
    PATH,
    {
      config: { access: "page", body: "form", formToken: true },
      schema: { hide: true, body: NewPasswordBody },
    },
    async (request, reply) => {
      requireSameOrigin(request, links);
      const { token, new_password: password = "", new_password_again: again = "" } = request.body;
      const link = await liveLink(own, linkOf(request, links));
      if (link === undefined) return over(deps, request, reply);
      const refuse = (status: number, problem: string) =>
        show(deps, request, reply, link, { status, problem });
      const browser = browserOf(request, links);
      if (browser === null || !isToken(token, linkTokenOf(browser, link.secret)))
        return refuse(403, "This page was open for too long, or belongs to another link. Please try again.");
      if (password !== again) return refuse(422, "The two passwords differ.");
      const context = services.contextOf(request);
      const { account, passwords } = link;
      const names = [account.name, account.email ?? "", new URL(links.base(request)).hostname];
      const made = await passwords.hash(password, names, addressBlock(context.address));
      if ("broken" in made) return refuse(422, made.broken);
      const revokeKeys = request.body.revoke_keys !== undefined;
      const person = await own.accountLinks.use(link.secret, { hash: made.hash, revokeKeys }, context);
      if (person === undefined) return over(deps, request, reply);
      dropLink(request, reply, links);
      return await welcome(deps, request, reply, { ...person, next: null });
    },
  );
}

/** Undefined as well for a provider that the configuration no longer has. */
async function liveLink(own: OwnAccountsDeps, secret: string | null): Promise<LiveLink | undefined> {
  if (secret === null) return undefined;
  const account = await own.accountLinks.find(secret);
  const passwords = own.newPasswords.get(account?.provider ?? "");
  return account === undefined || passwords === undefined ? undefined : { secret, account, passwords };
}

function over({ site, links }: Deps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  dropLink(request, reply, links);
  const page = linkOverPage({ site, basePath: links.rootPath });
  return sendPage(reply, page, { status: 410, noStore: true });
}

function show(
  { site, links }: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { secret, account }: LiveLink,
  trouble: { readonly status: number; readonly problem: string } | null,
): FastifyReply {
  const browser = browserOf(request, links) ?? newBrowserSecret();
  keepBrowser(request, reply, links, browser);
  const page = newPasswordPage({
    site,
    basePath: links.rootPath,
    action: links.rootPath + PATH,
    token: linkTokenOf(browser, secret),
    account,
    problem: trouble?.problem ?? null,
  });
  return sendPage(reply, page, { status: trouble?.status ?? 200, noStore: true });
}
