/**
 * Sessions: one login opens one, refresh tokens keep it going, anyone who may ends it. What a presented token means is
 * decided in `rotation.ts`; here is how it is carried out under the lock of the session's row.
 */
import type { IdentityRef, RequestContext, SessionStatus } from "../domain/model/entities.ts";
import type {
  OpenOutcome,
  OpenSession,
  RotateOutcome,
  RotateSession,
  SessionStore,
} from "../domain/ports/sessions.ts";
import { newUuid, type Uuid } from "../lib/uuid.ts";
import { note } from "./audit.ts";
import { hold } from "./authority.ts";
import type { Backend } from "./backend.ts";
import { writeState } from "./codec.ts";
import { SHOWN_REVOKED } from "./documents.ts";
import { lostRace } from "./errors.ts";
import { requireStorable } from "./identities.ts";
import { keepLongState, LONG_STATE } from "./login-states.ts";
import { grantAdmin, makeUser } from "./roles.ts";
import { decideRotation } from "./rotation.ts";
import { keepOrigin } from "./session-origins.ts";
import { otherSpelling } from "./spellings.ts";
import { type Args, type Db, statement } from "./statement.ts";
import { type PrincipalRow, summarize } from "./summaries.ts";

/** The lock makes concurrent logins of one principal wait, so that they cannot pass the limit together. */
export const lockByIdentity = statement((db, identity: Args<IdentityRef>, dialect) =>
  db
    .selectFrom("identities as i")
    .innerJoin("principals as p", "p.id", "i.principal_id")
    .where("i.id", "=", identity.id)
    .where("i.provider", "=", identity.provider)
    .select(["p.id", "p.uuid", "p.type"])
    .$if(dialect === "postgresql", (query) => query.forUpdate("p")),
);

/** Read after the lock is held: an older snapshot would not see what others did before they let go of it. */
const standing = statement((db, { principal, now }: Args<{ principal: number; now: Date }>) =>
  db
    .selectFrom("principals as p")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "p.id")
    .where("p.id", "=", principal)
    .select((eb) => [
      "d.time as disabledSince",
      eb
        .selectFrom("sessions as s")
        .whereRef("s.principal_id", "=", "p.id")
        .where("s.revoked", "=", eb.lit(false))
        .where("s.expiration_time", ">", now)
        .select((count) => count.fn.countAll<number>().as("live"))
        .as("live"),
    ]),
);

/** By now the identity may be nobody's any more, or another principal's. */
const noteLogin = statement((db, row: Args<IdentityRef & { principal: number; now: Date }>) =>
  db
    .updateTable("identities")
    .set({ latest_login: row.now, time_updated: row.now })
    .where("id", "=", row.id)
    .where("provider", "=", row.provider)
    .where("principal_id", "=", row.principal),
);

const insertSession = statement(
  (db, row: Args<{ uuid: Uuid; expiration: Date; principal: number; state: string; now: Date }>) =>
    db
      .insertInto("sessions")
      .values((eb) => ({
        uuid: row.uuid,
        refresh_count: eb.lit(0),
        expiration_time: row.expiration,
        principal_id: row.principal,
        revoked: eb.lit(false),
        state: row.state,
        time_created: row.now,
      }))
      .returning("id"),
);

const byUuid = statement((db, { uuid }: Args<{ uuid: Uuid }>) =>
  db
    .selectFrom("sessions as s")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .where("s.uuid", "=", uuid)
    .select(["s.uuid", "p.uuid as principal", "s.expiration_time as expirationTime", "s.revoked", "s.state"]),
);

const lockByUuid = statement((db, { uuid }: Args<{ uuid: Uuid }>, dialect) =>
  db
    .selectFrom("sessions as s")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "p.id")
    .where("s.uuid", "=", uuid)
    .select(["s.id as session", "s.expiration_time as expirationTime", "s.revoked", "s.state"])
    .select(["p.id", "p.uuid", "p.type", "d.time as disabledSince", "s.time_last_refreshed as refreshedAt"])
    .$if(dialect === "postgresql", (query) => query.forUpdate("s")),
);

const findRotation = statement((db, { session }: Args<{ session: number }>) =>
  db
    .selectFrom("tiled_auth_rotations")
    .where("session_id", "=", session)
    .select(["generation", "exchanged", "exchanged_at as exchangedAt", "retried", "shared"]),
);

