/**
 * `tiled config migrate`: each kind of configuration of docs/how-to/migrating.md, and secrets, comments, paths and
 * existing files. With the real Tiled behind: `test/real/migrate.test.ts`.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { parse } from "yaml";
import { check } from "../../../src/cli/config/check.ts";
import { type MigrateOptions, migrate } from "../../../src/cli/config/migrate.ts";
import { OperatorError } from "../../../src/errors.ts";
import { type Files, KINDS, VARIABLES } from "../../support/migrating.ts";

async function placed(t: TestContext, files: Files): Promise<{ folder: string; source: string }> {
  const folder = await mkdtemp(join(tmpdir(), "tiled-migrate-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return { folder, source: join(folder, "config.yml" in files ? "config.yml" : "config.d") };
}

/** All files of a kind as one mapping, as PyYAML reads them. */
function merged(files: Files): Record<string, unknown> {
  const parts = Object.entries(files).flatMap(([name, text]) =>
    /\.ya?ml$/.test(name) ? [parse(text, { version: "1.1", merge: true }) as Record<string, unknown>] : [],
  );
  return Object.assign({}, ...parts);
}

function world(env: Readonly<Record<string, string>> = VARIABLES) {
  const lines: string[] = [];
  return {
    env,
    lines,
    out: (text: string) => void lines.push(text),
    err: (text: string) => void lines.push(text),
  };
}

/** All output, and the message where it failed. */
async function attempt(
  action: (io: ReturnType<typeof world>) => Promise<void>,
  env?: Readonly<Record<string, string>>,
) {
  const io = world(env);
  try {
    await action(io);
    return { failed: false, text: io.lines.join("\n") };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { failed: true, text: [...io.lines, error.message].join("\n") };
  }
}

const there = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** One that a shell must quote. */
const COMMAND = ["/opt/node", "/opt/tiled auth/bin.js"];

const run = (source: string, options: Partial<MigrateOptions> = {}, env?: Readonly<Record<string, string>>) =>
  attempt((io) => migrate(source, { upstreamPort: 8001, ...options }, { ...io, command: COMMAND }), env);

async function pairOf(t: TestContext, text: string, options: Partial<MigrateOptions> = {}) {
  const { folder, source } = await placed(t, { "config.yml": text });
  const { failed, text: said } = await run(source, options);
  assert.equal(failed, false, said);
  const [ours, theirs] = await Promise.all(
    ["tiled-auth.yml", "tiled.yml"].map((name) => readFile(join(folder, name), "utf8")),
  );
  return { folder, said, ours: ours ?? "", theirs: theirs ?? "" };
}

