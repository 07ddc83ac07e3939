import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import bcrypt from "bcryptjs";
import Database from "better-sqlite3";
import { pino } from "pino";
import { configFromObject } from "../../../src/config/load.ts";
import { startServer } from "../../../src/server.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

const folder = await temporaryFolder(after);
const uri = `sqlite:///${join(folder, "tiled.db")}`;
const file = join(folder, "config.yml");
const TREES = [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }];
const config = {
  authentication: {
    secret_keys: ["0123456789abcdef0123456789abcdef"],
    providers: [
      {
        provider: "lab",
        authenticator: "tiled_auth:LocalAuthenticator",
        args: { hash: { memory: 7168, passes: 1 } },
      },
    ],
  },
  database: { uri },
  server: { port: 0 },
  trees: TREES,
};

before(async () => {
  await writeFile(file, JSON.stringify(config));
  assert.equal((await tiled(["admin", "initialize-database", uri])).code, 0);
});

let files = 0;

async function importing(text: string | null, format: string, more: readonly string[] = [], path?: string) {
  const from = path ?? join(folder, `people${++files}`);
  if (text !== null) await writeFile(from, text);
  return tiled(["admin", "user", "import", from, "--format", format, "--config", file, ...more]);
}

async function refused(text: string, format: string, messages: readonly RegExp[]): Promise<void> {
  const before = await list();
  const { code, stdout, stderr } = await importing(text, format);
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.match(stderr, /cannot be imported, and nothing was changed/);
  for (const message of messages) assert.match(stderr, message);
  assert.deepEqual(await list(), before);
}

async function list(): Promise<Record<string, unknown>[]> {
  return JSON.parse((await tiled(["admin", "user", "list", "--json", "--config", file])).stdout);
}

async function server(t: TestContext) {
  const running = await startServer(configFromObject(config, {}), { log: pino({ level: "silent" }) });
  t.after(() => running.stop());
  return async (username: string, password: string) => {
    const body = new URLSearchParams({ grant_type: "password", username, password });
    const url = `${running.url}/api/v1/auth/provider/lab/token`;
    return (await fetch(url, { method: "POST", body })).status;
  };
}

/** Made by Apache's own program, where it is installed. */
function htpasswd(option: string, name: string, password: string): string | undefined {
  try {
    const stdio = ["ignore", "pipe", "ignore"] as const;
    return execFileSync("htpasswd", ["-nb", option, name, password], {
      stdio: [...stdio],
      encoding: "utf8",
    }).trim();
  } catch {
    return undefined;
  }
}

test("people of an htpasswd file log in with the passwords that they have", async (t) => {
  const real = htpasswd("-B", "Grace", "old one") !== undefined;
  if (!real && process.env["CI"]) assert.fail("htpasswd (apache2-utils) is missing.");
  const bcrypted = htpasswd("-B", "Grace", "old one") ?? `Grace:${bcrypt.hashSync("old one", 4)}`;
  const sha1 = htpasswd("-s", "henry", "two") ?? "henry:{SHA}rXguzax3D8brmmLkT5CHP7l/sms=";
  const text = `# people\n${bcrypted}\n\n${sha1}\n`;
  const tried = await importing(text, "htpasswd", ["--dry-run"]);
  assert.match(tried.stderr, /2 accounts would be added\. Nothing was changed/);
  assert.deepEqual(await list(), []);
  const done = await importing(text, "htpasswd");
  assert.deepEqual([done.code, done.stdout], [0, ""], done.stderr);
  const hashes = async () => (await list()).map(({ name, hash }) => [name, hash]);
  assert.deepEqual(await hashes(), [
    ["Grace", "bcrypt"],
    ["henry", "argon2id of sha1"],
  ]);
  const login = await server(t);
  assert.equal(await login("grace", "two"), 401);
  assert.equal(await login("grace", "old one"), 200);
  assert.equal(await login("henry", "rXguzax3D8brmmLkT5CHP7l/sms="), 401);
  assert.equal(await login("henry", "two"), 200);
  assert.deepEqual(await hashes(), [
    ["Grace", "argon2id"],
    ["henry", "argon2id"],
  ]);
  assert.equal(await login("Grace", "old one"), 200);
});