const setRotation = statement(
  (db, row: Args<{ session: number; generation: number; exchanged: string; now: Date }>) =>
    db
      .insertInto("tiled_auth_rotations")
      .values((eb) => ({
        session_id: row.session,
        generation: row.generation,
        exchanged: row.exchanged,
        exchanged_at: row.now,
        retried: eb.lit(false),
        shared: eb.lit(false),
      }))
      .onConflict((conflict) =>
        conflict.column("session_id").doUpdateSet((eb) => ({
          generation: eb.ref("excluded.generation"),
          exchanged: eb.ref("excluded.exchanged"),
          exchanged_at: eb.ref("excluded.exchanged_at"),
          retried: eb.ref("excluded.retried"),
        })),
      ),
);

const setRetried = statement((db, { session }: Args<{ session: number }>) =>
  db
    .updateTable("tiled_auth_rotations")
    .set((eb) => ({ retried: eb.lit(true), shared: eb.lit(true) }))
    .where("session_id", "=", session),
);

const noteRefresh = statement((db, { session, now }: Args<{ session: number; now: Date }>) =>
  db
    .updateTable("sessions")
    .set((eb) => ({
      time_last_refreshed: now,
      refresh_count: eb("refresh_count", "+", eb.lit(1)),
      time_updated: now,
    }))
    .where("id", "=", session),
);

const setRevoked = statement((db, { session, now }: Args<{ session: number; now: Date }>) =>
  db
    .updateTable("sessions")
    .set((eb) => ({ revoked: eb.lit(true), time_updated: now }))
    .where("id", "=", session),
);

/** More at once than are added, so that what is there already goes, too. */
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

/** `state` is text here, so that nothing but plain values crosses the border of the writer's thread. */
export type OpenCommand = Omit<OpenSession, "state"> & { readonly state: string };

/** Whether an identity may log in; the lock is held until the end of the transaction. */
export async function admit(
  db: Db,
  {
    identity,
    now,
    limit,
    caseSensitive = true,
  }: Pick<OpenCommand, "identity" | "now" | "limit" | "caseSensitive">,
): Promise<
  | Exclude<OpenOutcome, { readonly kind: "opened" }>
  | { readonly kind: "admitted"; readonly known: PrincipalRow | undefined }
> {
  const found = await db.one(lockByIdentity, identity);
  if (found === undefined) {
    if (limit <= 0) return { kind: "limit", principal: null };
    const spelled = caseSensitive ? undefined : await otherSpelling(db, identity);
    if (spelled === undefined) return { kind: "admitted", known: undefined };
    return { kind: "other_spelling", principal: spelled.principal, known: spelled.id };
  }
  const { disabledSince, live } = (await db.one(standing, { principal: found.id, now })) ?? NEWCOMER;
  if (disabledSince !== null) return { kind: "disabled", principal: found.uuid };
  if (Number(live) >= limit) return { kind: "limit", principal: found.uuid };
  return { kind: "admitted", known: { ...found, disabledSince } };
}

export async function openSession(db: Db, request: OpenCommand): Promise<OpenOutcome> {
  const { identity, now, context } = request;
  const admission = await admit(db, request);
  if (admission.kind !== "admitted") return admission;
  const { known } = admission;
  let principal: PrincipalRow;
  if (known === undefined) principal = await makeUser(db, identity, now, { now, context });
  else {
    principal = known;
    const noted = await db.run(noteLogin, { ...identity, principal: known.id, now });
    if (noted === 0) throw lostRace("the identity was unlinked");
  }
  if (request.admin) await grantAdmin(db, principal, identity, { now, context });
  const short = request.state.length > LONG_STATE ? "{}" : request.state;
  const session: SessionStatus = {
    uuid: newUuid(),
    principal: principal.uuid,
    expirationTime: request.expirationTime,
    revoked: false,
    state: short === request.state ? JSON.parse(short) : {},
  };
  const inserted = await db.one(insertSession, {
    uuid: session.uuid,
    expiration: session.expirationTime,
    principal: principal.id,
    state: short,
    now,
  });
  if (inserted === undefined) throw new Error("The database returned no id for a new session.");
  await keepOrigin(db, inserted.id, identity, context);
  await keepLongState(db, inserted.id, identity, request.state);
  await note(db, "login", { now, context, principal: principal.uuid, identity }, { session: session.uuid });
  return { kind: "opened", principal: await summarize(db, principal), session };
}

