import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { entryUrl } from "../../src/lib/entry.ts";

test("every file that runs as a thread or a process of its own is there", () => {
  for (const path of [
    "src/store/sqlite/writer-worker",
    "src/config/reread-worker",
    "src/authenticators/pam/helper",
  ]) {
    const url = entryUrl(path);
    assert.ok(url.pathname.endsWith(`/${path}.ts`), url.href);
    assert.ok(existsSync(url), url.href);
  }
});
