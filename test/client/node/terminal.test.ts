/** The login on a real terminal: asked on it, the password without an echo, and stored for the next program. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../support/folders.ts";
import { startOurs } from "../../support/ours.ts";
import { run } from "../../support/process.ts";
import { atTerminal, withoutTiled } from "../../support/python.ts";
import { PASSWORDS, toy } from "../../support/toy.ts";

const CLIENT = new URL("../../../src/client/node/index.ts", import.meta.url).href;
const PROGRAM = fileURLToPath(new URL("log-in.ts", import.meta.url));

describe("a login on a terminal", { skip: withoutTiled() }, () => {
  test("asks once; the next program needs no terminal", { timeout: 60_000 }, async (t) => {
    const cleanup = t.after.bind(t);
    const { url } = await startOurs(cleanup, toy());
    const env = { TILED_CACHE_DIR: await temporaryFolder(cleanup) };
    const command = [process.execPath, PROGRAM, CLIENT, url];
    const alone = await run(command, { env, input: "" });
    assert.match(alone.stdout, /^ERR_CANNOT_PROMPT\n$/);
    const lines = { ...env, TILED_CACHE_DIR: await temporaryFolder(cleanup), TILED_FORCE_PROMPT: "1" };
    for (const input of [`bob\n${PASSWORDS.bob}\n`, `bob\r\nwrong\n${PASSWORDS.bob}`]) {
      const piped = await run([...command, "forget"], { env: lines, input });
      assert.equal(piped.stdout, "bob\n", piped.stderr);
    }
    assert.equal((await run(command, { env: lines, input: "bob\n" })).stdout, "ERR_CANNOT_PROMPT\n");
    const asked = await atTerminal(
      command,
      [
        ["Username: ", "bob"],
        ["Password: ", "wrong"],
        ["Password: ", PASSWORDS.bob],
      ],
      env,
    );
    assert.match(asked.stdout, /Username: bob\r?\n.*not recognized.*\nbob\r?\n/s);
    assert.doesNotMatch(asked.stdout, /wrong|secret2/);
    assert.equal((await run(command, { env, input: "" })).stdout, "bob\n");
  });
});
