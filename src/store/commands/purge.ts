/**
 * Deletes expired rows in small batches, so that no request waits for it. On PostgreSQL one server at a time does this, under
 * an advisory lock that ends with the transaction.
 */
import { sql } from "kysely";
import type { Purge, Purged } from "../../domain/ports/maintenance.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { note } from "./steps/audit.ts";

/** Key of the advisory lock; an arbitrary number that all servers share. */
const PURGE_LOCK = 7_446_381_209_553_001n;

type Batch = Args<{ now: Date; batch: number }>;

const tryLock = statement((db, _: Args<object>) =>
  db.selectNoFrom(sql<boolean>`pg_try_advisory_xact_lock(${sql.lit(PURGE_LOCK)})`.as("locked")),
);

const expiredSessions = statement((db, { now, batch }: Batch) =>
  db
    .selectFrom("sessions")
    .where("expiration_time", "<", now)
    .orderBy("expiration_time")
    .select("id")
    .limit(batch),
);

const deletePending = statement((db, { now, batch }: Batch) =>
  db
    .deleteFrom("pending_sessions")
    .where("hashed_device_code", "in", (eb) =>
      eb
        .selectFrom("pending_sessions")
        .where("expiration_time", "<", now)
        .orderBy("expiration_time")
        .select("hashed_device_code")
        .limit(batch),
    ),
);

const deleteUsedStates = statement((db, { now, batch }: Batch) =>
  db
    .deleteFrom("tiled_auth_used_states")
    .where("state", "in", (eb) =>
      eb
        .selectFrom("tiled_auth_used_states")
        .where("expiration_time", "<", now)
        .orderBy("expiration_time")
        .select("state")
        .limit(batch),
    ),
);

const deleteLoginCodes = statement((db, { now, batch }: Batch) =>
  db
    .deleteFrom("tiled_auth_login_codes")
    .where("code", "in", (eb) =>
      eb
        .selectFrom("tiled_auth_login_codes")
        .where("expiration_time", "<", now)
        .orderBy("expiration_time")
        .select("code")
        .limit(batch),
    ),
);

const deleteCaveLogins = statement((db, { now, batch }: Batch) =>
  db
    .deleteFrom("tiled_auth_cave_logins")
    .where("token", "in", (eb) =>
      eb
        .selectFrom("tiled_auth_cave_logins")
        .where("expiration_time", "<", now)
        .orderBy("expiration_time")
        .select("token")
        .limit(batch),
    ),
);

/** How long an expired key is kept, in milliseconds, so that its user sees that it has expired. */
const KEPT_KEYS_MS = 30 * 86_400_000;

const deleteKeys = statement((db, { now, batch }: Batch) =>
  db
    .deleteFrom("api_keys")
    .where((eb) =>
      eb(
        eb.refTuple("first_eight", "hashed_secret"),
        "in",
        eb
          .selectFrom("api_keys as e")
          .where("e.expiration_time", "<", now)
          .orderBy("e.expiration_time")
          .select(["e.first_eight", "e.hashed_secret"])
          .limit(batch)
          .$asTuple("first_eight", "hashed_secret"),
      ),
    ),
);

const deleteAudit = statement((db, { before, batch }: Args<{ before: Date; batch: number }>) =>
  db
    .deleteFrom("tiled_auth_audit")
    .where("id", "in", (eb) =>
      eb.selectFrom("tiled_auth_audit").where("time", "<", before).orderBy("time").select("id").limit(batch),
    ),
);

const deleteFailures = statement((db, { now, batch }: Args<{ now: number; batch: number }>) =>
  db
    .deleteFrom("tiled_auth_failures")
    .where("key", "in", (eb) =>
      eb
        .selectFrom("tiled_auth_failures")
        .where("expire", "<", now)
        .orderBy("expire")
        .select("key")
        .limit(batch),
    ),
);

/** Changes one row of fixed size each time. No counter has such a key. */
const touch = statement((db, { key }: Args<{ key: string }>) =>
  db
    .insertInto("tiled_auth_failures")
    .values({ key, points: 0, expire: null })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet({ points: sql<number>`1 - tiled_auth_failures.points` }),
    ),
);

/** Makes the smallest change that needs the same privileges as a login. */
export async function probe(db: Db): Promise<void> {
  await db.run(touch, { key: "ready" });
}

const BUSY: Purged = { sessions: 0, pendingSessions: 0, apiKeys: 0, auditRows: 0, more: false, busy: true };

/** Deletes up to `batch` expired rows of each table. `more` says that another batch is due, `busy` that another server purges. */
export async function purge(db: Db, { now, batch, auditBefore, context }: Purge): Promise<Purged> {
  if (db.dialect === "postgresql" && (await db.one(tryLock, {}))?.locked !== true) return BUSY;
  const pendingSessions = await db.run(deletePending, { now, batch });
  const browserLogins = await db.run(deleteUsedStates, { now, batch });
  const codes = await db.run(deleteLoginCodes, { now, batch });
  const caveLogins = await db.run(deleteCaveLogins, { now, batch });
  const sessions = await deleteSessions(db, now, batch);
  const apiKeys = await db.run(deleteKeys, { now: new Date(now.getTime() - KEPT_KEYS_MS), batch });
  const auditRows = auditBefore === null ? 0 : await db.run(deleteAudit, { before: auditBefore, batch });
  const failures = await db.run(deleteFailures, { now: now.getTime(), batch });
  const counts = [pendingSessions, browserLogins, codes, caveLogins, sessions, apiKeys, auditRows, failures];
  const more = counts.some((count) => count >= batch);
  const detail = { sessions, pending_sessions: pendingSessions, api_keys: apiKeys, audit_rows: auditRows };
  if (context !== undefined && Object.values(detail).some((count) => count > 0))
    await note(db, "database_purged", { now, context, principal: null }, detail);
  return { sessions, pendingSessions, apiKeys, auditRows, more, busy: false };
}

/** At revision 2d1b550e12e0 a pending session blocks the deletion of its session, so the reference is cleared first. */
async function deleteSessions(db: Db, now: Date, batch: number): Promise<number> {
  const ids = (await db.all(expiredSessions, { now, batch })).map(({ id }) => id);
  if (ids.length === 0) return 0;
  await db.query((tables) =>
    tables.updateTable("pending_sessions").set({ session_id: null }).where("session_id", "in", ids),
  );
  await db.query((tables) => tables.deleteFrom("sessions").where("id", "in", ids));
  return ids.length;
}