test("MD5, crypt, plain text and damaged hashes are refused, each with its line, and not quoted", async () => {
  const good = `good:${bcrypt.hashSync("x", 4)}`;
  const lines = [
    good,
    "md:$apr1$qGd6Z2SW$HIvfIyOtNamInNDujuUnA.",
    "cr:HIUr9i2g3.FIw",
    "plain:hunter2secret",
    "cost:$2y$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234",
    "five:$5$saltsalt$hash",
    "no colon",
    `:${bcrypt.hashSync("x", 4)}`,
    `GOOD:${bcrypt.hashSync("x", 4)}`,
    `a\u0007b:${bcrypt.hashSync("x", 4)}`,
    ` good:${bcrypt.hashSync("x", 4)}`,
    `go\u200bod:${bcrypt.hashSync("x", 4)}`,
  ];
  const { code, stderr } = await importing(lines.join("\n"), "htpasswd");
  assert.equal(code, 1);
  assert.doesNotMatch(stderr, /hunter2secret|qGd6Z2SW|HIUr9|\$2[aby]\$\d\d\$./);
  await refused(lines.join("\n"), "htpasswd", [
    /line 2: an MD5 hash/,
    /line 3: a password in clear or a hash that is too weak/,
    /line 4: a password in clear/,
    /line 5: a bcrypt hash that is damaged, or whose cost is over 15/,
    /line 6: a password in clear or a hash that is too weak/,
    /line 7: no colon/,
    /line 8: the name is empty/,
    /line 9: the name is that of line 1, or a spelling of it/,
    /line 10: the name is empty, too long, or has control characters/,
    /line 11: the name has blanks at an end/,
    /line 12: the name has blanks at an end, or characters that cannot be seen/,
  ]);
});

test("CSV has columns in any order, quotes, groups, and passwords or hashes", async (t) => {
  const hash = bcrypt.hashSync("of ida", 4);
  const text = `\ufeffpassword,name,email,groups,password_hash\r\n"of, ""jo""",jo,jo@lab.org,beam; staff,\r\n,ida,,,${hash}\r\n`;
  const done = await importing(text, "csv");
  assert.equal(done.code, 0, done.stderr);
  const people = (await list()).filter(({ name }) => name === "jo" || name === "ida");
  assert.deepEqual(
    people.map(({ name, email, groups, hash: kind }) => [name, email, groups, kind]),
    [
      ["ida", null, [], "bcrypt"],
      ["jo", "jo@lab.org", ["beam", "staff"], "argon2id"],
    ],
  );
  const login = await server(t);
  assert.equal(await login("jo", 'of, "jo"'), 200);
  assert.equal(await login("ida", "of ida"), 200);
  await refused("name,password,password_hash\nkim,,\nlea,a,b\nmia,x,y,z\n", "csv", [
    /line 3: has both a password and a password_hash/,
    /line 4: more fields than columns/,
  ]);
  await refused(`name,password\nkim,${"long ".repeat(60)}\n`, "csv", [
    /line 2: the password is longer than 256/,
  ]);
  await refused("name,shoe\nkim,43\n", "csv", [/line 1: the first line must name the columns/]);
  await refused('name,password\nkim,"open\n', "csv", [/a quote is in the wrong place, or is never closed/]);
  await refused("name,password_hash\nkim,$1$salt$hash\n", "csv", [/line 2: an MD5 hash/]);
});

test("known names are refused or left out, and removed ones always refused", async () => {
  const text = `name,password\nnew,x\njo,y\n`;
  await refused(text, "csv", [/line 3: jo has an account already/]);
  const skipped = await importing(text, "csv", ["--skip"]);
  assert.match(skipped.stderr, /1 accounts are added\. 1 have an account already/);
  await tiled(["admin", "user", "remove", "jo", "--config", file]);
  const { code, stderr } = await importing(text, "csv", ["--skip"]);
  assert.equal(code, 1);
  assert.match(stderr, /line 3: jo was the name of an account that was removed/);
});