describe("each kind of configuration", () => {
  for (const [name, kind] of Object.entries(KINDS)) {
    it(name, async (t) => {
      const { folder, source } = await placed(t, kind.files);
      const checked = await attempt((io) => check(source, io));
      assert.equal(checked.failed, kind.check === "error", checked.text);
      if (kind.says !== undefined) assert.match(checked.text, kind.says);
      else assert.doesNotMatch(checked.text, /of no effect|trees/);

      const { failed, text } = await run(source);
      const written = await there(join(folder, "tiled.yml"));
      assert.equal(failed, ["errors remain", "refused"].includes(kind.migrate), text);
      if (kind.left !== undefined) assert.match(text, kind.left);
      if (kind.migrate === "nothing") assert.match(text, /Nothing in this file needs a real Tiled/);
      if (!kind.migrate.startsWith("pair")) {
        if (kind.migrate !== "errors remain") assert.equal(written, false);
        return;
      }
      assert.equal(/put them into tiled\.yml/.test(text), kind.migrate === "pair, to be completed", text);
      const ours = join(folder, "tiled-auth.yml");
      const again = await attempt((io) => check(ours, io));
      assert.equal(again.failed, false, again.text);
      assert.doesNotMatch(again.text, /of no effect here/);
      const theirs = parse(await readFile(join(folder, "tiled.yml"), "utf8"));
      const front = parse(await readFile(ours, "utf8"));
      assert.deepEqual(theirs.authentication.secret_keys, front.authentication.secret_keys);
      assert.equal(theirs.authentication.allow_anonymous_access, front.authentication.allow_anonymous_access);
      assert.deepEqual(
        theirs.authentication.providers.map(({ provider, args }: { provider: string; args: object }) => [
          provider,
          args,
        ]),
        (front.authentication.providers ?? [{ provider: "single_user" }]).map(
          ({ provider }: { provider: string }) => [provider, { users_to_passwords: {} }],
        ),
      );
      const whole = merged(kind.files);
      for (const key of ["media_types", "file_extensions", "specs", "routers", "webhooks", "streaming_cache"])
        assert.deepEqual(theirs[key], whole[key], key);
      for (const key of ["database", "server", "allow_origins", "pages", "audit"])
        assert.deepEqual([front[key], theirs[key]], [whole[key], undefined], key);
      for (const key of Object.keys(theirs))
        assert.ok(
          key in whole ||
            ["uvicorn", "authentication"].includes(key) ||
            kind.migrate === "pair, to be completed",
          key,
        );
      assert.equal(theirs.uvicorn.host, "127.0.0.1");
      assert.equal(front.trees.at(-1).upstream, `http://127.0.0.1:${theirs.uvicorn.port}`);
    });
  }
});

const CATALOG = "trees: [{path: /, tree: catalog, args: {uri: ./c.db}}]\n";

