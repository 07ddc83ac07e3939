/**
 * Carries out a refresh under the lock of the session's row. `steps/rotation.ts` decides what the presented token means (RFC 9700,
 * section 4.14.2).
 */
import type { RotateOutcome, RotateSession } from "../../domain/ports/sessions.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { markEnded } from "./end-session.ts";
import { note } from "./steps/audit.ts";
import { decideRotation, type KnownRotation } from "./steps/rotation.ts";
import { summarize } from "./steps/summaries.ts";

/** Includes the rotation for SQLite, whose only writer cannot see an older one. */
const lockForRotation = statement((db, { uuid }: Args<{ uuid: Uuid }>, dialect) =>
  db
    .selectFrom("sessions as s")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .leftJoin("tiled_auth_rotations as r", "r.session_id", "s.id")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "p.id")
    .where("s.uuid", "=", uuid)
    .select(["s.id as session", "s.expiration_time as expirationTime", "s.revoked", "s.state"])
    .select(["p.id", "p.uuid", "p.type", "s.time_last_refreshed as refreshedAt"])
    .select(["r.generation", "r.exchanged", "r.exchanged_at as rotatedAt", "r.retried", "r.shared"])
    .select("d.time as disabledSince")
    .$if(dialect === "postgresql", (query) => query.forUpdate("s")),
);

/** For PostgreSQL, under the lock: the locking statement's snapshot may be older than its wait. */
const findUnderLock = statement((db, { session }: Args<{ session: number }>) =>
  db
    .selectFrom("sessions as s")
    .leftJoin("tiled_auth_rotations as r", "r.session_id", "s.id")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "s.principal_id")
    .where("s.id", "=", session)
    .select(["r.generation", "r.exchanged", "r.exchanged_at as rotatedAt", "r.retried", "r.shared"])
    .select("d.time as disabledSince"),
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

/** The same for a session that has a row, for half the work. */
const nextRotation = statement(
  (db, row: Args<{ session: number; generation: number; exchanged: string; now: Date }>) =>
    db
      .updateTable("tiled_auth_rotations")
      .set((eb) => ({
        generation: row.generation,
        exchanged: row.exchanged,
        exchanged_at: row.now,
        retried: eb.lit(false),
      }))
      .where("session_id", "=", row.session),
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

/** Refreshes a session, or ends it if the presented token was reused. */
export async function rotateSession(db: Db, request: RotateSession): Promise<RotateOutcome> {
  const { now, context } = request;
  const found = await db.one(lockForRotation, { uuid: request.session });
  if (found === undefined || found.revoked || found.expirationTime <= now) return { kind: "ended" };
  const { session } = found;
  const current = db.dialect === "sqlite" ? found : await db.one(findUnderLock, { session });
  if (current === undefined || current.disabledSince !== null) return { kind: "ended" };
  const row = joined(current);
  const known = row && { ...row, rotatedAt: row.rotatedAt ?? found.refreshedAt };
  const decision = decideRotation(known, request, request);
  const detail = { session: request.session, generation: request.generation };
  if (decision.kind === "reuse") {
    await markEnded(db, { session, principal: found.id, now });
    await note(db, "session_refresh_reuse", { now, context, principal: found.uuid }, detail);
    return { kind: "reuse", principal: found.uuid };
  }
  const { generation } = decision;
  if (decision.kind !== "retry") await db.run(noteRefresh, { session, now });
  if (decision.kind === "rotate") {
    const rotation = { session, generation, exchanged: request.tokenId, now };
    await db.run(row === undefined ? setRotation : nextRotation, rotation);
  }
  // Any number of retries leaves one audit row.
  if (decision.kind === "retry" && row?.retried === false) {
    await db.run(setRetried, { session });
    await note(db, "session_refresh_retried", { now, context, principal: found.uuid }, detail);
  }
  return {
    kind: "refreshed",
    generation,
    rotatedAt: "rotatedAt" in decision ? decision.rotatedAt : null,
    stays: decision.kind === "stay",
    principal: request.summarize ? await summarize(db, found) : null,
    session: {
      uuid: request.session,
      principal: found.uuid,
      expirationTime: found.expirationTime,
      revoked: false,
      state: found.state ?? {},
    },
  };
}

type Joined = {
  readonly [K in "generation" | "exchanged" | "retried" | "shared" | "rotatedAt"]: RotationRow[K] | null;
};
type RotationRow = KnownRotation & { readonly retried: boolean };

function joined({ generation, exchanged, rotatedAt, retried, shared }: Joined): RotationRow | undefined {
  if (generation === null || exchanged === null) return undefined;
  return { generation, exchanged, rotatedAt, retried: retried === true, shared: shared === true };
}
