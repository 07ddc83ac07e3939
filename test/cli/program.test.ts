import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { printError } from "../../src/cli/console/errors.ts";
import { main, program, unexpected } from "../../src/cli/program.ts";
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
    assert.match(stderr, /^error: .*\nhint: .*Add --help/);
  }
});

test("a catalog is not served, and the message names the alternative", async () => {
  const { code, stderr } = await tiled(["serve", "catalog", "--temp", "--write", "data"]);
  assert.equal(code, 1);
  assert.match(stderr, /Only a real Tiled serves a catalog\..*'tiled config migrate FILE'/);
});

/** The verbs that help shows, each with the words that lead to it. */
function verbs(command: Command, path: readonly string[] = []): (readonly [Command, readonly string[]])[] {
  const shown = command.createHelp().visibleCommands(command);
  return [[command, path], ...shown.flatMap((child) => verbs(child, [...path, child.name()]))];
}

test("every verb has help: one line of description, each argument and option, two examples, exit codes", async () => {
  const all = verbs(program(new TestTerminal()));
  assert.ok(all.length >= 20);
  for (const [command, path] of all) {
    const { code, stdout, stderr } = await tiled([...path, "--help"]);
    const name = ["tiled", ...path].join(" ");
    assert.deepEqual([code, stderr], [0, ""], name);
    assert.ok(stdout.startsWith(`Usage: ${name} `), name);
    assert.match(command.description(), /^.{1,100}$/, name);
    for (const part of [...command.registeredArguments, ...command.options]) {
      assert.notEqual(part.description, "", `${name} ${part.name()}`);
    }

    assert.match(stdout, /\nExit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n( {2}\d+ .*\n)*$/, name);
    const examples = /\nExamples:\n((?: {2}\S.*\n){2})\n/.exec(stdout)?.[1] ?? "";
    const [first = "", second = ""] = examples.trim().split(/\n */);
    for (const example of [first, second])
      assert.ok(example.includes(name), `${name} has an example of another verb: ${example}`);
    assert.notEqual(first, second, name);
  }
});

test("commands in the help and in messages have the name that the command was called by", async () => {
  for (const [file, name] of [
    ["/usr/bin/tiled-auth", "tiled-auth"],
    ["tiled-auth", "tiled-auth"],
    ["/opt/tiled-auth/dist/src/bin.js", "tiled"],
  ] as const) {
    const called = async (args: readonly string[]) => {
      const terminal = new (class extends TestTerminal {
        override readonly command = ["/usr/bin/node", file];
      })();
      const code = await main(args, terminal);
      return { code, stdout: terminal.stdout, stderr: terminal.stderr };
    };
    const { stdout } = await called(["serve", "config", "--help"]);
    assert.match(stdout, new RegExp(`^Usage: ${name} serve config`));
    assert.match(stdout, new RegExp(`^'${name} config check FILE'`, "m"));
    assert.match(stdout, new RegExp(`^  ${name} serve config --port 0$`, "m"));
    assert.match((await called(["serve", "catalog"])).stderr, new RegExp(`'${name} config migrate FILE'`));
  }
});

test("verbs are understood with dashes and with underscores", async () => {
  for (const args of [
    ["admin", "make_admin", "--help"],
    ["admin", "make-admin", "--help"],
  ]) {
    const { code, stdout } = await tiled(args);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: tiled admin make-admin \[options\] <provider> <id>\n/);
  }
});

test("a misspelt verb or option gets a hint with the right one", async () => {
  for (const [args, message, hint] of [
    [["srve"], "unknown command 'srve'", "Did you mean serve? "],
    [["admin", "make_admn"], "unknown command 'make_admn'", "Did you mean make_admin? "],
    [["serve", "config", "--hots", "::"], "unknown option '--hots'", "Did you mean --host? "],
    [["serve", "config", "--colour"], "unknown option '--colour'", "Did you mean --color? "],
    [["serve", "config", "--bogus"], "unknown option '--bogus'", ""],
  ] as const) {
    const { code, stderr } = await tiled(args);
    assert.equal(code, 2);
    assert.equal(stderr, `error: ${message}\nhint: ${hint}Add --help for the allowed options.\n`);
  }
});

test("errors are coloured on a terminal; --color decides before and after the verb", async () => {
  class Coloured extends TestTerminal {
    override readonly errView = { terminal: true, colours: true };
    override readonly outView = { terminal: true, colours: true };
  }
  const red = "\u001b[31merror:\u001b[39m ";
  for (const [terminal, args, coloured] of [
    [new TestTerminal(), [], false],
    [new TestTerminal(), ["--color", "auto"], false],
    [new TestTerminal(), ["--color=always"], true],
    [new Coloured(), [], true],
    [new Coloured(), ["--color", "never"], false],
    [new Coloured(), ["--color", "never", "--", "--color=always"], false],
  ] as const) {
    for (const words of [
      [...args, "serve", "catalog"],
      ["serve", "catalog", ...args],
    ]) {
      if (words.includes("--") && words[0] !== "serve") continue;
      terminal.stderr = "";
      assert.equal(await main(words, terminal), 1);
      assert.equal(terminal.stderr.startsWith(red), coloured, words.join(" "));
      assert.equal(terminal.stderr.includes("\u001b"), coloured);
    }
  }
  const help = new Coloured();
  await main(["--help"], help);
  for (const title of ["Usage:", "Use a server:", "Examples:", "Exit codes:"])
    assert.ok(help.stdout.includes(`\u001b[1m${title}\u001b[22m`), title);
  const { code, stderr } = await tiled(["--color", "blue", "serve", "catalog"]);
  assert.equal(code, 2);
  assert.match(stderr, /^error: option '--color <when>'.* Allowed choices are auto, always, never\.\nhint: /);
});

test("an error with several lines keeps them, and none of them commands the terminal", () => {
  const terminal = new TestTerminal();
  printError(
    terminal,
    "The configuration has 2 errors.\na.yml:1: x\na.yml:2: \u001b[2J\u202e",
    "Mend \u0007it.",
  );
  assert.equal(
    terminal.stderr,
    "error: The configuration has 2 errors.\na.yml:1: x\na.yml:2: \\u{1b}[2J\\u{202e}\nhint: Mend \\u{7}it.\n",
  );
});

test("an unexpected error is one line and a request to report it; the stack is shown on request", () => {
  const error = new TypeError("x is not\n  a function");
  const terminal = new TestTerminal();
  assert.equal(unexpected(error, terminal), 1);
  const [first, second, ...rest] = terminal.stderr.split("\n");
  assert.equal(first, "error: unexpected error: TypeError: x is not a function");
  assert.match(second ?? "", /^hint: .*report/);
  assert.deepEqual(rest, [""]);

  const debugging = new TestTerminal({ TILED_DEBUG: "1" });
  unexpected(error, debugging);
  assert.match(debugging.stderr, /\n {4}at .*program\.test\.ts/);
});
