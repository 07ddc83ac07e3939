/** Tests that need a PostgreSQL of their own: each gets a new database of one server. */
import { type TestContext, test } from "node:test";
import { type PrivatePostgres, startPostgresOrSkip } from "../support/postgres.ts";

export type PostgresCases = Readonly<
  Record<string, (t: TestContext, server: PrivatePostgres, uri: string) => Promise<void>>
>;

export function onPostgres(cases: PostgresCases): void {
  void test("PostgreSQL", async (t) => {
    const server = await startPostgresOrSkip(t);
    if (server === undefined) return;
    t.after(() => server.remove());
    for (const [name, run] of Object.entries(cases)) {
      await t.test(name, { timeout: 60_000 }, async (inner) =>
        run(inner, server, await server.createDatabase()),
      );
    }
  });
}