test("accounts of NativeAuthenticator: those without authorization are disabled until they are enabled", async (t) => {
  const path = join(folder, "jupyterhub.sqlite");
  const db = new Database(path);
  db.exec(
    "create table users_info (id integer primary key, username varchar(128), password blob, is_authorized boolean, login_email_sent boolean, email varchar, has_2fa boolean, otp_secret varchar)",
  );
  const insert = db.prepare(
    "insert into users_info (username, password, is_authorized, email, has_2fa) values (?, ?, ?, ?, ?)",
  );
  insert.run("nora", Buffer.from(bcrypt.hashSync("of nora", 4)), 1, "nora@lab.org", 0);
  insert.run("olaf", Buffer.from(bcrypt.hashSync("of olaf", 4)), 0, null, 0);
  insert.run("pia", Buffer.from(bcrypt.hashSync("of pia", 4)), 1, null, 1);
  insert.run(Buffer.from("rita"), Buffer.from(bcrypt.hashSync("of rita", 4)), 1, null, 0);
  insert.run("sam", null, 1, null, 0);
  insert.run(null, 7, 1, 7, 0);
  const refusal = await importing(null, "native", [], path);
  assert.equal(refusal.code, 1);
  assert.match(refusal.stderr, /row 3: the account has a second factor, which is not taken over/);
  assert.match(refusal.stderr, /row 4: the name or the e-mail address is not text/);
  assert.match(refusal.stderr, /row 5: the account has no password/);
  assert.match(refusal.stderr, /row 6: the name or the e-mail address is not text/);
  db.prepare("delete from users_info where id > 2").run();
  db.close();
  const done = await importing(null, "native", [], path);
  assert.equal(done.code, 0, done.stderr);
  const login = await server(t);
  assert.equal(await login("nora", "of nora"), 200);
  assert.equal(await login("olaf", "of olaf"), 401);
  assert.equal((await tiled(["admin", "user", "set", "olaf", "--enable", "--config", file])).code, 0);
  assert.equal(await login("olaf", "of olaf"), 200);
  const endless = await importing(null, "htpasswd", [], "/dev/zero");
  assert.deepEqual([endless.code, /has more than \d+ bytes/.test(endless.stderr)], [1, true], endless.stderr);
  const other = await importing("not a database", "native");
  assert.match(other.stderr, /is not a database of NativeAuthenticator/);
});

test("people of a dictionary keep passwords and accounts under the same provider's name", async (t) => {
  const dictionary = {
    ...config,
    authentication: {
      ...config.authentication,
      providers: [
        {
          provider: "lab",
          authenticator: "tiled.authenticators:DictionaryAuthenticator",
          args: { users_to_passwords: { Quinn: "of quinn", rosa: "of rosa" } },
        },
      ],
    },
  };
  const path = join(folder, "old.yml");
  await writeFile(path, JSON.stringify(dictionary));
  const old = await startServer(configFromObject(dictionary, {}), { log: pino({ level: "silent" }) });
  const body = new URLSearchParams({ grant_type: "password", username: "Quinn", password: "of quinn" });
  assert.equal(
    (await fetch(`${old.url}/api/v1/auth/provider/lab/token`, { method: "POST", body })).status,
    200,
  );
  await old.stop();
  const principals = async () =>
    (
      JSON.parse((await tiled(["admin", "principals", "--json", "--database", uri])).stdout) as {
        uuid: string;
        identities: { id: string }[];
      }[]
    )
      .filter(({ identities }) => identities.some(({ id }) => /quinn/i.test(id)))
      .map(({ uuid }) => uuid);
  const known = await principals();
  const done = await importing(null, "tiled", [], path);
  assert.equal(done.code, 0, done.stderr);
  const login = await server(t);
  assert.equal(await login("quinn", "of quinn"), 200);
  assert.equal(await login("rosa", "of rosa"), 200);
  assert.deepEqual(await principals(), known);
});
