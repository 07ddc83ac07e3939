import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { describe } from "../../../src/cli/console/help.ts";
import { main } from "../../../src/cli/program.ts";
import { TestTerminal } from "../../support/terminal.ts";

function helpOf(exitCodes: readonly string[]): string {
  let text = "";
  const verb = new Command("verb").configureOutput({ writeOut: (part) => (text += part) });
  describe(verb, { examples: ["tiled verb", "tiled verb --all"], exitCodes }).outputHelp();
  return text;
}

test("the help ends with examples and the usual exit codes", () => {
  assert.ok(
    helpOf([]).endsWith(`
Examples:
  tiled verb
  tiled verb --all

Exit codes:
  0    done
  1    refused, or failed
  2    wrong usage
  130  interrupted
`),
  );
});

test("a verb's own exit codes replace the usual ones or are put between them; a number alone takes one away", () => {
  assert.match(
    helpOf(["3 the server cannot start", "0 stopped", "130"]),
    /Exit codes:\n {2}0 {4}stopped\n {2}1 {4}refused, or failed\n {2}2 {4}wrong usage\n {2}3 {4}the server cannot start\n$/,
  );
});

test("on a terminal of 60 columns descriptions are wrapped beside their options", async () => {
  for (const verb of [["init"], ["login"], ["api_key", "create"]]) {
    const terminal = new TestTerminal({}, "", { columns: 60 });
    await main([...verb, "--help"], terminal);
    const [, options = ""] = /\nOptions:\n(.*?)\n\n/s.exec(terminal.stdout) ?? [];
    assert.match(options, /--help/);
    for (const line of options.split("\n")) assert.ok(line.length <= 60, line);
  }
});
