/**
 * Logs a browser in: stores the digest of its token for a row of `sessions`, which holds the lifetime. A browser has one session
 * at a time; a new login ends the previous one.
 */
import type { BrowserSessionStore } from "../../domain/ports/accounts.ts";
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { endSession } from "./end-session.ts";
import { lockByIdentity, type OpenCommand, openSession } from "./sessions.ts";

/** The lock keeps the end of the session from being recorded twice. */
const lockReplaced = statement((db, { token, now }: Args<{ token: Digest; now: Date }>, dialect) =>
  db
    .selectFrom("tiled_auth_browser_sessions as b")
    .innerJoin("sessions as s", "s.id", "b.session_id")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .where("b.token", "=", token)
    .where("s.revoked", "=", (eb) => eb.lit(false))
    .where("s.expiration_time", ">", now)
    .select(["s.uuid as session", "p.uuid as principal"])
    .$if(dialect === "postgresql", (query) => query.forUpdate("s")),
);

const bind = statement((db, { token, session }: Args<{ token: Digest; session: Uuid }>) =>
  db
    .insertInto("tiled_auth_browser_sessions")
    .columns(["token", "session_id"])
    .expression(
      db
        .selectFrom("sessions")
        .where("uuid", "=", session)
        .select((eb) => [eb.cast<Digest>(token, "varchar(64)").as("token"), "id as session_id"]),
    ),
);

const touch = statement((db, { session, time }: Args<{ session: Uuid; time: Date }>) =>
  db
    .updateTable("sessions")
    .set({ time_last_refreshed: time, time_updated: time })
    .where("uuid", "=", session)
    .where((eb) => eb.or([eb("time_last_refreshed", "is", null), eb("time_last_refreshed", "<", time)])),
);

const ownerOf = statement((db, { session }: Args<{ session: Uuid }>) =>
  db
    .selectFrom("sessions as s")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .where("s.uuid", "=", session)
    .select("p.uuid"),
);

/** Arguments of `browser_session.open`. */
export interface OpenBrowserSession {
  readonly token: Digest;
  readonly open: OpenCommand;
  readonly replaces: Digest | null;
}

/** Opens a session for a browser and ends the one it replaces. A refused login leaves the old session as it is. */
export async function openBrowserSession(
  db: Db,
  { token, open, replaces }: OpenBrowserSession,
): ReturnType<BrowserSessionStore["open"]> {
  const { now, context } = open;
  // Locked before the session, which may belong to this principal: see `steps/authority.ts`.
  const known = await db.one(lockByIdentity, open.identity);
  const old = replaces === null ? undefined : await db.one(lockReplaced, { token: replaces, now });
  const freed = old !== undefined && old.principal === known?.uuid ? 1 : 0;
  const outcome = await openSession(db, { ...open, limit: open.limit + freed });
  if (outcome.kind !== "opened") return { outcome, replaced: null };
  await db.run(bind, { token, session: outcome.session.uuid });
  if (old === undefined) return { outcome, replaced: null };
  await endSession(db, { session: old.session, principal: null, now, context });
  return { outcome, replaced: old };
}

/** Records the latest use of a browser session; an older time changes nothing. Returns the owner, or null if nothing changed. */
export async function touchBrowserSession(
  db: Db,
  use: { readonly session: Uuid; readonly time: Date },
): Promise<Uuid | null> {
  if ((await db.run(touch, use)) === 0) return null;
  return (await db.one(ownerOf, { session: use.session }))?.uuid ?? null;
}
