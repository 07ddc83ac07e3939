/**
 * Logins at a provider for CAVE's pages. A provider sends browsers back to the address of the pages for people, which may be
 * another host than `cave.server_address`. So CAVE's address gives the browser a ticket, and gets the login back as a one-time
 * code that is bound to the same browser (`domain/login/hand-over.ts`). The account's pages are not logged in by it.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { tokenOf } from "../../../domain/browser-session.ts";
import type { HandOver } from "../../../domain/login/hand-over.ts";
import { Failure } from "../../../errors.ts";
import type { Uuid } from "../../../lib/uuid.ts";
import { browserOfLogin } from "../../access/login-cookie.ts";
import { requireNavigation } from "../../access/navigation.ts";
import { noteLogin } from "../../logging.ts";
import { seeOther } from "../../people/problem-pages.ts";
import type { BrowserLogin, OtherLogins } from "../../provider-login/browser.ts";
import type { TypedApp } from "../../typed-app.ts";
import type { CaveLinks } from "../server-address.ts";
import type { CaveLoginDeps } from "./deps.ts";
import { keepCaveSession } from "./session.ts";

const ARRIVE = "/sticky_auth/login/arrive";
/** Characters: it becomes a part of the provider's `state`. */
const LONGEST_NEXT = 1000;

const ArriveQuery = Type.Object({
  to: Type.Optional(Type.String({ maxLength: 4096 })),
  code: Type.Optional(Type.String({ maxLength: 4096 })),
});

type ReturnDeps = Pick<CaveLoginDeps, "links" | "services" | "handOvers">;

/** Where the login at a provider is to lead. A longer destination than providers pass on is left out. */
export function arrivalOf({ links, handOvers }: ReturnDeps, onward: string, browser: string): string {
  const next = onward.length <= LONGEST_NEXT ? onward : links.authorize();
  return `${arrival(links)}?to=${handOvers.ticket(links.sticky, next, browser, "cave ticket")}`;
}

/** Ends such logins where the provider sends browsers back to. */
export function caveReturns(deps: ReturnDeps): OtherLogins {
  const { links, services, handOvers } = deps;
  const prefix = `${arrival(links)}?to=`;
  const ticketIn = (next: string): HandOver | null =>
    next.startsWith(prefix) ? handOvers.readTicket(next.slice(prefix.length), "cave ticket") : null;
  return {
    onward: (next) => ticketIn(next)?.next ?? null,
    finish: async (request: FastifyRequest, reply: FastifyReply, login: BrowserLogin) => {
      const ticket = ticketIn(login.next ?? "");
      if (ticket === null)
        throw new Failure("login_over", { log: "a login for CAVE without a ticket of ours" });
      const { identity, authenticated } = login;
      const context = services.contextOf(request);
      const { secret, opened } = await services.browserSessions.begin(identity, authenticated, null, context);
      noteLogin(request, { identity, principal: opened.principal.uuid });
      return seeOther(reply, `${arrival(links)}?code=${handOvers.code(ticket, tokenOf(secret))}`);
    },
  };
}

/** The browser arrives with its login at CAVE's address. */
export function arrivalRoute(app: TypedApp, deps: CaveLoginDeps): void {
  const { links, gates, services, handOvers } = deps;
  app.get(
    ARRIVE,
    {
      config: { access: { gate: gates.anyone } },
      onRequest: requireNavigation,
      // Looking at the address without opening it must not use up the code.
      exposeHeadRoute: false,
      schema: { hide: true, querystring: ArriveQuery },
    },
    async (request, reply) => {
      const { to = "", code } = request.query;
      if (code === undefined)
        return seeOther(reply, handOvers.readTicket(to, "cave ticket")?.next ?? links.authorize());
      const browserOf = (digest: string) => browserOfLogin(request, links.here, digest);
      const at = { origin: links.sticky, forCave: true, browserOf } as const;
      const arrived = await handOvers.redeem(code, at, services.contextOf(request));
      if (arrived?.kind === "fresh") {
        const { session } = await services.browserSessions.identify(arrived.cookie);
        keepCaveSession(reply, links, arrived.cookie, services.browserSessions.maxAge);
        await endOther(deps, request, session);
        return seeOther(reply, arrived.next);
      }
      // The same address again, e.g. from the history.
      if (arrived !== null && request.caller.kind === "browser") return seeOther(reply, arrived.next);
      throw new Failure("login_elsewhere", {
        log: "A login for CAVE has been used, is too old, or belongs to another browser.",
      });
    },
  );
}

/** Ends the login that the browser had before this session. */
async function endOther({ services }: CaveLoginDeps, request: FastifyRequest, session: Uuid): Promise<void> {
  const { caller } = request;
  if (caller.kind !== "browser" || caller.session === session) return;
  await services.sessions.revokeOwn(caller.session, caller.principal.uuid, services.contextOf(request));
}

function arrival(links: CaveLinks): string {
  return links.base + ARRIVE;
}
