import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

/** What the command answers to a shell's question: the values, and the kind of paths that the shell adds. */
async function answer(
  words: readonly string[],
  { shell = "fish", current = words.at(-1) ?? "", env = {} } = {},
) {
  const line = ["tiled", ...words];
  const question = ["complete", shell, String(words.length), "--", current, ...line];
  const { code, stdout, stderr } = await tiled(question, env);
  assert.deepEqual([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  const paths = lines.pop();
  return { values: lines.map((text) => text.split("\t")[0] ?? ""), paths, stdout };
}

const values = async (...words: readonly string[]) => (await answer(words)).values;

test("verbs are completed, each by those of its own; hidden ones are not", async () => {
  assert.deepEqual(await values("serv"), ["serve"]);
  assert.deepEqual(await values("serve", ""), ["config", "pyobject", "directory", "demo"]);
  assert.deepEqual(await values("co"), ["config", "completion"]);
  assert.deepEqual(await values("nonsense", "x"), []);
});

test("a verb is completed in the spelling that was begun", async () => {
  assert.deepEqual(await values("admin", "revoke-s"), ["revoke-session", "revoke-sessions"]);
  assert.deepEqual(await values("admin", "revoke_s"), ["revoke_session", "revoke_sessions"]);
  assert.deepEqual(await values("admin", "make_admin", "--dat"), ["--database"]);
});

test("options of the verb are completed, and --color everywhere; none after --", async () => {
  assert.deepEqual(await values("serve", "config", "--log-"), [
    "--log-level",
    "--log-format",
    "--log-timestamps",
    "--log-config",
  ]);
  assert.deepEqual(await values("serve", "demo", "--c"), ["--color"]);
  assert.deepEqual(await values("--ver"), ["--version"]);
  assert.deepEqual(await values("serve", "config", "--", "--log-"), []);
  const offered = await values("admin", "purge", "");
  assert.deepEqual(offered, ["--database", "--config", "--help", "--color"], "no argument is left");
});

test("choices of an option or argument are completed, after a blank and after =", async () => {
  assert.deepEqual(await values("serve", "demo", "--log-level", "in"), ["info"]);
  assert.deepEqual(await values("serve", "demo", "--log-level=in"), ["--log-level=info"]);
  assert.deepEqual(await values("serve", "--color", "never", "dem"), ["demo"]);
  assert.deepEqual(await values("--color=never", "completion", ""), ["bash", "zsh", "fish"]);
  assert.deepEqual(await values("admin", "audit", "--event", "login", "login_f"), ["login_failed"]);
  assert.deepEqual(await values("admin", "audit", "--event", "login", "--js"), ["--json"]);
  assert.deepEqual(await values("serve", "demo", "--port", ""), []);
});

test("where a file or folder is expected, the shell completes its name", async () => {
  for (const [words, paths] of [
    [["serve", "config", ""], ":files"],
    [["serve", "config", "a.yml", ""], ":none"],
    [["serve", "directory", "x"], ":folders"],
    [["admin", "backup", "--database", ""], ":none"],
    [["admin", "backup", "--config", ""], ":files"],
    [["admin", "backup", "--config=x"], ":files"],
    [["config", "migrate", "--out", ""], ":folders"],
  ] as const)
    assert.equal((await answer(words)).paths, paths, words.join(" "));
});

test("profiles are completed by the names in the user's files", async (t) => {
  const folder = await temporaryFolder((last) => t.after(last));
  const env = { TILED_PROFILES: folder, TILED_SITE_PROFILES: join(folder, "none") };
  const names = ["lab", "local", "home", "$(touch evil)", "a b"];
  for (const [index, name] of names.entries())
    writeFileSync(join(folder, `${index}.yml`), `${JSON.stringify(name)}:\n  uri: http://localhost\n`);
  const named = async (...words: readonly string[]) => (await answer(words, { env })).values;
  assert.deepEqual(await named("whoami", "--profile", ""), ["home", "lab", "local"]);
  assert.deepEqual(await named("whoami", "--profile=l"), ["--profile=lab", "--profile=local"]);
  for (const verb of ["show", "edit", "delete", "set-default", "set_default"])
    assert.deepEqual(await named("profile", verb, "l"), ["lab", "local"], verb);
  assert.deepEqual(await named("profile", "create", "l"), []);
});

test("bash divides words at = and :, and replaces only what follows", async () => {
  const asked = (words: readonly string[], current: string) => answer(words, { shell: "bash", current });
  assert.deepEqual((await asked(["serve", "demo", "--log-level", "=", "in"], "in")).values, ["info"]);
  assert.equal((await asked(["serve", "demo", "--log-level", "="], "")).values.length, 7);
  assert.equal((await asked(["admin", "backup", "--config", "=", "x"], "x")).paths, ":files");
  const uri = ["admin", "initialize-database", "sqlite", ":", "////x", "--he"];
  assert.deepEqual((await asked(uri, "--he")).values, ["--help"]);
  // The cursor stands within the word.
  assert.deepEqual((await asked(["serve", "demo", "--loglevel"], "--log-l")).values, ["--log-level"]);
});

test("zsh and fish show descriptions beside the values", async () => {
  const zsh = await answer(["serve", "de"], { shell: "zsh" });
  assert.equal(zsh.stdout, "demo:serve example data with two new accounts, all in memory\n:none\n");
  const fish = await answer(["serve", "de"]);
  assert.equal(fish.stdout, "demo\tserve example data with two new accounts, all in memory\n:none\n");
});
