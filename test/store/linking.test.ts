/** Sessions from before a hand-over: the identity that opened them is unknown. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { at, folderFor, logIn, ORIGIN, openFor } from "./support.ts";

test("unlinking ends sessions that the real Tiled opened, too", async (t) => {
  const path = join(folderFor(t), "a.db");
  const store = await openFor(t, `sqlite:///${path}`);
  const ann = await logIn(store, "ann");
  const old = await logIn(store, "ann");
  const change = {
    principal: ann.principal.uuid,
    session: ann.session.uuid,
    since: at(-300),
    now: at(10),
    context: ORIGIN,
    identity: { provider: "orcid", id: "x" },
  };
  assert.equal((await store.accounts.link({ ...change, limit: 5, code: null })).kind, "linked");
  const db = new Sqlite(path);
  db.prepare(
    "delete from tiled_auth_session_origins where session_id = (select id from sessions where uuid = ?)",
  ).run(old.session.uuid);
  db.close();
  const outcome = await store.accounts.unlink({ ...change, providers: ["toy"] });
  assert.deepEqual(outcome, { kind: "unlinked", revoked: [old.session.uuid] });
});
