/** `tiled login`, `logout` and `whoami` with passwords, against our server. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { tokenFolderName } from "../../../src/client/node/folders.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { startOurs } from "../../support/ours.ts";
import type { Server } from "../../support/process.ts";
import { tiled } from "../../support/terminal.ts";
import { PASSWORDS, toy } from "../../support/toy.ts";

const CONFIG = {
  authentication: {
    providers: ["toy", "other"].map((provider) => ({
      provider,
      authenticator: "tiled.authenticators:DictionaryAuthenticator",
      args: { users_to_passwords: PASSWORDS, confirmation_message: "Hello {id},\nwelcome\u001b[1m." },
    })),
  },
};
const NAME = ["--provider", "toy"];

let server: Server;
const cleanups: (() => unknown)[] = [];
before(async () => {
  server = await startOurs((work) => cleanups.push(work), toy(CONFIG));
});
after(async () => {
  for (const work of cleanups.reverse()) await work();
});

/** A person's own computer: runs commands there, with lines on stdin. */
async function computer(t: TestContext, { known = true } = {}) {
  const home = await temporaryFolder(t.after.bind(t));
  const env = { HOME: home, TILED_RETRY_ATTEMPTS: "1" };
  const tokens = join(home, ".cache/tiled/tokens", tokenFolderName(`${server.url}/api/v1/`));
  const profiles = join(home, ".config/tiled/profiles");
  const own = {
    home,
    profiles,
    run: (args: readonly string[], more = {}) => tiled(args, { ...env, ...more }),
    typed: (args: readonly string[], lines: readonly string[]) =>
      tiled(args, { ...env, TILED_FORCE_PROMPT: "1" }, `${lines.join("\n")}\n`),
    logIn: (user: keyof typeof PASSWORDS, ...options: string[]) =>
      own.typed(["login", ...NAME, ...options], [user, PASSWORDS[user]]),
    files: async () => (await readdir(tokens).catch(() => [])).sort(),
    token: (name: string) => readFile(join(tokens, name), "utf8"),
  };
  if (known) {
    await mkdir(profiles, { recursive: true });
    await writeFile(join(profiles, "lab.yml"), `lab:\n  uri: ${server.url}\n`);
    await writeFile(join(profiles, "..", "default_profile"), "lab");
  }
  return own;
}

async function sessions(whoami: { readonly stdout: string }): Promise<number> {
  const { sessions: all } = JSON.parse(whoami.stdout) as { sessions: { revoked: boolean }[] };
  return all.filter(({ revoked }) => !revoked).length;
}

test("log in, see who you are, log out", async (t) => {
  const c = await computer(t);
  const none = { code: 0, stdout: "Not authenticated.\n", stderr: "" };
  assert.deepEqual(await c.run(["whoami"]), none);
  assert.deepEqual(await c.logIn("bob"), {
    code: 0,
    stdout: "Hello bob,\nwelcome\\u001b[1m.\n",
    stderr: "Username: Password: ",
  });
  assert.deepEqual(await c.files(), ["access_token", "refresh_token"]);
  assert.deepEqual(await c.run(["whoami"]), { code: 0, stdout: "bob\n", stderr: "" });
  const token = await c.token("access_token");
  assert.deepEqual(await c.run(["logout"]), { code: 0, stdout: "", stderr: "" });
  assert.deepEqual(await c.files(), []);
  assert.deepEqual(await c.run(["logout"]), { code: 0, stdout: "", stderr: "" });
  assert.deepEqual(await c.run(["whoami"]), none);
  assert.deepEqual(await c.run(["whoami", "--json"]), { ...none, stdout: "null\n" });
  const asked = { headers: { authorization: `Bearer ${token}` } };
  assert.equal((await fetch(`${server.url}/api/v1/auth/whoami`, asked)).status, 401);
});

test("JSON has its own stdout, and tokens are shown only on request", async (t) => {
  const c = await computer(t);
  const plain = await c.logIn("alice", "--json");
  const { principal, ...rest } = JSON.parse(plain.stdout);
  assert.deepEqual(rest, { api: `${server.url}/api/v1/`, identity: { id: "alice", provider: "toy" } });
  assert.equal(JSON.parse((await c.run(["whoami", "--json"])).stdout).uuid, principal);
  assert.match(plain.stderr, /Hello alice/);
  assert.doesNotMatch(plain.stderr + plain.stdout, /eyJ/);
  const { code, stdout } = await c.logIn("alice", "--show-secret-tokens");
  const tokens = JSON.parse(stdout);
  assert.deepEqual([code, Object.keys(tokens).sort()], [0, ["access_token", "refresh_token"]]);
  assert.equal(stdout, `${JSON.stringify(tokens, null, 4)}\n`);
  assert.equal(tokens.refresh_token, await c.token("refresh_token"));
  assert.equal((await c.logIn("alice", "--show-secret-tokens", "--json")).code, 2);
});

