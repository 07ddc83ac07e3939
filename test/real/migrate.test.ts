/**
 * The files of `tiled config migrate` with the real Tiled: it takes each of them, and pairs of the kinds that store,
 * export or hide data are started and used through the gateway. The kinds are those of docs/how-to/migrating.md.
 */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { migrate } from "../../src/cli/config/migrate.ts";
import { OperatorError } from "../../src/errors.ts";
import { Api, apikey, bearer } from "../support/api.ts";
import { temporaryFolder } from "../support/folders.ts";
import { freePort } from "../support/free-port.ts";
import { type Files, KINDS, VARIABLES } from "../support/migrating.ts";
import { TILED } from "../support/ours.ts";
import { run, startServer } from "../support/process.ts";
import { atTerminal, type Dialogue, program, withoutTiled } from "../support/python.ts";
import { PASSWORDS } from "../support/toy.ts";

const TIMEOUT = { timeout: 300_000 };
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function kind(name: string): Files {
  const found = KINDS[name];
  if (found === undefined) throw new Error(`no kind '${name}'`);
  return found.files;
}

/** The folder that the pair was written to. */
async function migrated(t: TestContext, files: Files, upstreamPort = 8001): Promise<string> {
  const folder = await temporaryFolder(t.after.bind(t));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text.replaceAll("127.0.0.1:8001", `127.0.0.1:${upstreamPort}`));
  }
  const source = join(folder, "config.yml" in files ? "config.yml" : "config.d");
  const quiet = { command: [], env: VARIABLES, out: () => {}, err: () => {} };
  await migrate(source, { upstreamPort }, quiet).catch((error: unknown) => {
    if (!(error instanceof OperatorError) || !/still has errors/.test(error.message)) throw error;
  });
  return folder;
}

interface Scene {
  readonly url: string;
  readonly api: Api;
}

/** Both servers, started as the command says; `before` has the folder to itself. */
async function started(
  t: TestContext,
  files: Files,
  before: (folder: string) => Promise<void> = async () => {},
): Promise<Scene> {
  const cleanup = t.after.bind(t);
  const folder = await migrated(t, files, await freePort());
  await before(folder);
  const env = { ...VARIABLES, PYTHONPATH: "config.d", PYTHONWARNINGS: "ignore" };
  const options = { cwd: folder, env };
  const uvicorn = /Uvicorn running on (http:\/\/[^ ]+)/;
  await startServer(cleanup, [program("tiled"), "serve", "config", "tiled.yml"], uvicorn, options);
  const ours = [...TILED, "serve", "config", "tiled-auth.yml", "--port", "0"];
  const { url } = await startServer(cleanup, ours, /(http:\/\/[0-9.]+:[0-9]+)/, options);
  return { url, api: new Api(url) };
}

async function client<Report>(
  t: TestContext,
  scenario: string,
  url: string,
  { key, dialogue = [] }: { key?: string; dialogue?: Dialogue },
): Promise<Report> {
  const command = [program("python"), script("gateway_client.py"), scenario, url];
  const { code, stdout, stderr } = await atTerminal(command, dialogue, {
    TILED_CACHE_DIR: await temporaryFolder(t.after.bind(t)),
    ...(key !== undefined && { TILED_API_KEY: key }),
  });
  const report = /^REPORT (.*)$/m.exec(stdout)?.[1];
  if (code !== 0 || report === undefined)
    throw new Error(`${scenario} ended with ${code}:\n${stdout}${stderr}`);
  return JSON.parse(report) as Report;
}

const typed = (name: keyof typeof PASSWORDS): Dialogue => [
  ["Username: ", name],
  ["Password: ", PASSWORDS[name]],
];

const WRITTEN = { same: true, patched: -1, left: ["table"], keys: ["array", "other", "table"] };

interface Written {
  readonly same: boolean;
  readonly patched: number;
  readonly left: readonly string[];
  readonly keys: readonly string[];
}
const essence = ({ same, patched, left, keys }: Written) => ({ same, patched, left, keys });

async function text(url: string): Promise<string> {
  const response = await fetch(url);
  return response.ok ? response.text() : String(response.status);
}

async function listed(api: Api, credential?: string): Promise<readonly string[] | number> {
  const { status, body } = await api.call<{ data: { id: string }[] }>("GET", "/search/", credential);
  return status === 200 ? body.data.map(({ id }) => id) : status;
}

