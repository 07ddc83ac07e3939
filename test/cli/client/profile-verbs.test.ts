/** `tiled profile …`, with the texts of Python's command. */
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

async function scene(t: TestContext, files: Record<string, string> = {}) {
  const home = await temporaryFolder(t.after.bind(t));
  const path = (name: string) => join(home, name);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), text);
  }
  const folders = { TILED_SITE_PROFILES: path("site"), TILED_PROFILES: path("user/profiles") };
  const profile = (args: readonly string[], env: Record<string, string> = {}) =>
    tiled(["profile", ...args], { HOME: home, PATH: process.env["PATH"], ...folders, ...env });
  return { profile, path, read: (name: string) => readFile(path(name), "utf8") };
}

const done = (stdout = "", stderr = "") => ({ code: 0, stdout, stderr });

test("a profile's whole life", async (t) => {
  const { profile, path } = await scene(t);
  const auto = path("user/profiles/auto.yml");
  const lab = path("user/profiles/lab.yml");
  assert.deepEqual(await profile(["list"]), done("No profiles found.\n"));
  assert.deepEqual(await profile(["paths"]), done(`${path("site")}\n${path("user/profiles")}\n`));
  assert.deepEqual(await profile(["get-default"]), done("", "No default.\n"));
  assert.deepEqual(
    await profile(["create", "http://localhost:8000"]),
    done("", "Tiled profile 'auto' created and set as the default.\n"),
  );
  const again = await profile(["create", "http://localhost:9000"]);
  assert.deepEqual([again.code, again.stdout], [1, ""]);
  assert.match(again.stderr, /A profile named 'auto' already exists\. Use --overwrite to overwrite it\.\n/);
  assert.deepEqual(
    await profile(["create", "https://lab", "--name", "lab", "--no-set-default", "--no-verify"]),
    done("", "Tiled profile 'lab' created.\n"),
  );
  assert.deepEqual(await profile(["list"]), done(`auto    ${auto}\nlab     ${lab}\n`));
  assert.deepEqual(
    await profile(["show", "lab"]),
    done("uri: https://lab\nverify: false\n\n", `Source: ${lab}\n--\n`),
  );
  const shown = (name: string, file: string, yaml: string) =>
    `# Profile name: '${name}'\n# ${file} \n\n${yaml}\n`;
  assert.deepEqual(
    await profile(["get-default"]),
    done(shown("auto", auto, "uri: http://localhost:8000\nverify: true\n")),
  );
  assert.deepEqual(await profile(["set-default", "lab"]), done());
  assert.deepEqual(
    await profile(["create", "http://new", "--name=auto", "--overwrite", "--no-set-default"]),
    done("", "Tiled profile 'auto' created.\n"),
  );
  assert.deepEqual(JSON.parse((await profile(["list", "--json"])).stdout), [
    { name: "auto", file: auto, uri: "http://new", default: false },
    { name: "lab", file: lab, uri: "https://lab", default: true },
  ]);
  assert.deepEqual(await profile(["delete", "lab"]), done("", "Tiled profile 'lab' deleted.\n"));
  assert.deepEqual(await profile(["get-default"]), done("", "No default.\n"));
  assert.deepEqual(await profile(["set-default", "auto"]), done());
  assert.deepEqual(await profile(["clear-default"]), done());
  assert.deepEqual(await profile(["clear-default"]), done());
  assert.deepEqual(await profile(["get-default"]), done("", "No default.\n"));
});

