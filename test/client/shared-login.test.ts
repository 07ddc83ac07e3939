/**
 * One login on disk for both languages: the unmodified Python library and the real `tiled`, our library and our command, against
 * both servers. Ten programs that all find the access token expired keep the login.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Api, bearer, type Principal } from "../support/api.ts";
import { testApp } from "../support/app.ts";
import { Home } from "../support/command-line.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs, TILED } from "../support/ours.ts";
import { run } from "../support/process.ts";
import { program, withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { PASSWORDS, toy } from "../support/toy.ts";

const PYTHON = [program("python"), fileURLToPath(new URL("python_client.py", import.meta.url))];
const OURS = [process.execPath, fileURLToPath(new URL("our-client.ts", import.meta.url))];
/** For a long run: TILED_AUTH_TEST_WAVES=20. */
const WAVES = Number(process.env["TILED_AUTH_TEST_WAVES"] ?? 3);
const NOBODY = "Not authenticated.";

type Client = (line: string) => Promise<string>;

function settings(cache: string): Record<string, string | undefined> {
  return { TILED_CACHE_DIR: cache, TILED_API_KEY: undefined, PYTHONWARNINGS: "ignore" };
}

/** Tells it one line, answers its next one. */
async function client(
  t: TestContext,
  [command = "", ...args]: string[],
  url: string,
  cache: string,
): Promise<Client> {
  const env = { ...process.env, ...settings(cache) };
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

/** A program that uses the login on disk. */
interface Program {
  readonly name: string;
  readonly login: () => Promise<unknown>;
  readonly whoami: () => Promise<string>;
  readonly logout: () => Promise<unknown>;
}

function library(name: string, tell: Client): Program {
  const told = async (line: string) => assert.match(await tell(line), /^ok/, `${name}: ${line}`);
  return {
    name,
    login: () => told(`login bob ${PASSWORDS.bob}`),
    whoami: async () => ((await tell("cached")) === "ok True" ? (await tell("whoami")).slice(3) : NOBODY),
    logout: () => told("logout"),
  };
}

function commandLine(name: string, home: Home, command: readonly string[]): Program {
  const typed = async (args: string, dialogue: readonly (readonly [string, string])[] = []) => {
    const { code, stdout, stderr } = await home.run(command, { args: args.split(" "), dialogue });
    assert.equal(code, 0, `${name}: ${args}: ${stdout}${stderr}`);
    return stdout.trim();
  };
  return {
    name,
    login: () =>
      typed("login", [
        ["Username: ", "bob"],
        ["Password: ", PASSWORDS.bob],
      ]),
    whoami: () => typed("whoami"),
    logout: () => typed("logout"),
  };
}

function live({ sessions }: Pick<Principal, "sessions">): number {
  return sessions.filter(({ revoked }) => !revoked).length;
}

for (const [name, start] of [
  ["ours", startOurs],
  ["the real Tiled", startReference],
] as const)
  test(`a login on disk, against ${name}: a login and a logout of each program are those of all`, {
    skip: withoutTiled(),
    timeout: 300_000,
  }, async (t) => {
    const cleanup = t.after.bind(t);
    const database = {
      uri: `sqlite:///${await temporaryFolder(cleanup)}/auth.db`,
      init_if_not_exists: true,
    };
    const { url } = await start(cleanup, toy({ database }));
    const home = await Home.make(cleanup);
    const cache = join(home.folder, "cache");
    // Languages alternate, so that each logout is of the other language.
    const programs = [
      library("the Python library", await client(t, PYTHON, url, cache)),
      commandLine("our command", home, TILED),
      commandLine("the real tiled", home, [program("tiled")]),
      library("our library", await client(t, OURS, url, cache)),
    ];
    const everywhere = async () => {
      const answers: string[] = [];
      for (const { whoami } of programs) answers.push(await whoami());
      return answers;
    };
    await home.run(TILED, { args: ["profile", "create", url] });
    const api = new Api(url);
    const observer = bearer(await api.login("bob"));
    const sessions = async () => live((await api.whoami(observer)).body) - 1;
    assert.deepEqual(await everywhere(), Array(4).fill(NOBODY));
    for (const [index, { name, login }] of programs.entries()) {
      const other = programs[(index + 1) % programs.length] ?? assert.fail();
      await login();
      assert.deepEqual(await everywhere(), Array(4).fill("bob"), `logged in by ${name}`);
      assert.equal(await sessions(), 1);
      await other.logout();
      assert.deepEqual(await everywhere(), Array(4).fill(NOBODY), `logged out by ${other.name}`);
      assert.equal(await sessions(), 0);
    }
  });

test("ten programs of both languages refreshing at once keep their login", {
  skip: withoutTiled(),
  timeout: 300_000,
}, async (t) => {
  const cleanup = t.after.bind(t);
  const app = await testApp();
  cleanup(() => app.close());
  await app.app.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(app.app.server.address() as AddressInfo).port}`;
  const cache = await temporaryFolder(cleanup);
  const start = (count: number, command: readonly string[]) =>
    Promise.all(Array.from({ length: count }, () => client(t, [...command], url, cache)));
  const clients = [...(await start(5, PYTHON)), ...(await start(3, OURS))];
  assert.equal(await clients[0]?.(`login bob ${PASSWORDS.bob}`), "ok");
  for (const tell of clients) assert.equal(await tell("cached"), "ok True");

  const command = async () => {
    const { code, stdout, stderr } = await run([...TILED, "whoami", "--url", url], { env: settings(cache) });
    return code === 0 ? `ok ${stdout.trim()}` : stderr;
  };
  const wave = () => Promise.all([command(), command(), ...clients.map((tell) => tell("whoami"))]);
  for (let count = 0; count < WAVES; count++) {
    app.clock.advance(1000);
    assert.deepEqual(await wave(), Array(10).fill("ok bob"), `wave ${count}`);
  }
  const observer = await app.login("bob");
  const principal = (await app.whoami(`Bearer ${observer.access_token}`)).json<Principal>();
  assert.equal(live(principal) - 1, 1);
});
