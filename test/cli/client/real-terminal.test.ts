/** `tiled login` on a pseudo-terminal: what a person sees, and what Ctrl-C leaves behind. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { temporaryFolder } from "../../support/folders.ts";
import { startOurs, TILED } from "../../support/ours.ts";
import { atTerminal, type Dialogue, withoutTiled } from "../../support/python.ts";
import { PASSWORDS, toy } from "../../support/toy.ts";

/** Reports the exit code, and whether the terminal echoes again. */
const WATCHED = `trap : INT; "$@"; echo "ended with $?"; stty -a | grep -qw -e -echo || echo "it echoes"`;

describe("a login on a terminal", { skip: withoutTiled() }, () => {
  test("shows no password, and Ctrl-C leaves the terminal as it was", { timeout: 120_000 }, async (t) => {
    const cleanup = t.after.bind(t);
    const { url } = await startOurs(cleanup, toy());
    const home = await temporaryFolder(cleanup);
    const typed = async (...dialogue: Dialogue) => {
      const command = ["sh", "-c", WATCHED, "sh", ...TILED, "login", url];
      const { stdout } = await atTerminal(command, dialogue, { HOME: home, TERM: "xterm" });
      return stripVTControlCharacters(stdout).replaceAll("\r", "");
    };
    for (const dialogue of [
      [["Username: ", "\u0003"]],
      [
        ["Username: ", "bob"],
        ["Password: ", "\u0003"],
      ],
    ] as Dialogue[]) {
      const text = await typed(...dialogue);
      assert.match(text, /name: (bob\nPassword: )?\n(\n)?ended with 130\nit echoes\n/, text);
      for (const place of [".cache/tiled", ".config"]) assert.ok(!existsSync(join(home, place)));
    }
    const text = await typed(["Username: ", "bob"], ["Password: ", "wrong"], ["Password: ", PASSWORDS.bob]);
    assert.match(
      text,
      /^Username: bob\nPassword: \nUsername or password not recognized\. .*\nPassword: \nTiled profile 'auto' .*\nLogged in to .* as bob\.\nended with 0\nit echoes\n$/,
    );
  });
});
