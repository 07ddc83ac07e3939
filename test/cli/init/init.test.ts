import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { main } from "../../../src/cli/program.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { TestTerminal, tiled } from "../../support/terminal.ts";

const ASKING = { TILED_FORCE_PROMPT: "1", USER: "ada" };

async function place(t: TestContext) {
  const folder = await temporaryFolder((last) => t.after(last));
  const file = join(folder, "site.yml");
  return { folder, file, read: (name: string) => readFile(join(folder, name), "utf8") };
}

test("asks five questions on stderr, and Enter takes the default of each", async (t) => {
  const { folder, file, read } = await place(t);
  const { code, stdout, stderr } = await tiled(["init", file], ASKING, "\n\n\n\n\n");
  assert.equal(code, 0);
  assert.equal(stderr.match(/\?\n/g)?.length, 5);
  assert.deepEqual(
    [...stderr.matchAll(/\(Enter: (.+)\)/g)].map(([, text]) => text),
    ["private", "passwords", "example", "local", "sqlite"],
  );
  assert.deepEqual((await readdir(folder)).sort(), ["site.env", "site.yml"]);
  const config = await read("site.yml");
  for (const part of [
    "ada: $ADA_PASSWORD",
    "id: ada",
    "env_file: ./site.env",
    `sqlite:///${folder}/tiled.db`,
  ])
    assert.ok(config.includes(part), part);
  assert.match(
    stdout,
    new RegExp(
      `config check ${file}\n.* serve config ${file}\n\nThen log in as ada, with the password ADA_PASSWORD in`,
    ),
  );
  assert.doesNotMatch(stdout, /\?\n/);
});

test("--yes takes the same defaults, and asks nothing", async (t) => {
  const asked = await place(t);
  await tiled(["init", asked.file], ASKING, "\n\n\n\n\n");
  const { folder, file, read } = await place(t);
  const { code, stderr } = await tiled(["init", file, "--yes"], { USER: "ada" });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal((await read("site.yml")).replace(folder, asked.folder), await asked.read("site.yml"));
});

test("a wrong answer is asked again, a number stands for its word, and options are not asked for", async (t) => {
  const { folder, file, read } = await place(t);
  const lines = ["9", "nobody", "4", "3", "/no/such/folder", folder, "http://tiled.example.org", "local"];
  const { code, stderr } = await tiled(
    ["init", file, "--database", "postgresql"],
    ASKING,
    `${lines.join("\n")}\n`,
  );
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Choose one of single-user, public, private, mixed\.\n/);
  assert.match(stderr, /There is no folder \/no\/such\/folder\./);
  assert.match(stderr, /Other machines need https:\/\//);
  assert.doesNotMatch(stderr, /PostgreSQL/);
  const config = await read("site.yml");
  for (const part of [
    "allow_anonymous_access: true",
    "provider: orcid",
    "tree: files",
    "postgresql://tiled:",
  ])
    assert.ok(config.includes(part), part);
  assert.deepEqual((await readdir(folder)).sort(), [
    "data_tags.yml",
    "site.env",
    "site.yml",
    "tag_definitions.yml",
  ]);
});

test("the number of a form asks for the path or address, and ~ is the home folder", async (t) => {
  const { file, read } = await place(t);
  const lines = ["private", "5", "pam", "2", "~", "2", "local", "2", "sqlite"];
  const { code, stderr } = await tiled(["init", file], ASKING, `${lines.join("\n")}\n`);
  assert.equal(code, 0, stderr);
  for (const refused of [
    "address itself instead of 5",
    "path itself instead of 2",
    "address itself instead of 2",
  ])
    assert.ok(stderr.includes(`Enter the ${refused}.\n`), refused);
  assert.ok((await read("site.yml")).includes(`directory: ${homedir()}\n`));
});

test("choices are wrapped between words, below their meaning", async (t) => {
  const { file } = await place(t);
  const terminal = new TestTerminal(ASKING, "\n\n\n\n\n", { columns: 60 });
  assert.equal(await main(["init", file], terminal), 0);
  assert.match(
    terminal.stderr,
    /\n {2}4 {2}mixed {8}everyone for one part of the data, people\n {18}who log in for the rest\n/,
  );
  assert.deepEqual(
    terminal.stderr.split("\n").filter((line) => line.length > 60),
    [],
  );
});

test("without a known administrator, the end says how to become one", async (t) => {
  const { file } = await place(t);
  const args = ["init", file, "--yes", "--provider", "pam"];
  const unknown = await tiled(args);
  assert.match(
    unknown.stdout,
    new RegExp(`no administrator yet.*:\n .* admin make-admin pam ID --config ${file}\n$`),
  );
  const known = await tiled([...args, "--force"], { USER: "ada" });
  assert.doesNotMatch(known.stdout, /administrator/);
});

