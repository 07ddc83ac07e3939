/** Imports of a middle_auth server's people on PostgreSQL beside other changes, which each statement may see or not. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { CompiledQuery } from "kysely";
import type { ImportedPerson } from "../../../src/domain/ports/cave-import.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { PostgresConnection } from "../../../src/store/postgres/pool.ts";
import { onPostgres } from "../on-postgres.ts";
import { at, logIn, NOW, ORIGIN, openFor } from "../support.ts";

const EMAIL = "ann@example.org";
const ANN: ImportedPerson = {
  id: 70,
  type: "user",
  name: "Ann",
  email: EMAIL,
  created: at(-1000),
  tokens: [],
  accepted: [],
};

const take = (store: Store) =>
  store.caveImporter.import({
    provider: "google",
    caseSensitive: false,
    people: [ANN],
    dryRun: false,
    now: NOW,
    context: ORIGIN,
  });

/** Calls `between` once, before the first statement that matches. */
function before(t: TestContext, statement: RegExp, between: () => Promise<unknown>): void {
  const original = PostgresConnection.prototype.executeQuery;
  let called = false;
  t.mock.method(
    PostgresConnection.prototype,
    "executeQuery",
    async function (this: PostgresConnection, query: CompiledQuery) {
      if (!called && statement.test(query.sql)) {
        called = true;
        await between();
      }
      return original.call(this, query);
    },
  );
}

const READS = {
  identities: /^select .* from "identities" as "i" where/,
  "folded names": /^select "id", "folded" from/,
  principals: /^select "id", "uuid", "type" from "principals"/,
};

onPostgres({
  ...Object.fromEntries(
    Object.entries(READS).map(([name, statement]) => [
      `a second import that comes before the first reads ${name} ends like one after it`,
      async (t: TestContext, server, uri: string) => {
        const store = await openFor(t, uri);
        let second: ReturnType<typeof take> | undefined;
        before(t, statement, async () => {
          let ended = false;
          second = take(store).finally(() => {
            ended = true;
          });
          for (const deadline = performance.now() + 10_000; !ended; await delay(20)) {
            const waiting = await server.query(
              uri,
              "select 1 from pg_locks where not granted and locktype = 'advisory'",
            );
            if (waiting.length > 0 || performance.now() > deadline) break;
          }
        });
        const first = await take(store);
        assert.equal(first.kind, "done");
        assert.equal((await second)?.kind, "done");
        assert.equal((await store.cave.people(0, 100)).length, 1);
      },
    ]),
  ),

  "a person who logs in while an import reads is a conflict of the identity, not of its spelling": async (
    t,
    _,
    uri,
  ) => {
    const store = await openFor(t, uri);
    before(t, READS["folded names"], () => logIn(store, "", { identity: { provider: "google", id: EMAIL } }));
    const outcome = await take(store);
    assert.deepEqual(outcome, {
      kind: "conflicts",
      conflicts: [{ person: ANN.id, kind: "identity", here: "principal 1" }],
    });
  },
});
