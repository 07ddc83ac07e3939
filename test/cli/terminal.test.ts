import assert from "node:assert/strict";
import { test } from "node:test";
import { LogBuffer } from "../../src/cli/log-buffer.ts";
import { table } from "../../src/cli/table.ts";
import { printable } from "../../src/cli/terminal.ts";

test("what others chose cannot move the cursor, break the line or turn the reading direction", () => {
  assert.equal(printable("alice"), "alice");
  assert.equal(printable("Ünï 測試 🙂"), "Ünï 測試 🙂");
  assert.equal(printable("a\u001b[2Jb\n\u009bc"), "a\\u{1b}[2Jb\\u{a}\\u{9b}c");
  assert.equal(printable("\u202Ebob\u2028\uFEFF\uD800"), "\\u{202e}bob\\u{2028}\\u{feff}\\u{d800}");
});

test("columns are aligned, without blanks at the end of lines", () => {
  const text = table(
    ["Name", "Roles", ""],
    [
      ["alice\n", "admin, user", ""],
      ["bob", "-", "disabled"],
    ],
  );
  assert.deepEqual(text.split("\n"), [
    "Name        Roles",
    "alice\\u{a}  admin, user",
    "bob         -            disabled",
  ]);
});

test("the lines of one turn of the event loop are written at once, those of the end before it", async () => {
  const written: string[] = [];
  const buffer = new LogBuffer((lines) => written.push(lines));
  buffer.write("1\n");
  buffer.write("2\n");
  assert.deepEqual(written, []);
  await new Promise(setImmediate);
  assert.deepEqual(written, ["1\n2\n"]);
  buffer.write("3\n");
  buffer.flush();
  await new Promise(setImmediate);
  assert.deepEqual(written, ["1\n2\n", "3\n"]);
});
