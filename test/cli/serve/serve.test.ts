/** The command as a process of its own: what it prints where, how it ends, and what signals do. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { TILED } from "../../support/ours.ts";
import { login, slowAuthenticator } from "../../support/slow.ts";
import { TLS_CERT, TLS_KEY } from "../../support/tls.ts";

const COMMAND = TILED.map((part) => `"${part}"`).join(" ");
const TREE = "tiled.examples.generated_minimal:tree";

/** A hang is a failure, also on a busy machine. */
const LIMIT = { timeout: 60_000 };

const folder = await temporaryFolder(after);

class Child {
  readonly process: ChildProcess;
  stdout = "";
  stderr = "";
  readonly #ended: Promise<unknown>;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(TILED[0] ?? "", [...TILED.slice(1), ...args], { env: { ...process.env, ...env } });
    this.process.stdout?.setEncoding("utf8").on("data", (part: string) => {
      this.stdout += part;
    });
    this.process.stderr?.setEncoding("utf8").on("data", (part: string) => {
      this.stderr += part;
    });
    this.#ended = once(this.process, "close");
  }

  async end(): Promise<number | null> {
    await this.#ended;
    return this.process.exitCode;
  }

  /** Waits for a text on stderr. */
  async says(text: string): Promise<void> {
    while (!this.stderr.includes(text)) await once(this.process.stderr ?? this.process, "data");
  }

  /** The first address that is printed. */
  async address(): Promise<URL> {
    for (;;) {
      const found = /^ *(?:.*: )?(http:\/\/\S+)$/m.exec(this.stdout)?.[1];
      if (found !== undefined) return new URL(found);
      assert.equal(this.process.exitCode, null, this.stderr);
      await Promise.race([once(this.process.stdout ?? this.process, "data"), this.#ended]);
    }
  }
}

function serve(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const child = new Child(["serve", ...args], env);
  t.after(() => child.process.kill("SIGKILL"));
  return child;
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const slowConfig = await file(
  "slow.yml",
  `trees: [{path: /, tree: "${TREE}"}]
authentication:
  providers:
    - {provider: now, authenticator: "${await slowAuthenticator(folder)}", args: {announce: true, seconds: 0.3}}
    - {provider: never, authenticator: "./slow.mjs:Slow", args: {announce: true}}
`,
);

test(
  "pyobject: the key is printed in the address, once, on stdout; the log is JSON on stderr without it",
  LIMIT,
  async (t) => {
    const child = serve(t, ["pyobject", TREE, "--port", "0", "--public", "--log-timestamps"]);
    const address = await child.address();
    const key = address.searchParams.get("api_key") ?? assert.fail("no key");
    // It answers as soon as the address is printed.
    assert.equal((await fetch(address)).status, 200);
    assert.equal((await fetch(new URL("/api/v1/metadata/", address))).status, 200, "visitors may read");
    assert.match(child.stdout, /Visitors may read/);
    child.process.kill("SIGTERM");
    assert.equal(await child.end(), 0);
    assert.equal(child.stdout.split(key).length, 2);
    const lines = child.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.ok(lines.some((line) => line["msg"] === "request" && line["path"] === "/"));
    for (const line of lines) assert.match(String(line["time"]), /^\d{4}-\d\d-\d\dT/);
    assert.ok(!child.stderr.includes(key));
  },
);

test("foreign input cannot send control characters to the terminal that shows the log", LIMIT, async (t) => {
  const child = serve(t, ["config", slowConfig, "--port", "0"]);
  const address = await child.address();
  const send = async (head: string, body = "") => {
    const socket = connect(Number(address.port), address.hostname);
    const length = `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    socket.end(`${head}\r\nHost: a\r\n${length}${body}`, "latin1");
    await once(socket.resume(), "close");
  };
  await send("GET /api/v1/ HTTP/1.1\r\nUser-Agent: python-tiled/0.0.1-\x9b31m\x9d0;owned\x9c");
  const form = "Content-Type: application/x-www-form-urlencoded";
  const twice = "%C2%9B31m%E2%80%AE=1&%C2%9B31m%E2%80%AE=1";
  await send(`POST /api/v1/auth/provider/now/token HTTP/1.1\r\n${form}`, twice);
  await child.says('"method":"POST"');
  assert.match(child.stderr, /version 0\.0\.1-\\u009b31m/);
  assert.match(child.stderr, /\\u009b31m\\u202e/);
  assert.doesNotMatch(child.stderr.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  for (const line of child.stderr.trimEnd().split("\n")) JSON.parse(line);
});

test(
  "on a terminal the log is lines for people, with colours; elsewhere where it is asked for",
  LIMIT,
  async (t) => {
    const shown = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
      const child = serve(t, ["config", slowConfig, "--port", "0", ...args], {
        ...env,
        NODE_DISABLE_COLORS: "",
      });
      const address = await child.address();
      assert.equal((await login(address.origin, "now")).status, 200);
      await child.says("logged in");
      return child.stderr;
    };
    const coloured = await shown(["--log-format", "pretty"], { FORCE_COLOR: "1", NO_COLOR: "" });
    assert.match(
      coloured,
      /\[32m200\S+ {2}POST \/api\/v1\/auth\/provider\/now\/token {2}[\d.]+ ms {2}.*now:\S+ logged in/,
    );
    const plain = await shown(["--log-format", "pretty", "--log-timestamps"], { NO_COLOR: "1" });
    assert.match(plain, /^\d{4}-\d\d-\d\dT\S+Z 200 {2}POST /m);
    assert.doesNotMatch(plain.replaceAll("\n", ""), /\p{Cc}/u);
  },
);

test("SIGHUP reads the certificate again and ends nothing, without one either", LIMIT, async (t) => {
  const cert = await file("cert.pem", TLS_CERT);
  const key = await file("key.pem", TLS_KEY);
  const single = `trees: [{path: /, tree: "${TREE}"}]\n`;
  const tls = await file("tls.yml", `${single}server: {tls: {cert: "${cert}", key: "${key}"}}\n`);
  const plain = await file("plain.yml", single);
  for (const [config, text] of [
    [plain, "no certificate to read again"],
    [tls, "reading the certificate again"],
  ] as const) {
    const child = serve(t, ["config", config, "--port", "0"]);
    await child.says("Server listening");
    child.process.kill("SIGHUP");
    await child.says(text);
    child.process.kill("SIGTERM");
    assert.equal(await child.end(), 0);
  }
});

test(
  "SIGHUP reads the rules of cave again, once and under fire, and a changed file does so by itself",
  LIMIT,
  async (t) => {
    const text = (group: string) => `trees: [{path: /, tree: "${TREE}"}]
authentication:
  secret_keys: [0123456789abcdef0123456789abcdef]
  providers: [{provider: toy, authenticator: "tiled.authenticators:DictionaryAuthenticator", args: {users_to_passwords: {a: b}}}]
cave: {server_address: "http://localhost:1", groups: {${group}: {id: 1, everyone: true}}}
`;
    const config = await file("cave.yml", text("one"));
    const child = serve(t, ["config", config, "--port", "0"]);
    await child.says("CAVE's rules are in force: 1 group");
    child.process.kill("SIGHUP");
    await child.says(
      "SIGHUP: reading the rules of CAVE again. Other changes of the configuration need a restart.",
    );
    await child.says("CAVE's rules are unchanged.");
    await writeFile(config, text("two: {id: 1}, last"));
    for (let times = 0; times < 20; times++) child.process.kill("SIGHUP");
    await child.says("id 1 already");
    await writeFile(config, text("one: {id: 3}, two"));
    await child.says("New rules for CAVE are in force: 2 groups");
    child.process.kill("SIGTERM");
    assert.equal(await child.end(), 0);
  },
);

const SCRIPT = "/usr/bin/script";

test("a terminal paused with Ctrl-S delays neither requests nor the stop", {
  ...LIMIT,
  skip: process.platform === "linux" && existsSync(SCRIPT) ? false : `needs ${SCRIPT} of Linux`,
}, async (t) => {
  // A terminal of a process that reads from it only as long as its own output is read here.
  const command = `echo "pid=$$"; exec ${COMMAND} serve pyobject ${TREE} --port 0`;
  const terminal = spawn(SCRIPT, ["-qefc", command, "/dev/null"], { stdio: ["ignore", "pipe", "ignore"] });
  let shown = "";
  const look = (part: string) => {
    shown += part;
  };
  terminal.stdout.setEncoding("utf8").on("data", look);
  while (!/api_key=[\s\S]*\n/.test(shown)) await once(terminal.stdout, "data");
  const pid = Number(/pid=(\d+)/.exec(shown)?.[1]);
  t.after(() => {
    terminal.kill("SIGKILL");
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });
  terminal.stdout.off("data", look).pause();
  const url = /http:\S+:\d+/.exec(shown)?.[0] ?? assert.fail(shown);
  const path = `/api/v1/${"x".repeat(250)}`;
  for (let round = 0; round < 40; round++) {
    const answers = await Promise.all(Array.from({ length: 25 }, () => fetch(url + path)));
    for (const answer of answers) {
      assert.equal(answer.status, 404);
      await answer.body?.cancel();
    }
  }
  process.kill(pid, "SIGTERM");
  assert.ok(await eventually(15, async () => !isAlive(pid)));
});

test("a terminal that is closed ends the server", {
  ...LIMIT,
  skip: process.platform === "linux" && existsSync(SCRIPT) ? false : `needs ${SCRIPT} of Linux`,
}, async (t) => {
  const command = `echo "pid=$$"; exec ${COMMAND} serve pyobject ${TREE} --port 0`;
  const terminal = spawn(SCRIPT, ["-qefc", command, "/dev/null"], { stdio: ["ignore", "pipe", "ignore"] });
  let shown = "";
  terminal.stdout.setEncoding("utf8").on("data", (part: string) => {
    shown += part;
  });
  while (!/api_key=[\s\S]*\n/.test(shown)) await once(terminal.stdout, "data");
  const pid = Number(/pid=(\d+)/.exec(shown)?.[1]);
  t.after(() => {
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });
  terminal.kill("SIGKILL");
  assert.ok(await eventually(15, async () => !isAlive(pid)));
});

/** One that has ended waits for its parent, which the test has stopped. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("directory: serves a folder with the key or, with --public, to everyone", LIMIT, async (t) => {
  const data = join(folder, "data");
  await mkdir(join(data, "run1"), { recursive: true });
  await writeFile(join(data, "run1", "t.csv"), "a,b\n1,x\n");
  await writeFile(join(data, "notes.txt"), "no data");
  const read = async (child: Child) => {
    const address = await child.address();
    const answer = await fetch(new URL("/api/v1/table/full/run1/t?format=json", address));
    return answer.status === 200 ? await answer.json() : answer.status;
  };
  assert.deepEqual(await read(serve(t, ["directory", data, "--port", "0", "--public"])), {
    a: [1],
    b: ["x"],
  });
  const closed = serve(t, ["directory", data, "--port", "0"]);
  assert.equal(await read(closed), 401);
  const address = await closed.address();
  const list = await fetch(new URL(`/api/v1/search/${address.search}`, address));
  assert.equal(((await list.json()) as { meta: { count: number } }).meta.count, 1);
  await closed.says("notes.txt");
  const missing = serve(t, ["directory", join(folder, "nowhere"), "--port", "0"]);
  assert.equal(await missing.end(), 1);
  assert.match(missing.stderr, /the folder .*nowhere does not exist/);
});

test("config: a configured key is not printed, wherever it comes from", LIMIT, async (t) => {
  const config = await file("single.yml", `trees: [{path: /, tree: "${TREE}"}]\n`);
  const children = [
    serve(t, ["config", config, "--port", "0", "--api-key", "secret1"]),
    serve(t, ["config", "--port", "0"], { TILED_CONFIG: config, TILED_SINGLE_USER_API_KEY: "secret1" }),
  ];
  for (const child of children) {
    const address = await child.address();
    assert.equal(address.search, "");
    const answer = await fetch(new URL("/api/v1/metadata/", address), {
      headers: { authorization: "Apikey secret1" },
    });
    assert.equal(answer.status, 200);
    child.process.kill("SIGINT");
    assert.equal(await child.end(), 0);
    assert.doesNotMatch(child.stdout + child.stderr, /secret1/);
  }
});

test("demo: the printed accounts can log in", LIMIT, async (t) => {
  const child = serve(t, ["demo", "--port", "0"]);
  const address = await child.address();
  const password = /alice +(\S+)/.exec(child.stdout)?.[1] ?? assert.fail(child.stdout);
  const answer = await fetch(new URL("/api/v1/auth/provider/demo/token", address), {
    method: "POST",
    body: new URLSearchParams({ username: "alice", password }),
  });
  assert.equal(answer.status, 200);
  child.process.kill("SIGTERM");
  assert.equal(await child.end(), 0);
  assert.equal(child.stderr, "", "nothing between what the reader has to type");
});

test(
  "SIGTERM: a login under way is answered, a half-open connection is closed, exit code 0",
  LIMIT,
  async (t) => {
    const child = serve(t, ["config", slowConfig, "--port", "0"]);
    const address = await child.address();
    const halfOpen = connect(Number(address.port), address.hostname);
    await once(halfOpen, "connect");
    const answer = login(address.origin, "now");
    await child.says("asked");
    const started = performance.now();
    child.process.kill("SIGTERM");
    await once(halfOpen.resume(), "close");
    assert.equal((await answer).status, 200);
    assert.equal(await child.end(), 0);
    assert.ok(performance.now() - started < 5_000);
  },
);

test("a second signal ends it at once", LIMIT, async (t) => {
  const child = serve(t, ["config", slowConfig, "--port", "0"]);
  const address = await child.address();
  const answer = login(address.origin, "never");
  answer.catch(() => undefined);
  await child.says("asked");
  child.process.kill("SIGTERM");
  await child.says("Stopping");
  child.process.kill("SIGTERM");
  assert.equal(await child.end(), 1);
});

test("a failed start prints a few lines on stderr and sets the exit code", LIMIT, async (t) => {
  const running = serve(t, ["pyobject", TREE, "--port", "0"]);
  const { port } = await running.address();
  const wrong = await file("wrong.yml", "trees: [{path: /, tre: x}]\nauthentication: {secret_keys: []}\n");
  const noDatabase = await file(
    "no-database.yml",
    `trees: [{path: /, tree: "${TREE}"}]
authentication: {providers: [{provider: toy, authenticator: "tiled.authenticators:DummyAuthenticator"}]}
database: {uri: "sqlite:///${join(folder, "gone.db")}"}
`,
  );
  const cases = [
    {
      args: ["pyobject", TREE, "--port", port],
      code: 3,
      message: /port \d+ \(option --port\): another program uses this port/,
    },
    {
      args: ["config", wrong],
      code: 1,
      message: /wrong\.yml:1: trees\[0\][\s\S]*wrong\.yml:2: authentication\.secret_keys/,
    },
    { args: ["config", join(folder, "gone.yml")], code: 1, message: /gone\.yml/ },
    { args: ["config", noDatabase], code: 1, message: /There is no database at .*initialize-database/ },
    { args: ["config", slowConfig, "--scalable"], code: 1, message: /secret_keys[\s\S]*database\.uri/ },
    { args: ["pyobject", "my.module:tree"], code: 1, message: /my\.module:tree/ },
    { args: ["config", "--bogus"], code: 2, message: /unknown option/ },
  ].map(({ args, ...expected }) => ({ child: serve(t, args), ...expected }));
  for (const { child, code, message } of cases) {
    assert.equal(await child.end(), code, child.stderr);
    assert.match(child.stderr, message);
    assert.doesNotMatch(child.stderr, /\n {4}at /, "no stack trace");
    assert.equal(child.stdout, "");
  }
});
