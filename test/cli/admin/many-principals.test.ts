/** More principals than a statement has places for values, and more than fit into one page of what is read. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import Sqlite from "better-sqlite3";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

const COUNT = 33_000;
const file = join(await temporaryFolder(after), "tiled.db");

const uuidOf = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;

before(async () => {
  assert.equal((await tiled(["admin", "initialize-database", file])).code, 0);
  const db = new Sqlite(file);
  db.exec(`
    with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ${COUNT})
    insert into principals (uuid, type) select printf('00000000-0000-4000-8000-%012d', i), 'service' from n`);
  db.close();
});

async function list(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tiled(["admin", "principals", "--database", file, ...args]);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

test("any limit works, as text and as one JSON text", async () => {
  const lines = (await list("--limit", String(COUNT))).trimEnd().split("\n");
  assert.match(lines[0] ?? "", /^UUID /);
  assert.deepEqual(
    lines.slice(1).map((line) => line.slice(0, 36)),
    Array.from({ length: COUNT }, (_, index) => uuidOf(index)),
  );
  const text = await list("--json", "--limit", "999999999999999");
  const all = JSON.parse(text) as { uuid: string }[];
  assert.equal(all.length, COUNT);
  assert.equal(text, `${JSON.stringify(all, null, 2)}\n`);
});

test("a limit and an offset count across the pages that are read", async () => {
  for (const [offset, limit] of [
    [0, 500],
    [1, 501],
    [499, 1000],
    [32_400, 700],
  ] as const) {
    const page = JSON.parse(await list("--json", "--offset", String(offset), "--limit", String(limit))) as {
      uuid: string;
    }[];
    assert.deepEqual(
      page.map(({ uuid }) => uuid),
      Array.from({ length: Math.min(limit, COUNT - offset) }, (_, index) => uuidOf(offset + index)),
    );
  }
});
