/**
 * If the pages for people have a host of their own, a login there also counts for reading at the data hosts. A data host binds
 * the hand-over to its browser (`tiled_browser`), so that no link can plant another person's login (RFC 9700, section 4.7.1).
 * `domain/login/hand-over.ts` signs what is handed over.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { tokenOf } from "../../domain/browser-session.ts";
import { browserDigest, newBrowserSecret } from "../../domain/login/binding.ts";
import type { HandOvers } from "../../domain/login/hand-over.ts";
import { Failure } from "../../errors.ts";
import { dropKey, hasKeyCookie } from "../access/key-cookie.ts";
import { browserOf, browserOfLogin, keepBrowser, keepForLogin } from "../access/login-cookie.ts";
import { requireNavigation } from "../access/navigation.ts";
import { readNext } from "../access/next.ts";
import { keepSession, sessionSecretOf } from "../access/session-cookie.ts";
import type { AccountHost } from "../account-host.ts";
import type { AuthServices } from "../auth/services.ts";
import { isHost, nameOf } from "../host-names.ts";
import type { Links } from "../links.ts";
import type { Proxies } from "../proxies.ts";
import type { TypedApp } from "../typed-app.ts";
import { seeOther } from "./problem-pages.ts";
import { separateAccounts } from "./separate-hosts.ts";

export interface HandOverDeps {
  readonly handOvers: HandOvers;
  readonly links: Links;
  readonly proxies: Proxies;
  /** Other hosts that ask `verify` here. Those that pass `/login` on get the login, too. */
  readonly verifyHosts: readonly string[];
  readonly publicUrl: string | null;
}

const LEAVE = "/login/leave";
const ARRIVE = "/login/arrive";
/** Characters: it is carried in a signed ticket, which is part of `next` itself. */
const LONGEST_NEXT = 1000;

const LeaveQuery = Type.Object({ to: Type.Optional(Type.String({ maxLength: 4096 })) });
const ArriveQuery = Type.Object({ code: Type.Optional(Type.String({ maxLength: 4096 })) });

/** Separates the account host from the data hosts. */
export function separateHosts(app: TypedApp, account: AccountHost, deps: HandOverDeps): void {
  const lead = (request: FastifyRequest, reply: FastifyReply) => leadToAccounts(deps, request, reply);
  separateAccounts(app, { account, rootPath: deps.links.rootPath, start: `${deps.publicUrl ?? ""}/`, lead });
}

/** Sends a browser at a data host to the same address of the account host, with a ticket that leads back. */
function leadToAccounts(
  { handOvers, links, proxies, verifyHosts }: HandOverDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const url = new URL(request.url, "http://none.invalid");
  const { searchParams } = url;
  const isLogin = url.pathname === "/login";
  // An application's login at a provider leads back to the application.
  if (isLogin || searchParams.has("next")) {
    const given = searchParams.get("next");
    if (given?.startsWith(`${links.rootPath}${LEAVE}?`)) {
      throw new Failure("bad_request", {
        detail:
          "The browser is at the host of server.account_url, and the proxy does not say so. It has to pass Host on, or X-Forwarded-Host and be among server.trusted_proxies.",
      });
    }
    const origin = dataOrigin(request, { links, proxies, verifyHosts });
    const base = origin + links.rootPath;
    const next = readNext(given, { base, hosts: verifyHosts });
    const fits = next !== null && next.href.length <= LONGEST_NEXT;
    const target = fits ? next : new URL(`${base}/`);
    // Another host does not get this host's cookie and would send the browser back, again and again.
    if (target.hostname !== new URL(origin).hostname) searchParams.set("next", target.href);
    else {
      const known = browserOf(request, links);
      const browser = known ?? newBrowserSecret();
      keepBrowser(request, reply, links, browser);
      if (known === null)
        keepForLogin(request, reply, links, { secret: browser, state: browserDigest(browser) });
      const to = handOvers.ticket(origin, target.href, browser);
      searchParams.set("next", `${links.rootPath}${LEAVE}?to=${to}`);
    }
  }
  seeOther(reply, links.pagesBase(request) + url.pathname + url.search);
}

export function handOverRoutes(
  app: TypedApp,
  deps: HandOverDeps & { readonly services: AuthServices },
): void {
  const { handOvers, links, services } = deps;

  app.get(
    LEAVE,
    {
      config: { access: "person" },
      onRequest: requireNavigation,
      exposeHeadRoute: false,
      schema: { hide: true, querystring: LeaveQuery },
    },
    (request, reply) => {
      const ticket = handOvers.readTicket(request.query.to ?? "");
      const secret = sessionSecretOf(request, links);
      if (ticket === null || secret === null) return seeOther(reply, `${links.base(request)}/account`);
      const code = handOvers.code(ticket, tokenOf(secret));
      return seeOther(reply, `${ticket.origin}${links.rootPath}${ARRIVE}?code=${code}`);
    },
  );

  app.get(
    ARRIVE,
    {
      config: { access: "page" },
      onRequest: requireNavigation,
      // Looking at the address without opening it must not use up the code.
      exposeHeadRoute: false,
      schema: { hide: true, querystring: ArriveQuery },
    },
    async (request, reply) => {
      const origin = dataOrigin(request, deps);
      const browserOf = (digest: string) => browserOfLogin(request, links, digest);
      const arrived = await handOvers.redeem(
        request.query.code ?? "",
        { origin, browserOf },
        services.contextOf(request),
      );
      if (arrived?.kind === "fresh") {
        await services.browserSessions.identify(arrived.cookie);
        keepSession(request, reply, links, arrived.cookie, services.browserSessions.maxAge);
        if (hasKeyCookie(request, links)) dropKey(request, reply, links);
        return seeOther(reply, arrived.next);
      }
      // The same address again, e.g. from the history.
      if (arrived !== null && request.caller.kind === "browser") return seeOther(reply, arrived.next);
      throw new Failure("login_elsewhere", {
        log: "A login that was handed over has been used, is too old, or belongs to another browser or host.",
      });
    },
  );
}

/** This host as the browser sees it: that of `public_url`, or another one that the configuration names. */
function dataOrigin(
  request: FastifyRequest,
  { links, proxies, verifyHosts }: Pick<HandOverDeps, "links" | "proxies" | "verifyHosts">,
): string {
  const origin = links.origin(request);
  const host = (proxies.read(request).host ?? request.raw.headers.host ?? "").toLowerCase();
  if (nameOf(host) === nameOf(new URL(origin).host) || !verifyHosts.includes(host) || !isHost(host))
    return origin;
  return `${links.isHttps(request) ? "https" : "http"}://${host}`;
}
