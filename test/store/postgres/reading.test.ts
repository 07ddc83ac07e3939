/** Readings of several statements, between which others commit: each statement sees another state. */
import assert from "node:assert/strict";
import pg from "pg";
import type { Postgres } from "../../support/postgres.ts";
import { onPostgres, type PostgresCases } from "../on-postgres.ts";
import { logIn, NOW, openFor, refresh } from "../support.ts";

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
        const [first] = asked as [string | { readonly text?: string }];
        const text = typeof first === "string" ? first : first.text;
        if (done || !/"sessions" as "s"/.test(text ?? "")) return answer;
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

onPostgres({
  ...CASES,

  "prepared statements that were deallocated, or whose table has another column, are prepared again": async (
    t,
    server,
    uri,
  ) => {
    const store = await openFor(t, uri, { poolSize: 2, maxOverflow: 0 });
    const clients = new Set<pg.Client>();
    const query = pg.Client.prototype.query as (...asked: unknown[]) => Promise<unknown>;
    t.mock.method(pg.Client.prototype, "query", function (this: pg.Client, ...asked: unknown[]) {
      clients.add(this);
      return query.apply(this, asked);
    });
    const use = async () => {
      const { principal, session } = await logIn(store, "ann");
      assert.equal((await store.sessions.rotate(refresh(session.uuid, 0, "t"))).kind, "refreshed");
      assert.equal((await store.sessions.status(session.uuid))?.principal, principal.uuid);
      return await store.principals.document(principal.uuid, NOW);
    };
    await Promise.all([use(), use()]);
    for (const sql of ["discard all", "deallocate all"]) {
      for (const client of clients) await query.call(client, sql).catch(() => {});
      assert.equal((await use())?.type, "user");
      assert.equal((await use())?.type, "user");
    }
    await server.query(uri, "alter table sessions alter column uuid type varchar(40)");
    assert.equal((await use())?.type, "user");
    assert.equal((await use())?.type, "user");
  },

  "the statements prepared on a connection are bounded": async (t, _, uri) => {
    const store = await openFor(t, uri, { poolSize: 2, maxOverflow: 0 });
    const names = new Set<unknown>();
    const { query } = pg.Client.prototype;
    t.mock.method(pg.Client.prototype, "query", function (this: pg.Client, ...asked: unknown[]) {
      names.add((asked[0] as pg.QueryConfig).name);
      return (query as (...all: unknown[]) => unknown).apply(this, asked);
    });
    const round = async (index: number) => {
      const { principal, session } = await logIn(store, `person ${index % 7}`, { limit: 1000 });
      await store.sessions.status(session.uuid);
      await store.principals.document(principal.uuid, NOW);
    };
    for (let index = 0; index < 10; index++) await round(index);
    const { size } = names;
    assert.ok(size > 5);
    for (let index = 0; index < 40; index++) await round(index);
    assert.equal(names.size, size);
  },
});