test("a second login ends the session that it replaces; a cancelled one does not", async (t) => {
  const c = await computer(t);
  const before = await sessions(await c.logIn("cara").then(() => c.run(["whoami", "--json"])));
  const old = await c.token("refresh_token");
  for (const lines of [[""], ["cara", ""], ["cara", "1", "2", "3"]]) {
    const { code, stdout } = await c.typed(["login", ...NAME], lines);
    assert.deepEqual([code, stdout], [1, ""]);
  }
  assert.equal(await c.token("refresh_token"), old);
  await c.logIn("cara");
  assert.notEqual(await c.token("refresh_token"), old);
  assert.equal(await sessions(await c.run(["whoami", "--json"])), before);
});

test("three wrong passwords end the login, with a word after each", async (t) => {
  const c = await computer(t);
  const { code, stdout, stderr } = await c.typed(["login", ...NAME, "--username", "bob"], ["1", "2", "3"]);
  assert.deepEqual([code, stdout], [1, ""]);
  const retry = "Username or password not recognized. Retry, or press Enter to cancel.";
  assert.equal(stderr.split(retry).length, 3);
  assert.match(stderr, /Incorrect username or password \(401, request [0-9a-f]{16}\)/);
  assert.doesNotMatch(stderr, /Username: /);
  assert.match((await c.typed(["login", ...NAME], ["bob", ""])).stderr, /The password is empty/);
});

test("the provider is chosen from a list, where Enter cancels", async (t) => {
  const c = await computer(t);
  const chosen = await c.typed(["login"], ["0", "x", "3", "1", "bob", PASSWORDS.bob]);
  assert.equal(chosen.code, 0);
  assert.ok(chosen.stderr.startsWith("Authentication providers:\n1 - toy\n2 - other\n"));
  assert.equal(chosen.stderr.split("Choice must be a number 1 through 2.").length, 4);
  const cancelled = await c.typed(["login"], [""]);
  assert.deepEqual([cancelled.code, cancelled.stdout], [1, ""]);
  assert.match(cancelled.stderr, /No authentication provider was chosen/);
  const unknown = await c.typed(["login", "--provider", "nope"], []);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /no provider "nope"\. Providers: toy, other\./);
});

test("without a terminal nothing is asked", async (t) => {
  const c = await computer(t);
  for (const options of [[], NAME]) {
    const { code, stdout, stderr } = await c.run(["login", ...options]);
    assert.deepEqual([code, stdout], [4, ""]);
    assert.match(stderr, /no terminal/);
  }
});

test("a login at an address makes it the default, unless there is one", async (t) => {
  const c = await computer(t, { known: false });
  const first = await c.logIn("bob", server.url);
  assert.match(first.stderr, /Tiled profile 'auto' created and set as the default\./);
  assert.deepEqual(await c.run(["whoami"]), { code: 0, stdout: "bob\n", stderr: "" });
  assert.equal(await readFile(join(c.profiles, "../default_profile"), "utf8"), "auto");
  assert.doesNotMatch((await c.logIn("bob", "--url", server.url)).stderr, /profile/);
  assert.deepEqual(await readdir(c.profiles), ["auto.yml"]);
  for (const other of [
    ["--url", server.url],
    ["--profile", "auto"],
  ])
    assert.equal((await c.run(["login", server.url, ...other])).code, 2);
});

test("an API key replaces the login, and is never mixed with one", async (t) => {
  const c = await computer(t);
  await c.logIn("bob");
  const headers = {
    authorization: `Bearer ${await c.token("access_token")}`,
    "content-type": "application/json",
  };
  const body = JSON.stringify({ expires_in: null, scopes: null });
  const made = await fetch(`${server.url}/api/v1/auth/apikey`, { method: "POST", headers, body });
  const { secret } = (await made.json()) as { secret: string };
  await c.logIn("alice");
  const key = { TILED_API_KEY: secret };
  const used = await c.run(["whoami"], key);
  assert.deepEqual([used.code, used.stdout], [0, "bob\n"]);
  assert.match(used.stderr, /TILED_API_KEY is used/);
  assert.deepEqual(await c.run(["whoami"], { TILED_API_KEY: "" }), {
    code: 0,
    stdout: "alice\n",
    stderr: "",
  });
  const refused = await c.run(["login"], key);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^error: TILED_API_KEY is set.*unset TILED_API_KEY/s);
  const ended = await c.run(["logout"], key);
  assert.deepEqual([ended.code, ended.stdout, await c.files()], [0, "", []]);
  assert.match(ended.stderr, /TILED_API_KEY stays in use/);
  const address = await c.run(["whoami", "--url", `${server.url}?api_key=${secret}`]);
  assert.deepEqual([address.code, address.stdout], [0, "bob\n"]);
  assert.match(address.stderr, /key in the address/);
  const wrong = await c.run(["whoami"], { TILED_API_KEY: "00" });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /Invalid API key \(401, request [0-9a-f]{16}\)/);
  assert.doesNotMatch(JSON.stringify([used, ended, address]), new RegExp(secret));
});

test("a login that has ended is forgotten", async (t) => {
  const c = await computer(t);
  await c.logIn("bob");
  const refresh_token = await c.token("refresh_token");
  await fetch(`${server.url}/api/v1/auth/session/revoke`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ refresh_token }),
  });
  assert.deepEqual(await c.run(["whoami"]), { code: 0, stdout: "Not authenticated.\n", stderr: "" });
  assert.deepEqual(await c.files(), []);
});
