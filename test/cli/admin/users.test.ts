import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pino } from "pino";
import { configFromObject } from "../../../src/config/load.ts";
import { startServer } from "../../../src/server.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

const PASSWORD = "correct horse battery";
const SECOND = "another long passphrase";

const folder = await temporaryFolder(after);
const uri = `sqlite:///${join(folder, "tiled.db")}`;
const file = join(folder, "config.yml");
const config = {
  authentication: {
    secret_keys: ["0123456789abcdef0123456789abcdef"],
    providers: [
      {
        provider: "lab",
        authenticator: "tiled_auth:LocalAuthenticator",
        args: { hash: { memory: 7168, passes: 1 }, confirmation_message: "Welcome, {id}." },
      },
    ],
    tiled_admins: [{ provider: "lab", id: "ada" }],
  },
  database: { uri, init_if_not_exists: true },
  server: { port: 0 },
  trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
};

before(async () => {
  await writeFile(file, JSON.stringify(config));
  assert.equal((await tiled(["admin", "initialize-database", uri])).code, 0);
});

const user = (args: readonly string[], input = "") =>
  tiled(["admin", "user", ...args, "--config", file], {}, input);

async function done(args: readonly string[], message: RegExp, input = ""): Promise<void> {
  const { code, stdout, stderr } = await user(args, input);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, message);
  if (input !== "") assert.ok(!stderr.includes(input.trim()), "the password is not shown");
}

async function refused(args: readonly string[], message: RegExp, input = ""): Promise<void> {
  const { code, stdout, stderr } = await user(args, input);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, message);
  if (input !== "") assert.ok(!stderr.includes(input.trim()), "the password is not shown");
}

