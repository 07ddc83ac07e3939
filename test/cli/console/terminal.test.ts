import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "../../../src/cli/console/table.ts";
import { LogBuffer } from "../../../src/cli/serve/log-buffer.ts";

test("columns are aligned, without blanks at the end of lines", () => {
  const lines = table(["Name", "Roles", ""]);
  const first = [
    ["alice\n", "admin, user", ""],
    ["bob", "-", "disabled"],
  ];
  assert.deepEqual(lines(first).split("\n"), [
    "Name        Roles",
    "alice\\u{a}  admin, user",
    "bob         -            disabled",
  ]);
  const later = [
    ["cy", "user", "disabled"],
    ["maximiliane", "user", "disabled"],
  ];
  assert.deepEqual(lines(later).split("\n"), [
    "cy           user         disabled",
    "maximiliane  user         disabled",
  ]);
});

test("the lines of one turn of the event loop are written at once, those of the end before it", async () => {
  const written: string[] = [];
  const buffer = new LogBuffer((lines, done) => {
    written.push(lines);
    done();
  });
  buffer.write("1\n");
  buffer.write("2\n");
  assert.deepEqual(written, []);
  await new Promise(setImmediate);
  assert.deepEqual(written, ["1\n2\n"]);
  buffer.write("3\n");
  buffer.flush();
  await new Promise(setImmediate);
  assert.deepEqual(written, ["1\n2\n", "3\n"]);
  buffer.write("4\n");
  assert.equal(buffer.takeLast(), "4\n");
});

test("a line of the log cannot command a terminal, and is still JSON", () => {
  const written: string[] = [];
  const buffer = new LogBuffer((lines) => void written.push(lines));
  const line = { msg: "\u009b31m\u202eü\u007f" };
  buffer.write(`${JSON.stringify({ msg: "request" })}\n`);
  buffer.write(`${JSON.stringify(line)}\n`);
  buffer.flush();
  assert.deepEqual(written, ['{"msg":"request"}\n{"msg":"\\u009b31m\\u202eü\\u007f"}\n']);
});

test("the buffer for a stopped reader is limited, and the output says how many lines are missing", async () => {
  const written: string[] = [];
  const dropped: number[] = [];
  let go = (): void => {};
  const buffer = new LogBuffer(
    (lines, done) => {
      written.push(lines);
      go = done;
    },
    { most: 8, onDropped: (lines) => dropped.push(lines) },
  );
  buffer.write("1\n");
  await new Promise(setImmediate);
  for (let line = 2; line <= 9; line++) buffer.write(`${line}\n`);
  await new Promise(setImmediate);
  assert.deepEqual(written, ["1\n"]);
  go();
  assert.deepEqual(written, ["1\n", "2\n3\n4\n5\n"]);
  assert.deepEqual(dropped, [4]);
  const ended = buffer.end(60_000);
  go();
  await ended;
  buffer.write("a\n");
  await buffer.end(0);
  assert.equal(written.at(-1), "a\n", "the end waits no longer than it is told");
});
