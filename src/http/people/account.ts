/**
 * `/account`: what somebody who is logged in with a browser sees of themselves, and the forms that end sessions and make
 * and revoke keys. Identities are added and removed in `identities.ts`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { AccountOverview } from "../../domain/account.ts";
import { formTokenOf } from "../../domain/browser-session.ts";
import type { BrowserCaller } from "../../domain/model/caller.ts";
import { Failure } from "../../errors.ts";
import { parseUuid } from "../../lib/uuid.ts";
import { type Account, accountPage, NOTICES, type Notice } from "../../pages/account.ts";
import { LIFETIMES, newKeyPage, USUAL_LIFETIME } from "../../pages/account-keys.ts";
import { AccountQuery, EndSessionBody, MakeKeyBody, RevokeKeyBody, TokenBody } from "../../schemas/pages.ts";
import { personOf } from "../access/callers.ts";
import { sessionSecretOf } from "../access/session-cookie.ts";
import { sendPage } from "../send-page.ts";
import type { TypedApp } from "../typed-app.ts";
import type { AccountDeps } from "./account-deps.ts";
import { askAgain, goOnRoute } from "./fresh-login.ts";
import { seeOther } from "./problem-pages.ts";

const MOST_SESSIONS = 50;
const FORM = { access: "person", body: "form", formToken: true } as const;

export function accountRoutes(app: TypedApp, deps: AccountDeps): void {
  const { site, links, services } = deps;

  app.get(
    "/account",
    { config: { access: "person" }, schema: { hide: true, querystring: AccountQuery } },
    (request, reply) => showAccount(deps, request, reply, {}),
  );

  goOnRoute(app, deps);

  app.post(
    "/account/sessions/end",
    { config: FORM, schema: { hide: true, body: EndSessionBody } },
    async (request, reply) => {
      const { principal, session: own } = personOf(request);
      const session = parseUuid(request.body.session);
      const again = session === own ? undefined : askAgain(deps, request, reply, "sessions/end");
      if (again !== undefined) return again;
      const ended =
        session !== undefined &&
        (await unlessGone(services.sessions.revokeOwn(session, principal.uuid, services.contextOf(request))));
      return done(deps, request, reply, ended ? "session-ended" : "session-gone");
    },
  );

  app.post(
    "/account/sessions/end-others",
    { config: FORM, schema: { hide: true, body: TokenBody } },
    async (request, reply) => {
      const again = askAgain(deps, request, reply, "sessions/end-others");
      if (again !== undefined) return again;
      await services.accounts.endOthers(personOf(request), services.contextOf(request));
      return done(deps, request, reply, "others-ended");
    },
  );

  app.post(
    "/account/keys/revoke",
    {
      config: { ...FORM, access: { person: ["revoke:apikeys"] } },
      schema: { hide: true, body: RevokeKeyBody },
    },
    async (request, reply) => {
      const { principal } = personOf(request);
      const again = askAgain(deps, request, reply, "keys/revoke");
      if (again !== undefined) return again;
      const { first_eight = "" } = request.body;
      const revoked = await services.apiKeys.revoke(principal.uuid, first_eight, services.contextOf(request));
      return done(deps, request, reply, revoked ? "key-revoked" : "key-gone");
    },
  );

  app.post(
    "/account/keys",
    {
      config: { ...FORM, access: { person: ["create:apikeys"] } },
      schema: { hide: true, body: MakeKeyBody },
    },
    async (request, reply) => {
      const caller = personOf(request);
      const { note = "", lifetime = USUAL_LIFETIME, ...boxes } = request.body;
      const wanted = Object.hasOwn(LIFETIMES, lifetime) ? LIFETIMES[lifetime] : undefined;
      if (wanted === undefined) throw new Failure("bad_request", { log: "a lifetime that no form has" });
      const scopes = "inherit" in boxes ? null : tickedScopes(boxes);
      const refuse = (problem: string, status: number) =>
        showAccount(deps, request, reply, { problem: { problem, note }, status });
      if (scopes?.length === 0) return refuse("Say what the key may do: tick a box at least.", 422);
      const again = askAgain(deps, request, reply, "keys");
      if (again !== undefined) return again;
      try {
        const { key, secret } = await services.apiKeys.create(
          caller,
          caller.principal,
          { expiresIn: wanted.seconds, scopes, note: note.trim() === "" ? null : note, accessTags: null },
          services.contextOf(request),
        );
        const { note: kept, expirationTime } = key;
        const at = { site, basePath: links.rootPath, baseUrl: links.base(request) };
        return sendPage(reply, newKeyPage({ ...at, secret, note: kept, expirationTime }), { noStore: true });
      } catch (error) {
        const text = keyProblem(error);
        if (text === null) throw error;
        request.failure = error as Failure;
        return refuse(text, (error as Failure).status);
      }
    },
  );
}

const SCOPE_BOX = "scope ";

function tickedScopes(boxes: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(boxes).flatMap((name) =>
    name.startsWith(SCOPE_BOX) ? [name.slice(SCOPE_BOX.length)] : [],
  );
}

function keyProblem(error: unknown): string | null {
  if (!(error instanceof Failure)) return null;
  switch (error.code) {
    case "limit_reached":
      return "You have as many keys as this server allows. Revoke one first.";
    case "invalid":
      return "A note has at most 255 characters.";
    case "forbidden":
      return "A key cannot do more than you: tick fewer boxes.";
    default:
      return null;
  }
}

interface View {
  readonly problem?: { readonly problem: string; readonly note: string };
  readonly status?: number;
}

async function showAccount(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { problem, status = 200 }: View,
): Promise<FastifyReply> {
  const { site, links, services, clock, providers } = deps;
  const caller = personOf(request);
  const overview = await services.accounts.overview(caller);
  const token = formTokenOf(sessionSecretOf(request, links) ?? "");
  const page = accountPage({
    site,
    basePath: links.rootPath,
    now: clock.now(),
    token,
    notice: noticeOf(request.query),
    name: caller.identity.id,
    provider: caller.identity.provider,
    providers,
    ...identitiesAndRoles(overview, caller, providers),
    ...sessionsOf(overview, caller),
    keys: overview.principal.apiKeys.map((key) => ({
      ...key,
      latestActivity: services.activity.latest(caller.principal.uuid, key.firstEight, key.latestActivity),
    })),
    mayRevokeKeys: caller.scopes.has("revoke:apikeys"),
    keyForm: caller.scopes.has("create:apikeys")
      ? {
          scopes: caller.principal.scopes,
          problem: problem?.problem ?? null,
          note: problem?.note ?? "",
        }
      : null,
  });
  return sendPage(reply, page, { status, noStore: true });
}

function identitiesAndRoles(
  { principal }: AccountOverview,
  { identity }: BrowserCaller,
  providers: readonly string[],
): Pick<Account, "identities" | "roles"> {
  return {
    identities: principal.identities.map((own) => ({
      ...own,
      current: own.provider === identity.provider && own.id === identity.id,
      removable: principal.identities.some((other) => other !== own && providers.includes(other.provider)),
    })),
    roles: principal.roles,
  };
}

function sessionsOf(
  { sessions }: AccountOverview,
  { session: own }: BrowserCaller,
): Pick<Account, "sessions" | "furtherSessions"> {
  const sorted = sessions.toSorted((a, b) => Number(b.uuid === own) - Number(a.uuid === own));
  return {
    sessions: sorted.slice(0, MOST_SESSIONS).map((session) => ({
      ...session,
      current: session.uuid === own,
      identity: session.identity?.id ?? null,
    })),
    furtherSessions: Math.max(0, sorted.length - MOST_SESSIONS),
  };
}

function noticeOf(query: unknown): Notice | null {
  const { done } = query as Static<typeof AccountQuery>;
  return done !== undefined && Object.hasOwn(NOTICES, done) ? (done as Notice) : null;
}

/** Back to the account, which says what was done. */
export function done(
  { links }: Pick<AccountDeps, "links">,
  request: FastifyRequest,
  reply: FastifyReply,
  notice: Notice,
): FastifyReply {
  return seeOther(reply, `${links.base(request)}/account?done=${notice}`);
}

async function unlessGone(ending: Promise<void>): Promise<boolean> {
  try {
    await ending;
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === "not_found") return false;
    throw error;
  }
}
