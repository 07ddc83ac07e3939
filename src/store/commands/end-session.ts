/** Ends sessions. As many revoked sessions are kept as whoami and the administrators' list show. */
import type { RevokeSession, SessionStore } from "../../domain/ports/sessions.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { note } from "./steps/audit.ts";
import { lockActor } from "./steps/authority.ts";

/** Number of revoked sessions shown per principal, so that lists stay short after many logins and logouts. */
export const SHOWN_REVOKED = 200;

const lockByUuid = statement((db, { uuid }: Args<{ uuid: Uuid }>, dialect) =>
  db
    .selectFrom("sessions as s")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .where("s.uuid", "=", uuid)
    .select(["s.id as session", "s.expiration_time as expirationTime", "s.revoked", "p.id", "p.uuid"])
    .$if(dialect === "postgresql", (query) => query.forUpdate("s")),
);

const setRevoked = statement((db, { session, now }: Args<{ session: number; now: Date }>) =>
  db
    .updateTable("sessions")
    .set((eb) => ({ revoked: eb.lit(true), time_updated: now }))
    .where("id", "=", session),
);

/** Selects more rows than one logout adds, so that an existing surplus shrinks. */
const oldRevoked = statement((db, { principal }: Args<{ principal: number }>) =>
  db
    .selectFrom("sessions")
    .where("principal_id", "=", principal)
    .where("revoked", "=", (eb) => eb.lit(true))
    .select("id")
    .orderBy("id", "desc")
    .offset(SHOWN_REVOKED)
    .limit(20),
);

/** Ends one session, if the actor may. */
export async function revokeSession(db: Db, request: RevokeSession): ReturnType<SessionStore["revoke"]> {
  return (await lockActor(db, request, null)) ?? (await endSession(db, request));
}

/** Marks a session as revoked. `session` and `principal` are ids of rows. */
export async function markEnded(
  db: Db,
  { session, principal, now }: { readonly session: number; readonly principal: number; readonly now: Date },
): Promise<void> {
  await db.run(setRevoked, { session, now });
  await forget(db, principal);
}

/** Deletes old revoked sessions beyond the number that whoami lists, so that a loop of logins does not fill the disk. */
async function forget(db: Db, principal: number): Promise<void> {
  const ids = (await db.all(oldRevoked, { principal })).map(({ id }) => id);
  if (ids.length === 0) return;
  // Revision 2d1b550e12e0 has no `ON DELETE` on this foreign key.
  await db.query((tables) =>
    tables.updateTable("pending_sessions").set({ session_id: null }).where("session_id", "in", ids),
  );
  await db.query((tables) => tables.deleteFrom("sessions").where("id", "in", ids));
}

/** Ends a session without checking the actor. */
export async function endSession(
  db: Db,
  request: RevokeSession,
): Promise<{ readonly kind: "revoked"; readonly principal: Uuid } | { readonly kind: "unknown" }> {
  const { now, context } = request;
  const found = await db.one(lockByUuid, { uuid: request.session });
  if (found === undefined || found.expirationTime <= now) return { kind: "unknown" };
  if (request.principal !== null && request.principal !== found.uuid) return { kind: "unknown" };
  if (!found.revoked) {
    await markEnded(db, { session: found.session, principal: found.id, now });
    await note(db, "session_revoked", { now, context, principal: found.uuid }, { session: request.session });
  }
  return { kind: "revoked", principal: found.uuid };
}
