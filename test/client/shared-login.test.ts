/**
 * One login on disk for both languages: the unmodified Python client and ours, as processes, against both servers. Ten
 * processes that all find the access token expired keep the login.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs } from "../support/ours.ts";
import { program, withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { PASSWORDS, toy } from "../support/toy.ts";

const PYTHON = [program("python"), fileURLToPath(new URL("python_client.py", import.meta.url))];
const OURS = [process.execPath, fileURLToPath(new URL("our-client.ts", import.meta.url))];
/** For a long run: TILED_AUTH_TEST_WAVES=20. */
const WAVES = Number(process.env["TILED_AUTH_TEST_WAVES"] ?? 3);
/** Seconds; more than a wave takes on a busy machine, or some clients would be two refreshes behind the others. */
const LIFETIME = 5;

type Client = (line: string) => Promise<string>;

/** Tells it one line, answers its next one. */
async function client(
  t: TestContext,
  [command = "", ...args]: string[],
  url: string,
  cache: string,
): Promise<Client> {
  const env = { ...process.env, TILED_CACHE_DIR: cache, TILED_API_KEY: "", PYTHONWARNINGS: "ignore" };
  delete (env as Partial<typeof env>).TILED_API_KEY;
  const child = spawn(command, [...args, url], { env, stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value).trim();
  assert.equal(await next(), "ok ready");
  return (line) => {
    child.stdin.write(`${line}\n`);
    return next();
  };
}

for (const [name, start] of [
  ["ours", startOurs],
  ["the real Tiled", startReference],
] as const)
  describe(`a login on disk, against ${name}`, { skip: withoutTiled() }, () => {
    for (const [first, second, from, to] of [
      [PYTHON, OURS, "Python's", "ours"],
      [OURS, PYTHON, "ours", "Python's"],
    ] as const)
      test(`${from} is ${to}, and a logout of ${to} ends both`, { timeout: 120_000 }, async (t) => {
        const cleanup = t.after.bind(t);
        const database = {
          uri: `sqlite:///${await temporaryFolder(cleanup)}/auth.db`,
          init_if_not_exists: true,
        };
        const { url } = await start(cleanup, toy({ database }));
        const cache = await temporaryFolder(cleanup);
        const one = await client(t, [...first], url, cache);
        const other = await client(t, [...second], url, cache);
        assert.equal(await other("cached"), "ok False");
        assert.equal(await one(`login bob ${PASSWORDS.bob}`), "ok");
        assert.equal(await other("cached"), "ok True");
        assert.equal(await other("whoami"), "ok bob");
        assert.equal(await other("logout"), "ok");
        assert.equal(await one("cached"), "ok False");
      });
  });

describe("programs of both languages that share a login", { skip: withoutTiled() }, () => {
  test("ten processes refreshing at once keep it", { timeout: 300_000 }, async (t) => {
    const cleanup = t.after.bind(t);
    const { url } = await startOurs(cleanup, toy({ authentication: { access_token_max_age: LIFETIME } }));
    const cache = await temporaryFolder(cleanup);
    const clients = await Promise.all(
      Array.from({ length: 10 }, (_, index) => client(t, index % 2 ? PYTHON : OURS, url, cache)),
    );
    await clients[0]?.(`login bob ${PASSWORDS.bob}`);
    const all = (line: string) => Promise.all(clients.map((tell) => tell(line)));
    await all("cached");
    for (let wave = 0; wave < WAVES; wave++) {
      await delay((LIFETIME + 1) * 1000);
      assert.deepEqual(new Set(await all("whoami")), new Set(["ok bob"]), `wave ${wave}`);
    }
    const late = await client(t, OURS, url, cache);
    assert.equal(await late("cached"), "ok True");
  });
});
