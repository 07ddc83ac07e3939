/** Readings of several statements, between which others commit: each statement sees another state. */
import assert from "node:assert/strict";
import pg from "pg";
import type { Postgres } from "../../support/postgres.ts";
import { onPostgres, type PostgresCases } from "../on-postgres.ts";
import { logIn, NOW, openFor } from "../support.ts";

/** A foreign program revokes all sessions after the first statement that reads some. */
const CASES: PostgresCases<Postgres> = Object.fromEntries(
  (["document", "list"] as const).map((what) => [
    `a session that is revoked while its owner is read is shown once (${what})`,
    async (t, server, uri) => {
      const store = await openFor(t, uri);
      const { principal, session } = await logIn(store, "ann");
      const query = pg.Client.prototype.query as (...asked: unknown[]) => Promise<unknown>;
      let done = false;
      t.mock.method(pg.Client.prototype, "query", async function (this: pg.Client, ...asked: unknown[]) {
        const answer = await query.apply(this, asked);
        if (done || !/"sessions" as "s"/.test(String(asked[0]))) return answer;
        done = true;
        await server.query(uri, "update sessions set revoked = true");
        return answer;
      });
      const found =
        what === "document"
          ? await store.principals.document(principal.uuid, NOW)
          : (await store.principals.list({ offset: 0, limit: 10 }, NOW))[0];
      assert.ok(done);
      assert.deepEqual(
        found?.sessions.map(({ uuid, revoked }) => [uuid, revoked]),
        [[session.uuid, true]],
      );
    },
  ]),
);

onPostgres(CASES);
