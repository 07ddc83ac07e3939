/** Browser sessions, looked up by the digest of the cookie's token. `commands/browser-session.ts` holds the writes. */
import type { Kysely } from "kysely";
import type { BrowserBinding, BrowserSessionStore } from "../domain/ports/accounts.ts";
import type { Digest } from "../lib/secrets.ts";
import { writeState } from "./base/codec.ts";
import { type Args, type Db, statement } from "./base/statement.ts";
import type { Tables } from "./base/tables.ts";
import { batched } from "./batcher.ts";
import type { Backend } from "./commands/backend.ts";
import { requireStorable } from "./identities.ts";

const bindings = (db: Kysely<Tables>) =>
  db
    .selectFrom("tiled_auth_browser_sessions as b")
    .innerJoin("sessions as s", "s.id", "b.session_id")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .innerJoin("tiled_auth_session_origins as o", "o.session_id", "s.id")
    .select([
      "b.token",
      "p.uuid as principal",
      "s.uuid",
      "s.time_created",
      "s.time_last_refreshed",
      "o.provider",
      "o.identity",
    ]);

const byToken = statement((db, { token }: Args<{ token: Digest }>) =>
  bindings(db).where("b.token", "=", token),
);

type Row = Awaited<ReturnType<ReturnType<typeof bindings>["execute"]>>[number];

function toBinding(row: Row): BrowserBinding {
  return {
    session: row.uuid,
    principal: row.principal,
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

/** Implements `BrowserSessionStore`. */
export function browserSessionStore(backend: Backend): BrowserSessionStore {
  // As for API keys: see `api-keys.ts`.
  const lookUp =
    backend.dialect === "sqlite"
      ? (token: Digest) => backend.read((db) => findBinding(db, token))
      : batched<Digest, BrowserBinding>((tokens) => backend.read((db) => findBindings(db, tokens)));
  return {
    open: async (token, open, replaces) => {
      requireStorable(open.identity);
      const command = { ...open, state: writeState(open.state) };
      return backend.write("browser_session.open", { token, open: command, replaces });
    },
    find: lookUp,
    touch: async (session, time) => {
      await backend.write("browser_session.touch", { session, time });
    },
  };
}
