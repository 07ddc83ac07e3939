/**
 * Browsers that are logged in: a token's digest beside a row of `sessions`, which says how long it lasts. A browser has
 * one session at a time: a new login ends the one before it.
 */
import type { Kysely } from "kysely";
import type { BrowserBinding, BrowserSessionStore } from "../domain/ports/accounts.ts";
import type { Digest } from "../lib/secrets.ts";
import type { Uuid } from "../lib/uuid.ts";
import type { Backend } from "./backend.ts";
import { writeState } from "./codec.ts";
import { gathered } from "./gather.ts";
import { requireStorable } from "./identities.ts";
import type { Tables } from "./schema/tables.ts";
import { endSession, lockByIdentity, type OpenCommand, openSession } from "./sessions.ts";
import { type Args, type Db, statement } from "./statement.ts";

const bindings = (db: Kysely<Tables>) =>
  db
    .selectFrom("tiled_auth_browser_sessions as b")
    .innerJoin("sessions as s", "s.id", "b.session_id")
    .innerJoin("tiled_auth_session_origins as o", "o.session_id", "s.id")
    .select(["b.token", "s.uuid", "s.time_created", "s.time_last_refreshed", "o.provider", "o.identity"]);

const byToken = statement((db, { token }: Args<{ token: Digest }>) =>
  bindings(db).where("b.token", "=", token),
);

/** Its lock keeps the session's end from being counted twice. */
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

export interface OpenBrowserSession {
  readonly token: Digest;
  readonly open: OpenCommand;
  readonly replaces: Digest | null;
}

export async function openBrowserSession(
  db: Db,
  { token, open, replaces }: OpenBrowserSession,
): ReturnType<BrowserSessionStore["open"]> {
  const { now, context } = open;
  // Before the session, which may be theirs: see `authority.ts`.
  const known = await db.one(lockByIdentity, open.identity);
  const old = replaces === null ? undefined : await db.one(lockReplaced, { token: replaces, now });
  const freed = old !== undefined && old.principal === known?.uuid ? 1 : 0;
  const outcome = await openSession(db, { ...open, limit: open.limit + freed });
  if (outcome.kind !== "opened") return { outcome, replaced: null };
  await db.run(bind, { token, session: outcome.session.uuid });
  if (old === undefined) return { outcome, replaced: null };
  await endSession(db, { uuid: old.session, principal: null, now, context });
  return { outcome, replaced: old };
}

export async function touchBrowserSession(
  db: Db,
  use: { readonly session: Uuid; readonly time: Date },
): Promise<void> {
  await db.run(touch, use);
}

type Row = Awaited<ReturnType<ReturnType<typeof bindings>["execute"]>>[number];

function toBinding(row: Row): BrowserBinding {
  return {
    session: row.uuid,
    identity: { provider: row.provider, id: row.identity },
    startedAt: row.time_created,
    lastUsed: row.time_last_refreshed ?? row.time_created,
  };
}

async function findBinding(db: Db, token: Digest): Promise<BrowserBinding | undefined> {
  const row = await db.one(byToken, { token });
  return row && toBinding(row);
}

async function findBindings(db: Db, tokens: readonly Digest[]): Promise<(BrowserBinding | undefined)[]> {
  const [first, ...others] = tokens;
  if (first !== undefined && others.length === 0) return [await findBinding(db, first)];
  const rows = await db.query((tables) => bindings(tables).where("b.token", "in", tokens));
  const found = new Map(rows.map((row) => [row.token, toBinding(row)]));
  return tokens.map((token) => found.get(token));
}

export function browserSessionStore(backend: Backend): BrowserSessionStore {
  // As with API keys: `api-keys.ts`.
  const lookUp =
    backend.dialect === "sqlite"
      ? (token: Digest) => backend.read((db) => findBinding(db, token))
      : gathered<Digest, BrowserBinding>((tokens) => backend.read((db) => findBindings(db, tokens)));
  return {
    open: async (token, open, replaces) => {
      requireStorable(open.identity);
      const command = { ...open, state: writeState(open.state) };
      return backend.write("browser_session.open", { token, open: command, replaces });
    },
    find: lookUp,
    touch: (session, time) => backend.write("browser_session.touch", { session, time }),
  };
}
