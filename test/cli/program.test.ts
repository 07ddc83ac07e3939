import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { program, unexpected } from "../../src/cli/program.ts";
import { VERSION } from "../../src/lib/version.ts";
import { TestTerminal, tiled } from "../support/terminal.ts";

test("--version and -V print the version and nothing else", async () => {
  for (const flag of ["--version", "-V"]) {
    assert.deepEqual(await tiled([flag]), { code: 0, stdout: `${VERSION}\n`, stderr: "" });
  }
});

test("a command without its verb prints help on stdout and exits with 2", async () => {
  for (const args of [[], ["serve"], ["config"], ["admin"]]) {
    const { code, stdout, stderr } = await tiled(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(stdout, new RegExp(`^Usage: ${["tiled", ...args].join(" ")} `));
    assert.equal(stderr, "");
  }
});

test("wrong usage exits with 2, and stderr names the error and the help", async () => {
  for (const [args, message] of [
    [["srve"], /unknown command 'srve'/],
    [["serve", "confg"], /unknown command 'confg'/],
    [["serve", "config", "--bogus"], /unknown option '--bogus'/],
    [["serve", "config", "a.yml", "b.yml"], /too many arguments/],
    [["serve", "config", "--port", "65536"], /A port is a number from 0 to 65535/],
    [["serve", "config", "--port", "-1"], /A port|not a whole number/],
    [["serve", "config", "--port"], /argument missing/],
    [["serve", "pyobject"], /missing required argument 'name'/],
    [["serve", "directory"], /missing required argument 'folder'/],
    [["serve", "demo", "--log-level", "loud"], /Allowed choices are trace, debug, info/],
    [["admin", "revoke-session", "nonsense"], /It is not a UUID/],
    [["admin", "revoke-key", "toy:alice", "0123"], /first eight hexadecimal digits/],
    [["admin", "audit", "--event", "party"], /Allowed choices are login, login_failed/],
    [["admin", "audit", "--since", "yesterday"], /2h, 7d/],
    [["admin", "principals", "--limit", "0"], /at least 1/],
  ] as const) {
    const { code, stdout, stderr } = await tiled(args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.match(stderr, /Add --help/);
  }
});

test("a catalog is not served, and the message names the alternative", async () => {
  const { code, stderr } = await tiled(["serve", "catalog", "--temp", "--write", "data"]);
  assert.equal(code, 1);
  assert.match(stderr, /Only a real Tiled serves a catalog\..*'tiled config migrate FILE'/);
});

test("every verb has help, and every argument and option of it is described", async () => {
  const verbs = (command: Command, path: readonly string[]): (readonly [Command, readonly string[]])[] => [
    [command, path],
    ...command.commands.flatMap((child) => verbs(child, [...path, child.name()])),
  ];
  const all = verbs(program(new TestTerminal()), []);
  assert.ok(all.length >= 20);
  for (const [command, path] of all) {
    const { code, stdout, stderr } = await tiled([...path, "--help"]);
    const name = ["tiled", ...path].join(" ");
    assert.deepEqual([code, stderr], [0, ""], name);
    assert.ok(stdout.startsWith(`Usage: ${name}`), name);
    assert.notEqual(command.description(), "", name);
    for (const part of [...command.registeredArguments, ...command.options]) {
      assert.notEqual(part.description, "", `${name} ${part.name()}`);
    }
  }
});

test("an unexpected error is one line and a request to report it; the stack is shown on request", () => {
  const error = new TypeError("x is not\n  a function");
  const terminal = new TestTerminal();
  assert.equal(unexpected(error, terminal), 1);
  const [first, second, ...rest] = terminal.stderr.split("\n");
  assert.equal(first, "tiled: unexpected error: TypeError: x is not a function");
  assert.match(second ?? "", /report/);
  assert.deepEqual(rest, [""]);

  const debugging = new TestTerminal({ TILED_DEBUG: "1" });
  unexpected(error, debugging);
  assert.match(debugging.stderr, /\n {4}at .*program\.test\.ts/);
});
