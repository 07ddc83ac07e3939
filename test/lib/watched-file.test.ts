import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { WatchedFile } from "../../src/lib/watched-file.ts";
import { eventually } from "../support/eventually.ts";

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "tiled-watch-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "a");
  writeFileSync(path, "1");
  return { folder, path };
}

test("each check tells whether the file has changed since the last one", async (t) => {
  const { folder, path } = setUp(t);
  let changes = 0;
  const watched = new WatchedFile(path, () => {
    changes += 1;
  });
  assert.equal(await watched.look(), false);
  writeFileSync(path, "22");
  assert.equal(await watched.look(), true);
  assert.equal(await watched.look(), false);
  writeFileSync(join(folder, "b"), "22");
  await rename(join(folder, "b"), path);
  assert.equal(await watched.look(), true);
  unlinkSync(path);
  assert.equal(await watched.look(), true);
  assert.equal(await watched.look(), false);
  symlinkSync("c", path);
  assert.equal(await watched.look(), false, "a link to nothing is nothing");
  writeFileSync(join(folder, "c"), "3");
  assert.equal(await watched.look(), true);
  assert.equal(changes, 4);
});

for (const [how, options] of [
  ["by the system's notices", { interval: 3_600_000, settle: 1 }],
  ["by looking, where there are none", { interval: 20, settle: 3_600_000 }],
] as const) {
  test(`a change is reported ${how}, and nothing after the stop`, { timeout: 20_000 }, async (t) => {
    const { path } = setUp(t);
    let changes = 0;
    const watched = new WatchedFile(
      path,
      () => {
        changes += 1;
      },
      options,
    );
    watched.start();
    writeFileSync(path, "22");
    assert.ok(await eventually(10, async () => changes > 0));
    watched.stop();
    const before = changes;
    writeFileSync(path, "333");
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(changes, before);
  });
}

test("a check in progress at the stop reports nothing", async (t) => {
  const { path } = setUp(t);
  let changes = 0;
  const watched = new WatchedFile(path, () => {
    changes += 1;
  });
  writeFileSync(path, "22");
  const look = watched.look();
  watched.stop();
  assert.equal(await look, false);
  assert.equal(changes, 0);
});
