/**
 * The four ways to serve data that Tiled's documentation on security tells of, each as an operator sets it up from our
 * examples, and as the real client finds it.
 */
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Api, bearer } from "../support/api.ts";
import { temporaryFolder } from "../support/folders.ts";
import { oursCommand } from "../support/ours.ts";
import type { Server } from "../support/process.ts";
import { atTerminal, type Dialogue, program, withoutTiled } from "../support/python.ts";
import { PASSWORDS } from "../support/toy.ts";

const SCRIPT = fileURLToPath(new URL("use_cases.py", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../example_configs", import.meta.url));
const TIMEOUT = { timeout: 300_000 };

interface Report {
  readonly refused?: string;
  readonly sees?: Readonly<Record<string, unknown>>;
  readonly count?: number;
  readonly missing?: string | null;
}

/** The folder of examples as an operator has copied it, and one of them served. */
async function serve(t: TestContext, example: string, ...options: readonly string[]): Promise<Server> {
  const folder = await temporaryFolder(t.after.bind(t));
  await cp(EXAMPLES, folder, { recursive: true });
  return oursCommand(t.after.bind(t), ["config", `${folder}/${example}`, ...options], {
    cwd: folder,
    env: {
      TILED_KEY: "abc123",
      TILED_SECRET: "a key for tests only, never for real ones",
      ALICE_PASSWORD: PASSWORDS.alice,
      BOB_PASSWORD: PASSWORDS.bob,
      CARA_PASSWORD: PASSWORDS.cara,
    },
  });
}

async function seen(
  t: TestContext,
  { url }: Server,
  { key, dialogue = [] }: { readonly key?: string; readonly dialogue?: Dialogue } = {},
): Promise<Report> {
  const cache = await temporaryFolder(t.after.bind(t));
  const command = [program("python"), SCRIPT, url, ...(key === undefined ? [] : [key])];
  const { code, stdout, stderr } = await atTerminal(command, dialogue, { TILED_CACHE_DIR: cache });
  const report = /^REPORT (.*)$/m.exec(stdout)?.[1];
  if (code !== 0 || report === undefined)
    throw new Error(`use_cases.py ended with ${code}:\n${stdout}${stderr}`);
  return JSON.parse(report) as Report;
}

function inside({ sees = {} }: Report, key: string): Readonly<Record<string, string>> {
  return sees[key] as Readonly<Record<string, string>>;
}

function typed(name: keyof typeof PASSWORDS): Dialogue {
  return [
    ["Username: ", name],
    ["Password: ", PASSWORDS[name]],
  ];
}

const MINIMAL = { A: "1.0", B: "1.0", C: "DataFrameClient", D: "DatasetClient" };
const FORBIDDEN = "403";

describe("with the real client", { skip: withoutTiled() }, () => {
  test("a single user: the key gives access to everything, without it there is none", TIMEOUT, async (t) => {
    const server = await serve(t, "single_user.yml");
    assert.deepEqual((await seen(t, server, { key: "abc123" })).sees, MINIMAL);
    assert.ok((await seen(t, server, { key: "abc124" })).refused);
    assert.ok((await seen(t, server)).refused);
  });

  test("public: everyone sees everything, but a wrong key is refused", TIMEOUT, async (t) => {
    const server = await serve(t, "public.yml");
    assert.deepEqual((await seen(t, server)).sees, MINIMAL);
    assert.ok((await seen(t, server, { key: "abc124" })).refused);
  });

  test("private: an account gives access to everything, a visitor sees nothing", TIMEOUT, async (t) => {
    const server = await serve(t, "multi_user_toy.yml");
    const anonymous = await fetch(`${server.url}/api/v1/metadata/`);
    assert.equal(anonymous.status, 401);
    // The example's passwords are those of the tests.
    const logged = await seen(t, server, { dialogue: typed("alice") });
    assert.deepEqual(logged.sees, MINIMAL);
  });

  test(
    "partly public: visitors see the open data, members also theirs, and hidden data do not show",
    TIMEOUT,
    async (t) => {
      const server = await serve(t, "partly_public.yml");
      const visitor = await seen(t, server);
      assert.deepEqual(visitor.sees, { open: MINIMAL });
      assert.equal(visitor.count, 1);
      assert.equal(visitor.missing, "'chemistry'");

      const api = new Api(server.url);
      const key = async (name: keyof typeof PASSWORDS, fields: object = {}) =>
        (await api.makeKey(bearer(await api.login(name)), fields)).secret;
      const bob = await seen(t, server, { key: await key("bob") });
      assert.deepEqual(Object.keys(bob.sees ?? {}), ["open", "chemistry"]);
      const { flat_array: flat, low_entropy: low } = inside(bob, "chemistry");
      assert.equal(low, "1");
      assert.match(flat ?? "", /^0\.\d+$/);

      const cara = await seen(t, server, { key: await key("cara") });
      const chemistry = inside(cara, "chemistry");
      assert.equal(chemistry["low_entropy"]?.slice(0, 3), FORBIDDEN);
      assert.deepEqual(cara.sees?.["open"], MINIMAL);

      const narrow = { scopes: ["read:metadata", "read:data"], access_tags: ["public"] };
      assert.deepEqual((await seen(t, server, { key: await key("bob", narrow) })).sees, { open: MINIMAL });
      assert.equal((await seen(t, server, { key: await key("alice") })).count, 2);
    },
  );
});
