/** Interrupted questions on a real terminal: exit code 130, an ended line, and a terminal that echoes again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { temporaryFolder } from "../../support/folders.ts";
import { HostileProvider } from "../../support/hostile-provider.ts";
import { startOurs, TILED } from "../../support/ours.ts";
import { atTerminal, type Dialogue, withoutTiled } from "../../support/python.ts";
import { PASSWORDS, toy } from "../../support/toy.ts";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
/** Goes on after Ctrl-C, as an interactive shell does. */
const SHELL = `trap : INT; "$@"; echo "[exit code $?]"; stty -a`;

describe("a question on a terminal", { skip: withoutTiled() }, () => {
  test("Ctrl-C and Ctrl-D end the line, and the terminal echoes again", { timeout: 120_000 }, async (t) => {
    const cleanup = t.after.bind(t);
    const elsewhere = await HostileProvider.start(cleanup);
    const providers = [
      {
        provider: "toy",
        authenticator: "tiled.authenticators:DictionaryAuthenticator",
        args: { users_to_passwords: PASSWORDS },
      },
      {
        provider: "orcid",
        authenticator: "tiled.authenticators:OIDCAuthenticator",
        args: { audience: "a", client_id: "a", client_secret: "b", well_known_uri: elsewhere.wellKnown },
      },
    ];
    const { url } = await startOurs(cleanup, toy({ authentication: { providers, tiled_admins: [] } }));
    const folder = await temporaryFolder(cleanup);
    const env = { TILED_CACHE_DIR: folder, TILED_PROFILES: `${folder}/tiled/profiles`, TERM: "xterm" };
    const login = async (dialogue: Dialogue, ...args: readonly string[]) => {
      const line = [...TILED, "login", url, "--no-browser", ...args];
      return (await atTerminal(["bash", "-c", SHELL, "bash", ...line], dialogue, env)).stdout;
    };
    for (const [dialogue, code, ...args] of [
      [[["to cancel): ", CTRL_C]], 130],
      [[["Username: ", CTRL_C]], 130, "--provider", "toy"],
      [[["Password: ", CTRL_C]], 130, "--provider", "toy", "--username", "bob"],
      [[["Waiting for the login", CTRL_C]], 130, "--provider", "orcid"],
      [[["Username: ", CTRL_D]], 1, "--provider", "toy"],
      [[["Password: ", CTRL_D]], 1, "--provider", "toy", "--username", "bob"],
    ] as const) {
      const printed = await login(dialogue, ...args);
      assert.match(printed, new RegExp(`(?:\\n|\u001b\\[K|\\r)\\[exit code ${code}\\]\\n`), printed);
      assert.match(printed, /[ ;]echo[ ;].*[ ;]icanon[ ;]|[ ;]icanon[ ;].*[ ;]echo[ ;]/s, printed);
    }
  });
});