describe("the two files", () => {
  it("variables stay variables, and need not be set", async (t) => {
    const { source, folder } = await placed(t, {
      "config.yml": `authentication: {providers: [{provider: p, authenticator: "tiled.authenticators:DummyAuthenticator"}], secret_keys: ["$SECRET_KEY"]}\ndatabase: {uri: $DATABASE}\nuvicorn: {port: $PORT}\n${CATALOG}`,
    });
    const { failed, text } = await run(source, {}, { SECRET_KEY: "hunter2".repeat(8) });
    assert.equal(failed, false, text);
    for (const name of ["tiled-auth.yml", "tiled.yml"]) {
      const file = await readFile(join(folder, name), "utf8");
      assert.match(file, /secret_keys: \["\$SECRET_KEY"\]/);
      assert.doesNotMatch(file, /hunter2/);
    }
  });

  it("one new variable for both where there are no secret keys", async (t) => {
    const { ours, theirs, said } = await pairOf(t, CATALOG);
    assert.match(said, /export TILED_SECRET=\$\(openssl rand -hex 32\)/);
    for (const file of [ours, theirs]) assert.match(file, /secret_keys: \["\$\{TILED_SECRET\}"\]/);
  });

  it("secret keys of the environment are not outranked", async (t) => {
    const { source, folder } = await placed(t, { "config.yml": CATALOG });
    const { text } = await run(source, {}, { TILED_SECRET_KEYS: JSON.stringify(["k".repeat(40)]) });
    assert.doesNotMatch(text, /openssl/);
    for (const name of ["tiled-auth.yml", "tiled.yml"])
      assert.doesNotMatch(await readFile(join(folder, name), "utf8"), /secret_keys/);
  });

  it("no upstream of ours is in the Tiled's file", async (t) => {
    const { source, folder } = await placed(t, {
      "config.yml":
        'trees: [{path: /, upstream: "http://127.0.0.1:8001"}]\ncatalog: {uri: ./c.db, writable_storage: ./data}\n',
    });
    assert.equal((await run(source)).failed, false);
    const theirs = parse(await readFile(join(folder, "tiled.yml"), "utf8"));
    assert.deepEqual(theirs.catalog, { uri: "./c.db", writable_storage: ["./data"] });
    assert.equal(theirs.trees, undefined);
  });

  it("sections that belong to the Tiled behind leave our trees where they are", async (t) => {
    const { ours, theirs } = await pairOf(
      t,
      'trees:\n- {path: /ours, tree: "tiled.examples.generated_minimal:tree"}\n- {path: /theirs, upstream: "http://127.0.0.1:9009"}\nspecs: [{spec: xdi}]\n',
    );
    assert.deepEqual(
      parse(ours).trees.map(({ path }: { path: string }) => path),
      ["/ours", "/theirs"],
    );
    const { uvicorn, specs } = parse(theirs);
    assert.deepEqual(uvicorn, { host: "127.0.0.1", port: 9009, root_path: "/theirs" });
    assert.deepEqual(specs, [{ spec: "xdi" }]);
  });

  it("comments and the form stay", async (t) => {
    const { ours, theirs } = await pairOf(
      t,
      `# The beamline's server.\n\n# Who may log in.\nauthentication:\n  secret_keys: [ $SECRET_KEY ] # from the vault\n# What is served.\ntrees:\n  # Raw data.\n  - path: /\n    tree: catalog # in SQLite\n    args: {uri: "sqlite:///c.db"}\n`,
    );
    assert.match(ours, /# The beamline's server\.\n/);
    assert.match(
      ours,
      /# Who may log in\.\nauthentication:\n {2}secret_keys: \[\$SECRET_KEY\] # from the vault/,
    );
    assert.match(
      theirs,
      /# What is served\.\ntrees:\n {2}# Raw data\.\n {2}- path: \/\n {4}tree: catalog # in SQLite/,
    );
    assert.match(theirs, /args: \{uri: "sqlite:\/\/\/c\.db"\}/);
  });

  it("values stay as they are written, also those that PyYAML reads otherwise", async (t) => {
    const values = [
      "1e3",
      "08",
      "012",
      "1_000",
      "12:30:45",
      "yes",
      "~",
      "0x1F",
      "2024-01-01",
      '"yes"',
      "!!str 5",
    ];
    const args = values.map((value, index) => `      v${index}: ${value}\n`).join("");
    const { theirs } = await pairOf(t, `trees:\n  - path: /\n    tree: catalog\n    args:\n${args}`);
    const written = [...theirs.matchAll(/^ {6}v\d+: (.*)$/gm)].map(([, value]) => value);
    assert.deepEqual(written.slice(0, -1), values.slice(0, -1));
    assert.equal(written.at(-1), '!!str "5"');
  });

  it("a file with a secret in it can be read by its owner only", async (t) => {
    const { folder } = await pairOf(
      t,
      `authentication: {secret_keys: ["${"5ecre7".repeat(8)}"]}\n${CATALOG}`,
    );
    for (const name of ["tiled-auth.yml", "tiled.yml"])
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
    const uri = await pairOf(t, 'trees: [{path: /, tree: catalog, args: {uri: "postgresql://u:p@h/d"}}]\n');
    assert.equal((await stat(join(uri.folder, "tiled.yml"))).mode & 0o777, 0o600);
    assert.notEqual((await stat(join(uri.folder, "tiled-auth.yml"))).mode & 0o777, 0o600);
  });

  it("a file that only its owner reads makes two of that kind", async (t) => {
    const { source, folder } = await placed(t, { "config.yml": CATALOG });
    await chmod(source, 0o600);
    await run(source);
    assert.equal((await stat(join(folder, "tiled.yml"))).mode & 0o777, 0o600);
  });

  it("nothing is overwritten without --force, and the source never", async (t) => {
    const { source, folder } = await placed(t, { "config.yml": CATALOG, "tiled.yml": "mine\n" });
    const first = await run(source);
    assert.match(first.text, /tiled\.yml exists\. Use --force to overwrite it/);
    assert.equal(await there(join(folder, "tiled-auth.yml")), false);
    assert.equal((await run(source, { force: true })).failed, false);
    const itself = await run(join(folder, "tiled.yml"), { force: true, upstreamPort: 8002 });
    assert.match(itself.text, /tiled\.yml is the source, which is never overwritten/);
  });

  it("in another folder paths lead where they led, and Python finds its modules", async (t) => {
    const { source, folder } = await placed(t, {
      "config.yml": `authentication:\n  providers: [{provider: own, authenticator: "./auth/my_auth.js:Mine"}]\n  secret_keys: [$SECRET_KEY]\nenv_file: config.env\npages: {logo: logo.png}\n${CATALOG}`,
      "config.env": "",
      "auth/my_auth.js":
        'export class Mine {\n  static args = { type: "object", properties: {}, additionalProperties: false };\n  kind = "password";\n  confirmationMessage = "";\n  async authenticate() {\n    return null;\n  }\n}\n',
    });
    const { failed, text } = await run(source, { out: join(folder, "etc/tiled") });
    assert.equal(failed, false, text);
    assert.match(text, /PYTHONPATH=\S+ tiled serve config/);
    assert.match(
      text,
      /^ {2}\/opt\/node '\/opt\/tiled auth\/bin\.js' serve config \S*etc\/tiled\/tiled-auth\.yml$/m,
    );
    const ours = parse(await readFile(join(folder, "etc/tiled/tiled-auth.yml"), "utf8"));
    assert.equal(ours.authentication.providers[0].authenticator, "../../auth/my_auth.js:Mine");
    assert.equal(ours.pages.logo, "../../logo.png");
    assert.equal(ours.env_file, "../../config.env");
  });

  it("the Tiled has the path under which ours stands, and not its port", async (t) => {
    const { ours, theirs } = await pairOf(
      t,
      `server: {public_url: "https://a.org/data", port: 9000}\nuvicorn: {workers: 2, log_level: info, forwarded_allow_ips: 10.0.0.1}\n${CATALOG}`,
    );
    assert.deepEqual(parse(theirs).uvicorn, {
      workers: 2,
      log_level: "info",
      host: "127.0.0.1",
      port: 8001,
      root_path: "/data",
    });
    assert.deepEqual(parse(ours).uvicorn, { forwarded_allow_ips: "10.0.0.1" });
    const clash = await placed(t, { "config.yml": `uvicorn: {port: 8001}\n${CATALOG}` });
    assert.match((await run(clash.source)).text, /Port 8001 is this server's own.*--upstream-port 8002/);
  });

  it("an upstream below a path stays, and the Tiled is at '/'", async (t) => {
    const { ours } = await pairOf(
      t,
      `trees:\n- {path: /other, upstream: "http://127.0.0.1:9001"}\n- {path: /raw, tree: catalog, args: {uri: ./c.db}}\n`,
    );
    assert.deepEqual(
      parse(ours).trees.map(({ path, upstream }: Record<string, string>) => [path, upstream]),
      [
        ["/other", "http://127.0.0.1:9001"],
        ["/", "http://127.0.0.1:8001"],
      ],
    );
    assert.equal(parse(ours).trees.at(-1).kind, "tiled");
  });

  it("a folder that this server serves is checked as one, with variables that are not set", async (t) => {
    const { source } = await placed(t, {
      "config.d/auth.yml": `authentication: {secret_keys: [$SECRET_KEY]}\nuvicorn: {port: $PORT}\n`,
      "config.d/trees.yml": 'trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]\n',
    });
    const { failed, text } = await run(source, {}, {});
    assert.equal(failed, false, text);
    assert.match(text, /Nothing in this file needs a real Tiled/);
  });

  it("a pipe is refused", async (t) => {
    const { folder } = await placed(t, { "config.yml": CATALOG });
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    assert.match((await run(pipe)).text, /a pipe cannot be read twice/);
  });

  it("errors of the YAML are those of a check", async (t) => {
    const { source } = await placed(t, { "config.yml": "a: [\n" });
    assert.match((await run(source)).text, /config\.yml:\d+: not valid YAML/);
  });
});
