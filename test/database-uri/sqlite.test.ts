/** Effect of each parameter of a SQLite URI, or the error that names it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseDatabaseUri } from "../../src/database-uri/database-uri.ts";
import { OperatorError } from "../../src/errors.ts";
import { openStore } from "../../src/store/open.ts";
import { folderFor, storeOptions } from "../store/support.ts";

for (const [uri, more] of [
  ["sqlite:////d/x.db?timeout=5", { busyTimeout: 5000 }],
  ["sqlite:////d/x.db?timeout=0.5", { busyTimeout: 500 }],
  ["sqlite:////d/x.db?mode=rw", { mustExist: true }],
  ["sqlite:////d/x.db?mode=rwc", {}],
  ["sqlite:///file:/d/x.db?mode=rw&uri=true&cache=private", { mustExist: true }],
  ["sqlite+pysqlite:////d/x.db", {}],
] as const) {
  test(`${uri} takes effect`, () => {
    assert.deepEqual(parseDatabaseUri(uri), { kind: "file", path: "/d/x.db", shown: "/d/x.db", ...more });
  });
}

for (const [uri, expected] of [
  ["sqlite:////d/x.db?mode=ro", /'mode'.*written/],
  ["sqlite:///file:/d/x.db?mode=ro&uri=true", /'mode'.*written/],
  ["sqlite:////d/x.db?mode=wr", /use rw, rwc or memory \(found 'wr'\)/],
  ["sqlite:////d/x.db?cache=shared", /'cache'/],
  ["sqlite:////d/x.db?check_same_thread=false", /'check_same_thread'.*Python.*Leave it out/],
  ["sqlite:////d/x.db?immutable=1", /'immutable'/],
  ["sqlite:////d/x.db?nolock=1", /'nolock'/],
  ["sqlite:////d/x.db?timeout=forever", /'timeout'.*seconds/],
  ["sqlite:////d/x.db?timout=5", /'timout'. Did you mean 'timeout'\?/],
  ["sqlite:////d/x.db?journal_mode=WAL", /'journal_mode'/],
  ["sqlite:///:memory:?journal_mode=WAL", /'journal_mode'/],
  ["sqlite:///file:/d/x.db?uri=false", /uri=false/],
  ["sqlite:///file:/d/%zz?uri=true", /%25/],
  ["sqlite+pysqlcipher:////d/x.db", /driver "pysqlcipher"/],
  ["file:///d/x.db?mode=ro", /Write sqlite:\/\/\/ before it/],
  ["file:x.db", /Write sqlite:\/\/\/ before it/],
] as const) {
  test(`${uri} is refused by its name`, () => {
    assert.throws(
      () => parseDatabaseUri(uri),
      (error) => error instanceof OperatorError && expected.test(error.message),
    );
  });
}

test("mode=rw creates no file, whatever the configuration allows", async (t) => {
  const path = join(folderFor(t), "x.db");
  await assert.rejects(openStore(storeOptions(`sqlite:///${path}?mode=rw`)), /There is no database/);
  assert.equal(existsSync(path), false);
});