test("a server without logins is asked neither how people log in nor for a database", async (t) => {
  const { file, read } = await place(t);
  const { code, stderr } = await tiled(["init", file], ASKING, "single-user\n\n\n");
  assert.equal(code, 0);
  assert.equal(stderr.match(/\?\n/g)?.length, 3);
  assert.match(await read("site.yml"), /single_user_api_key: \$TILED_KEY\n/);
  for (const option of ["--provider=pam", "--database=sqlite", "--admin=ada"]) {
    const refused = await tiled(["init", file, "--force", "--yes", "--who", "public", option]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, new RegExp(`${option.split("=")[0]} is for logins`));
  }
});

test("without a terminal, a missing answer is wrong usage, and nothing is written", async (t) => {
  const { folder, file } = await place(t);
  const { code, stderr } = await tiled(["init", file, "--who", "public"], {}, "example\nlocal\n");
  assert.equal(code, 2);
  assert.match(stderr, /--data is missing, and there is no terminal to ask on\.\nhint: .*--yes/);
  const short = await tiled(["init", file], ASKING, "public\nexample\n");
  assert.equal(short.code, 2);
  assert.match(short.stderr, /The input ended before the last question\. Nothing was written\./);
  assert.deepEqual(await readdir(folder), []);
  // Nothing is left to ask.
  const args = ["--who", "public", "--data", "example", "--address", "local"];
  assert.equal((await tiled(["init", file, ...args])).code, 0);
});

test("Ctrl-C between questions writes nothing, and ends with 130", async (t) => {
  const { folder, file } = await place(t);
  const terminal = new TestTerminal(ASKING);
  const input = new PassThrough();
  Object.defineProperty(terminal, "input", { value: input });
  const done = main(["init", file], terminal);
  input.write("private\n");
  while (!terminal.stderr.includes("How do people log in?")) await turn();
  terminal.events.emit("SIGINT");
  assert.equal(await done, 130);
  assert.match(terminal.stderr, /\nNothing was written\.\n$/);
  assert.deepEqual(await readdir(folder), []);
});

test("an existing file is overwritten only with --force, before any question", async (t) => {
  for (const name of ["site.yml", "site.env", "tag_definitions.yml"]) {
    const { folder, file, read } = await place(t);
    await writeFile(join(folder, name), "mine");
    await chmod(join(folder, name), 0o644);
    const args = ["init", file, "--yes", "--who", "mixed"];
    const { code, stderr } = await tiled(args, { USER: "ada" });
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`${name.replace(".", "\\.")} exists already\\.\nhint: .*--force`));
    assert.deepEqual([await readdir(folder), await read(name)], [[name], "mine"]);

    assert.equal((await tiled([...args, "--force"], { USER: "ada" })).code, 0);
    assert.notEqual(await read(name), "mine");
    assert.deepEqual((await readdir(folder)).sort(), ["site.env", "site.yml", "tag_definitions.yml"]);
    if (process.platform !== "win32")
      assert.equal((await stat(join(folder, "site.env"))).mode & 0o777, 0o600);
  }
});

test("each configuration has secrets of its own", async (t) => {
  const values = new Set<string>();
  for (const who of ["single-user", "private", "private"]) {
    const { file, read } = await place(t);
    await tiled(["init", file, "--yes", "--who", who]);
    for (const [, value = ""] of (await read("site.env")).matchAll(/^\w+=(.+)$/gm)) values.add(value);
  }
  assert.equal(values.size, 5);
  assert.equal([...values].filter((value) => /^[0-9a-f]{64}$/.test(value)).length, 3);
});

test("wrong values of options are wrong usage", async (t) => {
  const { folder, file } = await place(t);
  await mkdir(join(folder, "sub"));
  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [["--who", "me"], /Choose one of single-user/],
    [["--provider", "keycloak"], /Choose one of passwords, pam/],
    [["--provider", "http://keycloak.example.org"], /begins with https/],
    [["--provider", "https://u:p@keycloak.example.org"], /without a user name/],
    [["--data", "./nowhere"], /There is no folder/],
    [["--address", "tiled.example.org"], /Enter 'local'/],
    [["--address", "http://192.168.1.2"], /Other machines need https/],
    [["--address", "https://tiled.example.org/data"], /without a path/],
    [["--address", "https://$HOST"], /Enter 'local'|'\$'/],
    [["--database", "mysql://localhost/x"], /Enter 'sqlite'/],
    [["--database", "postgresql://tiled:hunter2@localhost/x"], /Leave the password out/],
    [["--database", "postgresql://tiled@localhost/x?sslmode=maybe"], /sslmode/],
    [["--admin", "a b"], /letters, digits/],
  ];
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await tiled(["init", file, "--yes", ...args]);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /hunter2/);
  }
  assert.equal((await tiled(["init", join(folder, "sub"), "--yes"])).code, 2);
  assert.equal((await tiled(["init", join(folder, "site.env"), "--yes"])).code, 2);
  assert.equal((await tiled(["init", join(folder, "none", "site.yml"), "--yes"])).code, 1);
  assert.deepEqual(await readdir(folder), ["sub"]);
});
