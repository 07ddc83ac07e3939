/**
 * Links further identities to a principal and unlinks them. Both run under the lock of the principal's row and need a session
 * that began recently, because they decide who can log in as this principal from now on.
 */

import type { IdentityRef } from "../../domain/model/entities.ts";
import type { AccountStore, FreshChange, LinkIdentity, UnlinkIdentity } from "../../domain/ports/accounts.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { deleteCode } from "./browser-logins.ts";
import { note } from "./steps/audit.ts";
import { lockOwner } from "./steps/authority.ts";
import { withdraw } from "./steps/group-roles.ts";
import { keepProfile } from "./steps/profiles.ts";
import { addIdentity } from "./steps/roles.ts";
import { otherSpelling } from "./steps/spellings.ts";
import { findPrincipalOfIdentity } from "./steps/summaries.ts";

/** Locks the principal of a live session that began after `since`; undefined for a disabled principal or any other session. */
async function lockFreshOwner(
  db: Db,
  { session, principal, since, now }: FreshChange,
): Promise<{ readonly id: number } | undefined> {
  const held = await lockOwner(db, { session, owner: principal, now });
  return held === undefined || held.created < since ? undefined : { id: held.principal };
}

const identitiesOf = statement((db, { principal }: Args<{ principal: number }>) =>
  db.selectFrom("identities").where("principal_id", "=", principal).select(["provider", "id"]),
);

const deleteIdentity = statement((db, identity: Args<IdentityRef & { principal: number }>) =>
  db
    .deleteFrom("identities")
    .where("principal_id", "=", identity.principal)
    .where("provider", "=", identity.provider)
    .where("id", "=", identity.id),
);

const revokeOpenedBy = statement(
  (db, { principal, provider, id, now }: Args<IdentityRef & { principal: number; now: Date }>) =>
    db
      .updateTable("sessions")
      .set((eb) => ({ revoked: eb.lit(true), time_updated: now }))
      .where("principal_id", "=", principal)
      .where("revoked", "=", (eb) => eb.lit(false))
      .where("expiration_time", ">", now)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom("tiled_auth_session_origins as o")
              .whereRef("o.session_id", "=", "sessions.id")
              .where((other) =>
                other.or([other("o.provider", "!=", provider), other("o.identity", "!=", id)]),
              )
              .select("o.session_id"),
          ),
        ),
      )
      .returning("uuid"),
);

/** Links an identity that has no principal yet. An application's code is used up whatever the result. */
export async function linkIdentity(db: Db, request: LinkIdentity): ReturnType<AccountStore["link"]> {
  const { identity, principal, session, now, context, code } = request;
  if (code !== null && (await db.run(deleteCode, { code, now })) === 0) return { kind: "gone" };
  const owner = await lockFreshOwner(db, request);
  if (owner === undefined) return { kind: "stale" };
  const holder = await findPrincipalOfIdentity(db, identity);
  if (holder?.id === owner.id) {
    await keepProfile(db, identity, request.profile);
    return { kind: "already" };
  }
  if (holder !== undefined) {
    const detail = { reason: "belongs_to_another_principal", other: holder.uuid };
    await note(db, "identity_link_refused", { now, context, principal, identity }, detail);
    return { kind: "taken" };
  }
  const spelled = request.caseSensitive !== false ? undefined : await otherSpelling(db, identity);
  if (spelled !== undefined) {
    const detail = { reason: "other_spelling", known: spelled.id, other: spelled.principal };
    await note(db, "identity_link_refused", { now, context, principal, identity }, detail);
    return { kind: "other_spelling", known: spelled.id };
  }
  if ((await db.all(identitiesOf, { principal: owner.id })).length >= request.limit) return { kind: "limit" };
  await addIdentity(db, { ...identity, principal: owner.id, login: now, now });
  await keepProfile(db, identity, request.profile);
  await note(db, "identity_linked", { now, context, principal, identity }, { session });
  return { kind: "linked" };
}

/** Unlinks an identity and ends the sessions it opened. The last identity of an active provider stays. */
export async function unlinkIdentity(db: Db, request: UnlinkIdentity): ReturnType<AccountStore["unlink"]> {
  const { identity, principal, session, now, context } = request;
  const owner = await lockFreshOwner(db, request);
  if (owner === undefined) return { kind: "stale" };
  const known = await db.all(identitiesOf, { principal: owner.id });
  const others = known.filter(({ provider, id }) => provider !== identity.provider || id !== identity.id);
  if (others.length === known.length) return { kind: "unknown" };
  if (!others.some(({ provider }) => request.providers.includes(provider))) return { kind: "last" };
  await db.run(deleteIdentity, { ...identity, principal: owner.id });
  // No login at the provider would take the role back any more.
  if (!others.some(({ provider }) => provider === identity.provider)) {
    await withdraw(db, { id: owner.id, uuid: principal }, identity.provider, identity, { now, context });
  }
  const revoked = await revokeSessions(db, request, owner.id);
  const detail = { session, revoked: revoked.length };
  await note(db, "identity_unlinked", { now, context, principal, identity }, detail);
  for (const uuid of revoked) {
    await note(db, "session_revoked", { now, context, principal }, { session: uuid });
  }
  return { kind: "unlinked", revoked };
}

async function revokeSessions(db: Db, { identity, now }: UnlinkIdentity, principal: number): Promise<Uuid[]> {
  const { provider, id } = identity;
  return (await db.all(revokeOpenedBy, { principal, provider, id, now })).map(({ uuid }) => uuid);
}