test("a profile that is not there, and one that is not the user's", async (t) => {
  const { profile, read } = await scene(t, {
    "site/lab.yml": "lab:\n  uri: http://lab\n",
    "user/profiles/both.yml": "a:\n  uri: http://a\n# second\nb:\n  direct: {trees: []}\n",
    "user/default_profile": "gone\n",
  });
  for (const verb of ["show", "edit", "delete", "set-default"]) {
    const { code, stdout, stderr } = await profile([verb, "no\u001b[2Jpe"]);
    assert.deepEqual([code, stdout], [1, ""], verb);
    assert.match(stderr, /The profile 'no\\u\{1b\}\[2Jpe' could not be found\. Use tiled profile list/);
  }
  const missing = await profile(["get-default"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /Default profile 'gone' does not exist\. Clearing default\. Use:/);
  assert.deepEqual(await profile(["get-default"]), done("", "No default.\n"));
  const foreign = await profile(["delete", "lab"]);
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /lab\.yml, which is not in a folder of your own/);
  assert.equal(await read("site/lab.yml"), "lab:\n  uri: http://lab\n");
  const deleted = await profile(["delete", "a"]);
  assert.equal(deleted.code, 0);
  assert.match(deleted.stderr, /^Tiled profile 'a' deleted\. .*both\.yml keeps its other profiles\.\n$/);
  assert.equal(await read("user/profiles/both.yml"), "# second\nb:\n  direct: {trees: []}\n");
  assert.equal(JSON.parse((await profile(["list", "--json"])).stdout)[1].uri, null);
});

test("names that lead elsewhere and addresses that are none are wrong usage; a key is not repeated", async (t) => {
  const { profile } = await scene(t);
  for (const name of ["../x", "a/b", ".x", "", "ä"]) {
    const { code, stderr } = await profile(["create", "http://x", "--name", name]);
    assert.equal(code, 2, name);
    assert.match(stderr, /Use letters, digits/);
  }
  for (const uri of ["localhost:8000?api_key=geheim", "ftp://x?api_key=geheim", "x?api_key=geheim"]) {
    const { code, stdout, stderr } = await profile(["create", uri]);
    assert.deepEqual([code, stdout], [2, ""], uri);
    assert.doesNotMatch(stderr, /geheim/);
  }
  assert.deepEqual(await profile(["list"]), done("No profiles found.\n"));
});

test("skipped files are warned about, and do not stop a verb", async (t) => {
  const { profile } = await scene(t, {
    "user/profiles/a.yml": "a:\n  uri: http://a\n",
    "user/profiles/bad.yml": "b: {uri: 'http://b?api_key=geheim'",
    "user/profiles/c.yml": "c:\n  uri: http://c\n  colour: red\n",
  });
  const { code, stdout, stderr } = await profile(["list"]);
  assert.equal(code, 0);
  assert.match(stdout, /^a {4}\S+a\.yml\n$/);
  assert.match(stderr, /^warning: Skipping .*bad\.yml: it is not valid YAML: .* line 1, column \d+\.\n/);
  assert.match(stderr, /\nwarning: Skipping .*c\.yml: profile "c" has the unknown key "colour"\.\n$/);
  assert.doesNotMatch(stderr, /geheim/);
});

test("the editor's text is checked and kept, and a file that it broke can be opened again", async (t) => {
  const { profile, path, read } = await scene(t, { "user/profiles/a.yml": "a:\n  uri: http://a\n" });
  const editor = async (text: string) => {
    await writeFile(path("my editor.sh"), `#!/bin/sh\ntest "$1" = --wait && printf '${text}' > "$2"\n`);
    await chmod(path("my editor.sh"), 0o700);
    return { EDITOR: "false", VISUAL: `'${path("my editor.sh")}' --wait` };
  };
  const good = await profile(["edit", "a"], await editor("a:\\n  uri: http://new\\n"));
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stderr, /^Opening \S+a\.yml in .*\.\.\.\n$/);
  const broken = await profile(["edit", "a"], await editor("a:\\n  uri: {\\n"));
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /a\.yml is not usable: it is not valid YAML: .* line 3, column 1\.\n/);
  assert.match(broken.stderr, /'tiled profile edit a' opens it again/);
  assert.equal(await read("user/profiles/a.yml"), "a:\n  uri: {\n");
  const mended = await profile(["edit", "a"], await editor("b:\\n  uri: http://b\\n"));
  assert.equal(mended.code, 0);
  assert.match(mended.stderr, /warning: .*a\.yml no longer has a profile 'a'\.\n$/);
  assert.equal((await profile(["edit", "b"], { EDITOR: "false" })).code, 1);
  const none = await profile(["edit", "b"]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /No editor is set\.\n.*Set VISUAL or EDITOR/);
});