test("an account is added, logs in, is renamed and removed, while a server runs", async (t) => {
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => lines.push(line) });
  const server = await startServer(configFromObject(config, {}), { log });
  t.after(() => server.stop());
  const login = async (username: string, password: string) => {
    const body = new URLSearchParams({ grant_type: "password", username, password });
    const url = `${server.url}/api/v1/auth/provider/lab/token`;
    const answer = await fetch(url, { method: "POST", body });
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };
  const whoami = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${server.url}/api/v1/auth/whoami`, { headers })).status;
  };

  const unknown = await login("ada", PASSWORD);
  await done(
    ["add", "ada", "--group", "beam", "--group", "staff", "--password-stdin"],
    /lab:ada is added/,
    `${PASSWORD}\n`,
  );
  const wrong = await login("ada", "a wrong password, long");
  assert.deepEqual([wrong.status, wrong.body["detail"]], [401, unknown.body["detail"]]);
  const right = await login("ADA", PASSWORD);
  assert.equal(right.status, 200);
  assert.deepEqual(right.body["identity"], { id: "ada", provider: "lab" });
  const token = right.body["access_token"] ?? "";
  assert.equal(await whoami(token), 200);

  await done(["add", "bob", "--password-stdin"], /lab:bob is added/, `${PASSWORD}\n`);
  assert.equal((await login("bob", PASSWORD)).status, 200);
  await done(
    ["set-password", "bob", "--password-stdin"],
    /new password\. 1 sessions are ended/,
    `${SECOND}\n`,
  );
  assert.equal((await login("bob", PASSWORD)).status, 401);
  assert.equal((await login("bob", SECOND)).status, 200);
  await done(["rename", "bob", "robert"], /lab:bob is lab:robert now\. 1 sessions are ended/);
  assert.equal((await login("bob", SECOND)).status, 401);
  assert.equal((await login("robert", SECOND)).status, 200);
  await done(["remove", "robert"], /lab:robert is removed/);
  assert.equal((await login("robert", SECOND)).status, 401);
  await refused(
    ["add", "robert", "--password-stdin"],
    /robert was the name of an account that was removed/,
    `${PASSWORD}\n`,
  );
  await refused(["remove", "ada"], /is the last working administrator/);
  await refused(["rename", "ada", "robert"], /robert is or was another account's/);
  await done(["rename", "ada", "al"], /tiled_admins names lab:ada: change it to al/);
  await done(["rename", "al", "ada"], /lab:al is lab:ada now/);
  for (const secret of [PASSWORD, SECOND, "$argon2id"])
    assert.ok(!lines.join("").includes(secret), "no secret in the log");
  const audit = await tiled(["admin", "audit", "--json", "--database", uri]);
  for (const event of ["account_added", "password_reset", "account_renamed", "account_removed"])
    assert.match(audit.stdout, new RegExp(`"${event}"`));
  for (const secret of [PASSWORD, SECOND, "$argon2id"]) assert.ok(!audit.stdout.includes(secret));
});

test("a list shows state, kind of hash and groups, and never a hash", async () => {
  await done(["set", "ada", "--email", "ada@lab.org", "--group", "staff"], /lab:ada is changed/);
  const { stdout } = await user(["list", "--json"]);
  const [ada] = JSON.parse(stdout);
  assert.ok(!Number.isNaN(Date.parse(ada.latest_login)));
  assert.deepEqual(
    { ...ada, latest_login: "" },
    {
      name: "ada",
      email: "ada@lab.org",
      state: "active",
      hash: "argon2id",
      groups: ["staff"],
      latest_login: "",
    },
  );
  const table = (await user(["list"])).stdout;
  assert.match(
    table,
    /Name +E-mail +State +Hash +Groups +Latest login \(UTC\)\nada +ada@lab\.org +active +argon2id +staff/,
  );
  for (const text of [stdout, table]) assert.doesNotMatch(text, /\$argon2id|robert/);
});

test("names, passwords and providers that are not allowed are refused with the reason", async () => {
  for (const name of ["Ada", "a b", "x-", "../x", "x\u0007", "ä", "x".repeat(65)])
    await refused(["add", name, "--password-stdin"], /is not allowed\. A name has 1 to 64/, `${PASSWORD}\n`);
  await refused(["add", "ada", "--password-stdin"], /ada has an account already/, `${PASSWORD}\n`);
  for (const [password, why] of [
    ["pony 12", /needs 15 characters/],
    ["cleo-cleo-cleo-lab", /your name/],
    ["abcabcabcabcabcabc", /repeats/],
  ] as const)
    await refused(["add", "cleo", "--password-stdin"], why, `${password}\n`);
  await refused(["add", "cleo", "--password-stdin"], /The input has no password/);
  await refused(["add", "cleo"], /no terminal to ask for the password on\. Use --password-stdin/);
  await refused(
    ["add", "cleo", "--group", "a\nb", "--password-stdin"],
    /control characters/,
    `${PASSWORD}\n`,
  );
  await refused(
    ["list", "--provider", "pam"],
    /'?pam'? does not use tiled_auth:LocalAuthenticator\. These do: lab/,
  );
  await refused(["set", "cleo", "--email", "c@lab.org"], /There is no account lab:cleo/);
  await refused(["set", "ada"], /Nothing to set/);
  const bare = await tiled(["admin", "user", "list", "--database", uri]);
  assert.equal(bare.code, 1);
  assert.match(bare.stderr, /Name the provider with --provider/);
  assert.equal((await tiled(["admin", "user", "list", "--database", uri, "--provider", "lab"])).code, 0);
});

test("a password is asked for twice", async () => {
  const ask = (input: string) =>
    tiled(["admin", "user", "add", "dora", "--config", file], { TILED_FORCE_PROMPT: "1" }, input);
  const differ = await ask(`${PASSWORD}\n${SECOND}\n`);
  assert.equal(differ.code, 1);
  assert.match(differ.stderr, /The two passwords differ/);
  const same = await ask(`${PASSWORD}\n${PASSWORD}\n`);
  assert.equal(same.code, 0, same.stderr);
  assert.ok(!same.stderr.includes(PASSWORD));
});

test("an invitation and a reset print the link alone, and need the server's address", async () => {
  await refused(["invite", "ivy"], /set server\.public_url/);
  const other = join(folder, "public.yml");
  const server = { ...config.server, public_url: "https://tiled.example.org/lab" };
  await writeFile(other, JSON.stringify({ ...config, server }));
  const verb = (...args: string[]) => tiled(["admin", "user", ...args, "--config", other]);
  const link = (purpose: string) =>
    new RegExp(`^https://tiled\\.example\\.org/lab/login/${purpose}/[0-9a-f]{64}\n$`);
  const first = await verb("invite", "ivy", "--group", "beam", "--expires", "2d");
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, link("invitation"));
  assert.match(first.stderr, /lab:ivy is invited until/);
  const second = await verb("invite", "ivy");
  assert.match(second.stdout, link("invitation"));
  assert.notEqual(second.stdout, first.stdout);
  assert.match((await verb("reset-password", "ivy")).stderr, /has no password yet/);
  assert.match((await verb("invite", "ivy", "--expires", "soon")).stderr, /--expires must be seconds/);
  await done(["set-password", "ivy", "--password-stdin"], /new password/, `${PASSWORD}\n`);
  const taken = await verb("invite", "ivy");
  assert.deepEqual([taken.code, taken.stdout], [1, ""]);
  assert.match(taken.stderr, /has a password already/);
  const reset = await verb("reset-password", "ivy", "--now");
  assert.equal(reset.code, 0, reset.stderr);
  assert.match(reset.stdout, link("reset"));
  assert.match(reset.stderr, /The password is deleted, and 0 sessions are ended/);
  const file = join(folder, "people.csv");
  await writeFile(file, "name,groups\njan,beam\nkit,\n");
  const imported = await verb("import", file, "--format", "csv");
  assert.equal(imported.code, 0, imported.stderr);
  assert.match(imported.stdout, /^jan,https:\/\/\S+\/login\/invitation\/\S+\nkit,https:\S+\n$/);
});