const NEWCOMER = { disabledSince: null, live: 0 };

export async function rotateSession(db: Db, request: RotateSession): Promise<RotateOutcome> {
  const { now, context } = request;
  const found = await db.one(lockByUuid, { uuid: request.session });
  if (found === undefined || found.revoked || found.expirationTime <= now) return { kind: "ended" };
  if (found.disabledSince !== null) return { kind: "ended" };
  const { session } = found;
  const row = await db.one(findRotation, { session });
  const known = row && { ...row, exchangedAt: row.exchangedAt ?? found.refreshedAt };
  const decision = decideRotation(known, request, request);
  const detail = { session: request.session, generation: request.generation };
  if (decision.kind === "reuse") {
    await db.run(setRevoked, { session, now });
    await forget(db, found.id);
    await note(db, "session_refresh_reuse", { now, context, principal: found.uuid }, detail);
    return { kind: "reuse", principal: found.uuid };
  }
  const { generation } = decision;
  if (decision.kind !== "retry") await db.run(noteRefresh, { session, now });
  if (decision.kind === "exchange") {
    await db.run(setRotation, { session, generation, exchanged: request.tokenId, now });
  }
  // However many retries follow, one row tells of them.
  if (decision.kind === "retry" && row?.retried === false) {
    await db.run(setRetried, { session });
    await note(db, "session_refresh_retried", { now, context, principal: found.uuid }, detail);
  }
  return {
    kind: "refreshed",
    generation,
    exchangedAt: "exchangedAt" in decision ? decision.exchangedAt : null,
    stays: decision.kind === "stay",
    session: {
      uuid: request.session,
      principal: found.uuid,
      expirationTime: found.expirationTime,
      revoked: false,
      state: found.state ?? {},
    },
  };
}

export interface RevokeCommand {
  readonly uuid: Uuid;
  readonly principal: Uuid | null;
  readonly now: Date;
  readonly context: RequestContext;
}

export async function revokeSession(db: Db, request: RevokeCommand): ReturnType<SessionStore["revoke"]> {
  return (await hold(db, request, null)) ?? (await endSession(db, request));
}

/** Keeps the newest of the sessions that have ended, as many as whoami lists, so that a loop of logins fills no disk. */
async function forget(db: Db, principal: number): Promise<void> {
  const ids = (await db.all(oldRevoked, { principal })).map(({ id }) => id);
  if (ids.length === 0) return;
  // Revision 2d1b550e12e0 has no `ON DELETE` there.
  await db.query((tables) =>
    tables.updateTable("pending_sessions").set({ session_id: null }).where("session_id", "in", ids),
  );
  await db.query((tables) => tables.deleteFrom("sessions").where("id", "in", ids));
}

/** Whoever asks for it. */
export async function endSession(
  db: Db,
  request: RevokeCommand,
): Promise<{ readonly kind: "revoked"; readonly principal: Uuid } | { readonly kind: "unknown" }> {
  const { now, context } = request;
  const found = await db.one(lockByUuid, { uuid: request.uuid });
  if (found === undefined || found.expirationTime <= now) return { kind: "unknown" };
  if (request.principal !== null && request.principal !== found.uuid) return { kind: "unknown" };
  if (!found.revoked) {
    await db.run(setRevoked, { session: found.session, now });
    await forget(db, found.id);
    await note(db, "session_revoked", { now, context, principal: found.uuid }, { session: request.uuid });
  }
  return { kind: "revoked", principal: found.uuid };
}

export function sessionStore(backend: Backend): SessionStore {
  return {
    status: (uuid) =>
      backend.read(async (db) => {
        const found = await db.one(byUuid, { uuid });
        return found && { ...found, state: found.state ?? {} };
      }),
    open: async (request) => {
      requireStorable(request.identity);
      return backend.write("session.open", { ...request, state: writeState(request.state) });
    },
    rotate: (request) => backend.write("session.rotate", request),
    revoke: (uuid, principal, now, context) =>
      backend.write("session.revoke", { uuid, principal, now, context }),
  };
}
