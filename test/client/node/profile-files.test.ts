/** Files of profiles as the client writes them, and as Python reads and writes them. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { createProfile, removeProfile, setDefaultProfile } from "../../../src/client/node/profile-files.ts";
import { defaultProfileName, readProfiles } from "../../../src/client/node/profiles.ts";
import { temporaryFolder } from "../../support/folders.ts";

async function scene(t: TestContext, files: Record<string, string> = {}) {
  const home = await temporaryFolder(t.after.bind(t));
  const env = {
    TILED_SITE_PROFILES: join(home, "site"),
    TILED_PROFILES: join(home, "user", "profiles"),
    LAB: "lab.example",
  };
  const path = (name: string) => join(home, name);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), text);
  }
  const place = { env, platform: "linux", home } as const;
  const read = (name: string) => readFile(path(name), "utf8");
  const uris = async () => {
    const { profiles, problems } = await readProfiles(place);
    assert.deepEqual(problems, []);
    return Object.fromEntries([...profiles].map(([name, { content }]) => [name, content["uri"]]));
  };
  return { place, path, read, uris };
}

test("a new profile and the default have the text that Python writes, and leave nothing beside", async (t) => {
  const { place, path, read } = await scene(t);
  const uri = "http://localhost:8000";
  const file = path("user/profiles/auto.yml");
  const created = await createProfile({ name: "auto", uri, setDefault: true }, place);
  assert.deepEqual(created, { kind: "created", file });
  assert.equal(await read("user/profiles/auto.yml"), `auto:\n  uri: ${uri}\n  verify: true\n`);
  assert.equal(await read("user/default_profile"), "auto");
  assert.deepEqual(await readdir(path("user")), ["default_profile", "profiles"]);
  assert.deepEqual(await readdir(path("user/profiles")), ["auto.yml"]);
  assert.deepEqual(await createProfile({ name: "auto", uri: "http://other" }, place), {
    kind: "exists",
    file,
  });
  assert.equal(await read("user/profiles/auto.yml"), `auto:\n  uri: ${uri}\n  verify: true\n`);
  await setDefaultProfile(null, place);
  assert.equal(await defaultProfileName(place), null);
  await setDefaultProfile(null, place);
});

test("a file that has an API key is its owner's alone", async (t) => {
  const { place, path } = await scene(t, { "user/profiles/b.yml": "b:\n  uri: http://b\n" });
  await createProfile({ name: "a", uri: "http://a/?api_key=secret" }, place);
  await createProfile({ name: "b", uri: "http://b/?x=1&api_key=secret", overwrite: true }, place);
  for (const name of ["a", "b"])
    assert.equal((await stat(path(`user/profiles/${name}.yml`))).mode & 0o777, 0o600, name);
});

test("names that YAML takes for other things than text are found again", async (t) => {
  const { place, uris } = await scene(t);
  const names = ["1", "1.5", "0o7", "1e3", "2026-01-01", "yes", "y", "off", "null", "-", "a.b"];
  for (const name of names) await createProfile({ name, uri: `http://${name}` }, place);
  assert.deepEqual(await uris(), Object.fromEntries(names.map((name) => [name, `http://${name}`])));
});

test("a name never leads out of the folder, nor to a file that is not read", async (t) => {
  const { place } = await scene(t);
  for (const name of ["", "../x", "a/b", "a\\b", ".hidden", "..", "a b", "ä", "a\n"])
    await assert.rejects(createProfile({ name, uri: "http://x" }, place), TypeError, name);
});

const SHARED = `# servers of the lab

# the first
one: &one   # here
    uri: "http://one"
    # its headers
    headers: {a: '1'}

# the second
two:
    uri: http://$LAB/\${LAB}/$NOPE
`;

test("one of several profiles in a file is replaced and removed; all other lines stay", async (t) => {
  const { place, read, uris, path } = await scene(t, { "user/profiles/lab.yml": SHARED });
  assert.deepEqual(await uris(), { one: "http://one", two: "http://lab.example/lab.example/$NOPE" });
  const file = path("user/profiles/lab.yml");
  const one = { name: "one", uri: "http://new", verify: false, overwrite: true };
  assert.deepEqual(await createProfile(one, place), { kind: "created", file });
  const [head = "", rest = ""] = SHARED.split(/one: &one[\s\S]*'1'}\n/);
  assert.equal(
    await read("user/profiles/lab.yml"),
    `${head}one:\n  uri: http://new\n  verify: false\n${rest}`,
  );
  assert.deepEqual(await removeProfile("one", place), { kind: "removed", file, othersStay: true });
  assert.equal(await read("user/profiles/lab.yml"), head + rest);
  assert.deepEqual(await removeProfile("two", place), { kind: "removed", file, othersStay: false });
  assert.deepEqual(await readdir(path("user/profiles")), []);
  assert.deepEqual(await removeProfile("two", place), { kind: "unknown" });
});

test("a profile that another one of the file needs is neither replaced nor removed", async (t) => {
  for (const text of [
    `${SHARED}    headers: *one\n`,
    `${SHARED}    <<: *one\n`,
    "{one: {uri: a}, two: {uri: b}}",
  ]) {
    const { place, path, read } = await scene(t, { "user/profiles/lab.yml": text });
    const needed = { kind: "needed", file: path("user/profiles/lab.yml") };
    assert.deepEqual(await removeProfile("one", place), needed);
    assert.deepEqual(await createProfile({ name: "one", uri: "http://x", overwrite: true }, place), needed);
    assert.equal(await read("user/profiles/lab.yml"), text);
  }
});

test("only the user's own folders are written to, and no second file hides a profile", async (t) => {
  const { place, path, uris } = await scene(t, {
    "site/lab.yml": "lab:\n  uri: http://site\n",
    "user/profiles/mine.yml": "other:\n  uri: http://other",
  });
  assert.deepEqual(await removeProfile("lab", place), { kind: "unknown" });
  assert.equal((await createProfile({ name: "lab", uri: "http://lab" }, place)).kind, "created");
  assert.deepEqual(await createProfile({ name: "other", uri: "http://x" }, place), {
    kind: "exists",
    file: path("user/profiles/mine.yml"),
  });
  await createProfile({ name: "mine", uri: "http://mine" }, place);
  assert.deepEqual(await uris(), { lab: "http://lab", other: "http://other", mine: "http://mine" });
});

test("a broken file is replaced only if asked, a doubled profile is not removed, a link stays a link", async (t) => {
  const { place, path, read } = await scene(t, {
    "user/profiles/auto.yml": "auto: {",
    "user/profiles/a.yml": "twice:\n  uri: http://a\n",
    "user/profiles/b.yml": "twice:\n  uri: http://b\n",
    "dotfiles/link.yml": "link:\n  uri: http://old\n",
  });
  const auto = { name: "auto", uri: "http://new" };
  assert.equal((await createProfile(auto, place)).kind, "exists");
  assert.equal((await createProfile({ ...auto, overwrite: true }, place)).kind, "created");
  assert.match(await read("user/profiles/auto.yml"), /^auto:\n {2}uri: http:\/\/new\n/);
  const files = [path("user/profiles/a.yml"), path("user/profiles/b.yml")];
  assert.deepEqual(await removeProfile("twice", place), { kind: "doubled", files });
  const twice = { name: "twice", uri: "http://x", overwrite: true };
  assert.deepEqual(await createProfile(twice, place), { kind: "doubled", files });
  await symlink(path("dotfiles/link.yml"), path("user/profiles/link.yml"));
  await createProfile({ name: "link", uri: "http://new", overwrite: true }, place);
  assert.match(await read("dotfiles/link.yml"), /http:\/\/new/);
});

test("a misplaced character in a file does not show its secrets", async (t) => {
  const lines = `auto:\n  uri: "https://h/?api_key=S3CRET"\n  headers: {Authorization: "S3CRET"}\n`;
  const texts = [
    lines.replace('"https', '@"https'),
    lines.replace('"https', '|"https'),
    lines.replace("uri:", "{uri:").replace('ET"\n', 'ET"}: 1\n'),
    lines.replace("auto:\n", "").replace(/.*\n/, "").replace("headers: ", "? "),
    lines.replace("auto:", "auto: *"),
  ];
  const files = Object.fromEntries(texts.map((text, index) => [`user/profiles/${index}.yml`, text]));
  const { place } = await scene(t, files);
  const { problems } = await readProfiles(place);
  assert.equal(problems.length, texts.length);
  for (const problem of problems) assert.doesNotMatch(problem, /S3CRET/);
});
