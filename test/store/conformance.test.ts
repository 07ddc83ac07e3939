import { join } from "node:path";
import { test } from "node:test";
import { openStore } from "../../src/store/open.ts";
import { postgresOrSkip } from "../support/postgres.ts";
import { conformance } from "./conformance.ts";
import { folderFor, openFor, storeOptions } from "./support.ts";

test("SQLite in a file", (t) =>
  conformance(t, (inner) => openFor(inner, `sqlite:///${join(folderFor(inner), "a.db")}`)));

test("SQLite in memory", (t) => conformance(t, (inner) => openFor(inner, null)));

test("PostgreSQL", async (t) => {
  const server = await postgresOrSkip(t);
  if (server === undefined) return;
  const prepared = await server.createDatabase();
  await (await openStore(storeOptions(prepared))).close();
  const template = new URL(prepared).pathname.slice(1);
  await conformance(t, async (inner) => openFor(inner, await server.createDatabase(template)));
});