describe("pairs that 'tiled config migrate' writes", { skip: withoutTiled() }, () => {
  test("the real Tiled takes its file of each kind", TIMEOUT, async (t) => {
    const names: string[] = [];
    const files: string[] = [];
    for (const [name, { files: source, migrate: outcome, unchecked }] of Object.entries(KINDS)) {
      if (!outcome.startsWith("pair") || unchecked !== undefined) continue;
      const folder = await migrated(t, source);
      // A folder's modules are found by PYTHONPATH; here they lie beside the file.
      for (const [path, content] of Object.entries(source))
        if (path.endsWith(".py")) await writeFile(join(folder, path.replace("config.d/", "")), content);
      names.push(name);
      files.push(join(folder, "tiled.yml"));
    }
    const { code, stdout, stderr } = await run([program("python"), script("check_configs.py"), ...files], {
      env: { ...VARIABLES, PYTHONWARNINGS: "ignore" },
    });
    assert.equal(code, 0, stderr);
    const problems = JSON.parse(/^REPORT (.*)$/m.exec(stdout)?.[1] ?? "[]") as (string | null)[];
    assert.deepEqual(
      Object.fromEntries(names.map((name, index) => [name, problems[index]])),
      Object.fromEntries(names.map((name) => [name, null])),
    );
    assert.ok(names.length >= 20);
  });

  test(
    "a catalog as a tree: people write and read by password, and by key within its scopes",
    TIMEOUT,
    async (t) => {
      const { url, api } = await started(t, kind("a catalog as a tree"));
      assert.deepEqual(
        essence(await client<Written>(t, "write", url, { dialogue: typed("alice") })),
        WRITTEN,
      );
      assert.equal(await listed(api), 401);
      const scopes = { scopes: ["read:metadata", "read:data", "create:apikeys"] };
      const { secret } = await api.makeKey(bearer(await api.login("alice")), scopes);
      const narrow = await client<Record<string, unknown>>(t, "narrow", url, { key: secret });
      assert.deepEqual(narrow["keys"], ["table"]);
      assert.match(String(narrow["write"]), /^401: Not enough permissions/);
    },
  );

  test("a catalog of a single user: the key writes and reads, and nothing else does", TIMEOUT, async (t) => {
    const { url, api } = await started(t, kind("a catalog of a single user"));
    assert.deepEqual(essence(await client<Written>(t, "write", url, { key: VARIABLES.KEY })), WRITTEN);
    assert.deepEqual(await listed(api, `Apikey ${VARIABLES.KEY}`), ["box"]);
    assert.equal(await listed(api, "Apikey 0123abcd"), 401);
    assert.equal(await listed(api), 401);
  });

  test("a catalog next to another tree: both are there", TIMEOUT, async (t) => {
    const { url, api } = await started(t, kind("a catalog next to another tree"));
    assert.deepEqual((await listed(api)) as string[], ["demo", "raw"]);
    assert.match(await text(`${url}/api/v1/array/full/demo/A?format=text/csv&slice=0,0:2`), /^1\.0\n1\.0\n/);
    assert.match(await text(`${url}/api/v1/search/raw`), /"count":0/);
  });

  test("exporters with an upstream: the format is there", TIMEOUT, async (t) => {
    const { url } = await started(t, kind("exporters with an upstream"));
    assert.equal(await text(`${url}/api/v1/array/full/A?format=lab`), "lab:(100, 100)");
  });

  test("a catalog in a folder of files: a module of the folder, and its trees", TIMEOUT, async (t) => {
    const { url, api } = await started(t, kind("a catalog in a folder of files"));
    const key = apikey(await api.makeKey(bearer(await api.login("bob"))));
    assert.deepEqual([...((await listed(api, key)) as string[])].sort(), ["demo", "raw"]);
    const response = await fetch(`${url}/api/v1/array/full/demo/A?format=application/x-lab`, {
      headers: { authorization: key },
    });
    assert.equal(await response.text(), "lab:(100, 100)");
  });

  test("a tree from your own module", TIMEOUT, async (t) => {
    const { api } = await started(t, kind("a tree from your own module"));
    assert.deepEqual(await listed(api, apikey(await api.makeKey(bearer(await api.login("cara"))))), ["x"]);
    assert.equal(await listed(api), 401);
  });

  const DEFINITIONS = `
roles: {reader: {scopes: ["read:data", "read:metadata"]}}
tags:
  chemistry: {users: [{name: bob, role: reader}]}
  physics: {users: [{name: bob, role: reader}, {name: cara, role: reader}]}
tag_owners: {}
`;
  async function python(folder: string, ...args: readonly string[]): Promise<void> {
    const command = [program("python"), script("access.py"), ...args];
    const { code, stderr } = await run(command, { cwd: folder, env: { PYTHONWARNINGS: "ignore" } });
    assert.equal(code, 0, stderr);
  }
  async function withTags(folder: string): Promise<void> {
    const initialized = await run([program("tiled"), "catalog", "init", "sqlite:///catalog.db"], {
      cwd: folder,
    });
    assert.equal(initialized.code, 0, initialized.stderr);
    await writeFile(join(folder, "tags.yml"), DEFINITIONS);
    await python(folder, "compile", "sqlite+aiosqlite:///catalog.db", "tags.yml", "{}");
  }
  async function seeTheirs({ url, api }: Scene): Promise<void> {
    const { secret } = await api.makeKey(bearer(await api.login("alice")));
    await python(
      ".",
      "fill",
      url,
      secret,
      JSON.stringify({ chemistry: ["chemistry"], physics: ["physics"] }),
    );
    const bob = bearer(await api.login("bob"));
    assert.deepEqual(await listed(api, bob), ["chemistry", "physics"]);
    assert.deepEqual(await listed(api, apikey(await api.makeKey(bob))), ["chemistry", "physics"]);
    assert.deepEqual(await listed(api, bearer(await api.login("cara"))), ["physics"]);
    const narrowed = { scopes: ["read:metadata"], access_tags: ["physics"] };
    assert.equal(await listed(api, apikey(await api.makeKey(bob, narrowed))), 403);
  }

  test("a tag policy over a catalog: each person sees their entries", TIMEOUT, async (t) => {
    await seeTheirs(await started(t, kind("a tag policy over a catalog"), withTags));
  });

  test("a tag policy with an upstream: with the Tiled's own trees put in", TIMEOUT, async (t) => {
    const scene = await started(t, kind("a tag policy with an upstream"), async (folder) => {
      await withTags(folder);
      const file = join(folder, "tiled.yml");
      const theirs = parse(await readFile(file, "utf8"));
      const args = {
        uri: "sqlite:///catalog.db",
        writable_storage: "./data",
        top_level_access_tags: ["public"],
      };
      await writeFile(file, stringify({ ...theirs, trees: [{ path: "/", tree: "catalog", args }] }));
    });
    await seeTheirs(scene);
  });
});
