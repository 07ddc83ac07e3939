import type { RotateOutcome, RotateSession } from "../../domain/ports/sessions.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { note } from "./audit.ts";
import { lockByUuid, markEnded } from "./end-session.ts";
import { decideRotation } from "./rotation.ts";

const findRotation = statement((db, { session }: Args<{ session: number }>) =>
  db
    .selectFrom("tiled_auth_rotations")
    .where("session_id", "=", session)
    .select(["generation", "exchanged", "exchanged_at as rotatedAt", "retried", "shared"]),
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

export async function rotateSession(db: Db, request: RotateSession): Promise<RotateOutcome> {
  const { now, context } = request;
  const found = await db.one(lockByUuid, { uuid: request.session });
  if (found === undefined || found.revoked || found.expirationTime <= now) return { kind: "ended" };
  if (found.disabledSince !== null) return { kind: "ended" };
  const { session } = found;
  const row = await db.one(findRotation, { session });
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
    rotatedAt: "rotatedAt" in decision ? decision.rotatedAt : null,
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
