/** Shows `/account`: identities, roles, sessions and keys of the person who is logged in. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { AccountOverview } from "../../domain/account.ts";
import { formTokenOf } from "../../domain/browser-session.ts";
import type { BrowserCaller } from "../../domain/model/caller.ts";
import { type Account, accountPage, NOTICES, type Notice } from "../../pages/account.ts";
import type { AccountQuery } from "../../schemas/pages.ts";
import { personOf } from "../access/callers.ts";
import { sessionSecretOf } from "../access/session-cookie.ts";
import { sendPage } from "../send-page.ts";
import type { AccountDeps } from "./account-deps.ts";
import { seeOther } from "./problem-pages.ts";

const MOST_SESSIONS = 50;
const UNNAMED = { name: null, email: null };

interface View {
  readonly problem?: { readonly problem: string; readonly note: string };
  readonly status?: number;
}

export async function showAccount(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { problem, status = 200 }: View,
): Promise<FastifyReply> {
  const { site, links, services, clock, providers, caveTokensUrl } = deps;
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
          cave: caveTokensUrl !== null,
        }
      : null,
    caveTokensUrl,
  });
  return sendPage(reply, page, { status, noStore: true });
}

function identitiesAndRoles(
  { principal, profiles }: AccountOverview,
  { identity }: BrowserCaller,
  providers: readonly string[],
): Pick<Account, "identities" | "roles"> {
  return {
    identities: principal.identities.map((own) => ({
      ...own,
      ...(profiles.find(({ provider, id }) => provider === own.provider && id === own.id) ?? UNNAMED),
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

/** Sends the browser back to the account, which says what was done. */
export function done(
  { links }: Pick<AccountDeps, "links">,
  request: FastifyRequest,
  reply: FastifyReply,
  notice: Notice,
): FastifyReply {
  return seeOther(reply, `${links.base(request)}/account?done=${notice}`);
}
