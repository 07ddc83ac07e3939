/** A program that began its login at the real Tiled, where a person confirmed it, polls here after the hand-over. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { sha256 } from "../../../src/lib/secrets.ts";
import { folderFor, logIn, NOW, openFor } from "../../store/support.ts";
import { ManualClock } from "../../support/clock.ts";
import { type Answered, poll, scene } from "../../support/device-login.ts";

test("it collects its tokens, once", async (context) => {
  const path = join(folderFor(context), "tiled.db");
  const store = await openFor(context, `sqlite:///${path}`);
  await using s = await scene({ app: { store, clock: new ManualClock(NOW) } });
  const { session } = await logIn(store, "-", { identity: { provider: "orcid", id: "0000-0001" } });
  const device_code = "0a".repeat(32);
  const db = new Sqlite(path);
  db.prepare(
    "insert into pending_sessions select ?, 'ABCD1234', '2026-12-01 12:10:00.000000', id from sessions where uuid = ?",
  ).run(Buffer.from(sha256(Buffer.from(device_code, "hex")), "hex"), session.uuid);
  db.close();
  assert.equal((await poll(s.t, { device_code }, "other")).statusCode, 404);
  const answer = await poll(s.t, { device_code });
  assert.equal(answer.statusCode, 200, answer.body);
  const tokens = answer.json<Answered>();
  assert.deepEqual(tokens.identity, { id: "0000-0001", provider: "orcid" });
  assert.equal((await s.t.whoami(`Bearer ${tokens.access_token}`)).statusCode, 200);
  assert.equal((await s.t.refresh(tokens.refresh_token)).statusCode, 200);
  assert.equal((await poll(s.t, { device_code })).statusCode, 404);
});
