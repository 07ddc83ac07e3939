/**
 * Which database a verb works on, and that it says so. In a process of its own: the working folder is changed.
 */
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { target } from "../../../src/cli/admin/target.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { TestTerminal, tiled } from "../../support/terminal.ts";

const folder = await temporaryFolder(after);
process.chdir(folder);

/** The path of a database, by a name. */
const path = (name: string) => join(folder, `${name}.db`);

async function configure(file: string, database: string): Promise<void> {
  await writeFile(
    file,
    `trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]
authentication: {providers: [{provider: toy, authenticator: "tiled.authenticators:DummyAuthenticator"}]}
database: ${database}
audit: {retention_days: 30}
`,
  );
}

before(async () => {
  for (const name of ["given", "named", "environment", "here"])
    assert.equal((await tiled(["admin", "initialize-database", path(name)])).code, 0);
  await configure("named.yml", `{uri: "${path("named")}"}`);
});
beforeEach(() => rm("config.yml", { force: true }));

/** Where a verb finds its database, and what it says of it. */
async function found(args: readonly string[], env: Record<string, string> = {}): Promise<[string, string]> {
  const { code, stdout, stderr } = await tiled(["admin", "check-database", ...args], env);
  assert.equal(code, 0, stderr);
  return [/([a-z]+)\.db can be served/.exec(stdout)?.[1] ?? "", stderr];
}

test("--database, --config or TILED_CONFIG, TILED_DATABASE_URI, config.yml: the first of them counts", async () => {
  await configure("config.yml", `{uri: "${path("here")}"}`);
  const working = (name: string, source: string) =>
    [name, `Working on the database at ${path(name)} (of ${source}).\n`] as const;
  const database = ["--database", path("given")];
  const config = ["--config", "named.yml"];
  const env = { TILED_DATABASE_URI: path("environment") };
  const both = { ...env, TILED_CONFIG: "named.yml" };
  assert.deepEqual(await found([...database, ...config], both), ["given", ""]);
  assert.deepEqual(await found(config, env), working("named", "named.yml"));
  assert.deepEqual(await found([], both), working("named", "named.yml"));
  assert.deepEqual(
    await found([], env),
    working("environment", "TILED_DATABASE_URI; for that of config.yml use --config config.yml"),
  );
  assert.deepEqual(await found([], { TILED_DATABASE_URI: "" }), working("here", "config.yml"));
  await rm("config.yml");
  assert.deepEqual(await found([], env), working("environment", "TILED_DATABASE_URI"));
  assert.deepEqual(
    await found([], { ...env, TILED_CONFIG: "gone.yml" }),
    working("environment", "TILED_DATABASE_URI"),
  );
});

test("this folder's configuration adds the other settings if it names the same database", async () => {
  await configure("config.yml", "{}");
  const env = { TILED_DATABASE_URI: path("environment") };
  const { config, auditRetentionDays } = target({}, new TestTerminal(env));
  assert.deepEqual([config?.authentication.providers[0]?.provider, auditRetentionDays], ["toy", 30]);
  assert.deepEqual(await found([], env), [
    "environment",
    `Working on the database at ${path("environment")} (of TILED_DATABASE_URI).\n`,
  ]);
});

test("a password is not shown", () => {
  const terminal = new TestTerminal({ TILED_DATABASE_URI: "postgresql://tiled:hunter2@db/auth" });
  target({}, terminal);
  assert.equal(
    terminal.stderr,
    "Working on the database at postgresql://tiled@db/auth (of TILED_DATABASE_URI).\n",
  );
});

test("without a configuration, or with one that cannot be read, the ways out are named", async () => {
  const nothing = await tiled(["admin", "principals"]);
  assert.equal(nothing.code, 1);
  for (const way of ["--database", "--config", "TILED_CONFIG", "TILED_DATABASE_URI", "no config.yml here"])
    assert.ok(nothing.stderr.includes(way), `${way}: ${nothing.stderr}`);
  await configure("config.yml", "{uri: $NO_SUCH_VARIABLE}");
  for (const args of [[], ["--config", "config.yml"], ["--config", "gone.yml"]]) {
    const { code, stderr } = await tiled(["admin", "principals", ...args]);
    assert.equal(code, 1);
    assert.match(stderr, args[1] === "gone.yml" ? /no such file/ : /NO_SUCH_VARIABLE/);
    assert.match(stderr, /variables of the server's environment .* --database URI.* TILED_DATABASE_URI/);
  }
});

test("purge says that it keeps audit rows if no configuration sets their age", async () => {
  const kept =
    /^Deleted: .* 0 audit rows\.\nNo audit rows are deleted without a configuration, .*retention_days/;
  assert.match((await tiled(["admin", "purge", "--database", path("given")])).stdout, kept);
  const { stdout } = await tiled(["admin", "purge", "--config", "named.yml"]);
  assert.match(stdout, /^Deleted: .* 0 audit rows\.\n$/);
});
