/** Which tests are unit tests: those that start no other program. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { testFiles } from "../../scripts/test-files.ts";

function project(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "tiled-auth-test-files-"));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

test("a file that imports a way to start programs, itself or through a helper, is not a unit test", (t) => {
  const root = project(t, {
    "test/plain.test.ts": 'import { x } from "./support/plain.ts";\nimport { run } from "../src/run.ts";\n',
    "test/direct.test.ts": 'import { type A, spawn } from "node:child_process";\n',
    "test/lines.test.ts": 'import {\n  a,\n  b,\n} from "./support/browser.ts";\n',
    "test/deep.test.ts": 'import { x } from "./support/more.ts";\n',
    "test/lazy.test.ts": 'const x = await import("./support/more.ts");\n',
    "test/types.test.ts": 'import type { Server } from "./support/programs.ts";\n',
    "test/circle.test.ts": 'import { x } from "./support/circle.ts";\n',
    "test/support/plain.ts": 'import assert from "node:assert";\n',
    "test/support/more.ts": 'import { x } from "./plain.ts";\nexport { y } from "./programs.ts";\n',
    "test/support/programs.ts": 'import { spawn } from "node:child_process";\n',
    "test/support/browser.ts": 'import { chromium } from "playwright-core";\n',
    "test/support/circle.ts": 'import { x } from "./circle.ts";\n',
    "src/run.ts": 'import { spawn } from "node:child_process";\n',
  });
  const { unit, alone, others } = testFiles(root);
  assert.deepEqual(unit, ["circle", "plain", "types"].map(named));
  assert.deepEqual(others, ["deep", "direct", "lazy", "lines"].map(named));
  assert.deepEqual(alone, []);
});

test("a unit test that says so in its opening comment has a process of its own", (t) => {
  const root = project(t, {
    "test/a.test.ts": "/** Memory. In a process\n * of its own: it measures. */\n",
    "test/b.test.ts": "/** Other things. */\n// In a process of its own.\n",
  });
  assert.deepEqual(testFiles(root), { unit: [named("b")], alone: [named("a")], others: [] });
});

test("the files can be those of a folder", (t) => {
  const root = project(t, { "test/a/x.test.ts": "", "test/b/x.test.ts": "" });
  assert.deepEqual(testFiles(root, ["test/b"]).unit, ["test/b/x.test.ts"]);
});

test("every test of the project is one of the three", () => {
  const { unit, alone, others } = testFiles(resolve(import.meta.dirname, "../.."));
  assert.equal(new Set([...unit, ...alone, ...others]).size, unit.length + alone.length + others.length);
  assert.ok(others.includes("test/store/conformance.test.ts"));
  assert.ok(unit.includes("test/scripts/test-files.test.ts"));
});

function named(name: string): string {
  return `test/${name}.test.ts`;
}
