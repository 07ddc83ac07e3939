/** Tests on PostgreSQL: each gets a new database, and with `onPrivatePostgres` a server that it may stop. */
import { type TestContext, test } from "node:test";
import {
  type Postgres,
  type PrivatePostgres,
  postgresOrSkip,
  privatePostgresOrSkip,
} from "../support/postgres.ts";

export type PostgresCases<Server extends Postgres = PrivatePostgres> = Readonly<
  Record<string, (t: TestContext, server: Server, uri: string) => Promise<void>>
>;

export function onPostgres(cases: PostgresCases<Postgres>): void {
  suite(cases, postgresOrSkip);
}

export function onPrivatePostgres(cases: PostgresCases): void {
  suite(cases, privatePostgresOrSkip);
}

function suite<Server extends Postgres>(
  cases: PostgresCases<Server>,
  start: (t: TestContext) => Promise<Server | undefined>,
): void {
  void test("PostgreSQL", async (t) => {
    const server = await start(t);
    if (server === undefined) return;
    for (const [name, run] of Object.entries(cases)) {
      await t.test(name, { timeout: 60_000 }, async (inner) =>
        run(inner, server, await server.createDatabase()),
      );
    }
  });
}
