/** The command against servers and profiles that are not as they should be: what it prints, and its exit codes. */
import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { tokenFolderName } from "../../../src/client/node/folders.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";
import { TLS_CERT, TLS_KEY } from "../../support/tls.ts";
import { about, listening, scripted } from "./scripted-server.ts";

const ESCAPE = "\u001b]0;x\u0007";

async function computer(t: TestContext, env: Record<string, string> = {}) {
  const home = await temporaryFolder(t.after.bind(t));
  const all = { HOME: home, TILED_RETRY_ATTEMPTS: "1", ...env };
  const folder = (url: string) => join(home, ".cache/tiled/tokens", tokenFolderName(`${url}/api/v1/`));
  return {
    home,
    run: (args: readonly string[], more = {}) => tiled(args, { ...all, ...more }),
    typed: (args: readonly string[], input: string) =>
      tiled(args, { ...all, TILED_FORCE_PROMPT: "1" }, input),
    files: async (url: string) => await readdir(folder(url)).catch(() => []),
    keep: async (url: string, tokens: Record<string, string>) => {
      await mkdir(folder(url), { recursive: true });
      for (const [name, token] of Object.entries(tokens)) await writeFile(join(folder(url), name), token);
    },
    profile: async (name: string, text: string) => {
      const file = join(home, ".config/tiled", name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      return file;
    },
  };
}

const TOKENS = {
  access_token: "a.b.c",
  refresh_token: "d.e.f",
  identity: { id: `ann${ESCAPE}`, provider: "lab" },
  principal: "00000000000000000000000000000001",
};

test("which server: no default, a default that is gone, an unknown profile, one of Python's own", async (t) => {
  const c = await computer(t);
  const none = await c.run(["whoami"]);
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /^error: No default profile set\. Use:\n\n {4}tiled profile create /);
  assert.match(
    none.stderr,
    /\nhint: The first time: 'tiled login URL' logs in and makes the server the default\.\n$/,
  );
  await c.profile("default_profile", "gone");
  const gone = await c.run(["logout"]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /^error: Default profile 'gone' does not exist\. Clearing default\. Use:\n/);
  assert.deepEqual(await readdir(join(c.home, ".config/tiled")), []);
  const unknown = await c.run(["login", "--profile", `x${ESCAPE}`]);
  assert.equal(unknown.code, 1);
  assert.match(
    unknown.stderr,
    /^error: Profile 'x\\u\{1b\}\]0;x\\u\{7\}' could not be found\.\nhint: .*profile list/,
  );
  await c.profile("profiles/a.yml", "inline:\n  direct: {trees: []}\n");
  await c.profile("profiles/b.yml", "{");
  const inline = await c.run(["whoami", "--profile", "inline"]);
  assert.equal(inline.code, 1);
  assert.match(inline.stderr, /^warning: Skipping .*b\.yml.*\nerror: Profile 'inline' .*direct/);
  for (const [address, message] of [
    ["tiled", /^error: Invalid address/],
    ["ftp://h", /^error: The address must begin with http/],
    ["http://h?api_key=a&api_key=b", /two API keys/],
  ] as const) {
    const wrong = await c.run(["whoami", "--url", address]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, message);
  }
  assert.equal((await c.run(["whoami", "--url", "http://h", "--profile", "p"])).code, 2);
});

test("a server without logins: no login, and its key is a single user's", async (t) => {
  const { url } = await scripted(t, { "GET /": about(null, null), "HEAD /metadata/": { body: "" } });
  const closed = await scripted(t, {
    "GET /": about(null, null),
    "HEAD /metadata/": { status: 401, body: "" },
  });
  const c = await computer(t);
  const who = ["whoami", "--url"];
  assert.deepEqual(await c.run([...who, url]), { code: 0, stdout: "Not authenticated.\n", stderr: "" });
  const key = { TILED_API_KEY: "secret" };
  const right = await c.run([...who, url], key);
  assert.deepEqual([right.code, right.stdout], [0, "single user\n"]);
  const wrong = await c.run([...who, closed.url], key);
  assert.deepEqual([wrong.code, wrong.stdout], [1, ""]);
  assert.match(wrong.stderr, /error: Invalid API key \(401\)/);
  const login = await c.run(["login", url]);
  assert.deepEqual([login.code, login.stdout], [1, ""]);
  assert.match(
    login.stderr,
    /has no logins, only one fixed API key\.\nhint: 'tiled tree' and 'tiled whoami' take this key from TILED_API_KEY\./,
  );
  assert.deepEqual(await c.run(["logout", "--url", url]), { code: 0, stdout: "", stderr: "" });
});

test("a service is its UUID", async (t) => {
  const uuid = "00000000-0000-0000-0000-000000000001";
  const { url } = await scripted(t, {
    "GET /": about({}),
    "GET /auth/whoami": { body: { uuid, type: "service", identities: [] } },
  });
  const c = await computer(t, { TILED_API_KEY: "00" });
  assert.equal((await c.run(["whoami", "--url", url])).stdout, `${uuid}\n`);
});

test("a hostile server's texts are escaped, and its addresses are not opened", async (t) => {
  const c = await computer(t);
  const password = await scripted(t, {
    "GET /": about({ provider: `lab${ESCAPE}`, confirmation_message: `Hi {id}$&${ESCAPE}` }),
    [`POST /auth/provider/${encodeURIComponent(`lab${ESCAPE}`)}/token`]: { body: TOKENS },
    "GET /auth/whoami": { body: { uuid: "u", identities: [{ id: `ann${ESCAPE}` }] } },
  });
  const welcome = await c.typed(["login", password.url], "ann\nx\n");
  assert.equal(welcome.stdout, "Hi ann\\u001b]0;x\\u0007$&\\u001b]0;x\\u0007\n");
  assert.equal((await c.run(["whoami"])).stdout, "ann\\u{1b}]0;x\\u{7}\n");
  const shown = await c.run(["whoami", "--json"]);
  assert.ok(!shown.stdout.includes("\u001b") && !shown.stdout.includes("\u0007"));
  const refused = await scripted(t, {
    "GET /": about({}),
    "POST /auth/provider/lab/token": { status: 400, body: { detail: `full${ESCAPE}` } },
  });
  const full = await c.typed(["login", refused.url], "ann\nx\n");
  assert.deepEqual([full.code, full.stdout], [1, ""]);
  assert.match(full.stderr, /error: full\\u001b\]0;x\\u0007 \(400, request abc123\)/);
  for (const address of ["javascript:alert(1)", "file:///etc/passwd", `https://h/${ESCAPE}`, 1]) {
    const { url } = await scripted(t, {
      "GET /": about({ mode: "external" }),
      "POST /auth/provider/lab/authorize": {
        body: { authorization_uri: address, device_code: "d", user_code: "U" },
      },
    });
    const { code, stdout, stderr } = await c.run(["login", url]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /does not answer as a server of Tiled does/);
    assert.doesNotMatch(stderr, /javascript|file:|Code: /);
  }
});

test("too many passwords: how long to wait", async (t) => {
  const { url, asked } = await scripted(t, {
    "GET /": about({}),
    "POST /auth/provider/lab/token": {
      status: 429,
      body: { detail: "Too many failed attempts." },
      headers: { "retry-after": "30" },
    },
  });
  const c = await computer(t, { TILED_RETRY_ATTEMPTS: "3" });
  const { code, stderr } = await c.typed(["login", url], "ann\nx\n");
  assert.equal(code, 1);
  assert.match(
    stderr,
    /error: Too many failed attempts\. \(429, request abc123\)\nhint: Try again in 30 s\./,
  );
  assert.equal(asked.filter(({ what }) => what.startsWith("POST")).length, 1);
});

test("another server, one that is away, and one whose certificate is not trusted", async (t) => {
  const c = await computer(t);
  const page = await scripted(t, { "GET /": { body: "<html>" } });
  const other = await c.run(["whoami", "--url", page.url]);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /does not answer as a server of Tiled does\.\nhint: Check the address/);
  const elsewhere = await c.run(["whoami", "--url", `${page.url}/ui`]);
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /^error: .*\(404.*\)\nhint: Check the address/);
  const gone = createServer();
  const url = await listening(t, gone);
  gone.close();
  const away = await c.run(["whoami", "--url", url], { TILED_RETRY_ATTEMPTS: "2" });
  assert.equal(away.code, 1);
  assert.match(
    away.stderr,
    /^Retrying… http:\S+ cannot be reached\. The connection was refused\.\nerror: http:\S+ cannot be reached\. The connection was refused\.\n$/,
  );
  const secure = createSecureServer({ key: TLS_KEY, cert: TLS_CERT });
  const plain = await listening(t, secure);
  const untrusted = await c.run(["whoami", "--url", plain.replace("http", "https")], {
    TILED_RETRY_ATTEMPTS: "5",
  });
  assert.equal(untrusted.code, 1);
  assert.match(
    untrusted.stderr,
    /^error: .*certificate cannot be trusted \(\w+\)\.\nhint: .*NODE_EXTRA_CA_CERTS.*--no-verify/,
  );
});

test("logout removes the login also where the server is away", async (t) => {
  const c = await computer(t);
  const gone = createServer();
  const url = await listening(t, gone);
  gone.close();
  await c.keep(url, { access_token: "a", refresh_token: "r", id_token: "i" });
  const { code, stderr } = await c.run(["logout", "--url", url]);
  assert.equal(code, 1);
  assert.match(stderr, /^warning: The login was removed from this computer\..*\nerror: .*cannot be reached/);
  assert.deepEqual(await c.files(url), []);
});

test("a new login stands although the one before cannot be ended", async (t) => {
  const { url } = await scripted(t, {
    "GET /": about({}),
    "POST /auth/provider/lab/token": { body: TOKENS },
    "POST /auth/session/revoke": { status: 403, body: { detail: "no" } },
  });
  const c = await computer(t);
  await c.keep(url, { access_token: "old", refresh_token: "old" });
  const { code, stderr } = await c.typed(["login", url], "ann\nx\n");
  assert.equal(code, 0);
  assert.match(stderr, /warning: Your previous session could not be ended: no \(403, request abc123\)/);
  assert.deepEqual(await c.files(url), ["access_token", "refresh_token"]);
});

test("a folder for logins that cannot be used", async (t) => {
  const { url } = await scripted(t, {
    "GET /": about({}),
    "POST /auth/provider/lab/token": { body: TOKENS },
  });
  const c = await computer(t);
  await writeFile(join(c.home, ".cache"), "");
  for (const { code, stdout, stderr } of [
    await c.typed(["login", url], "ann\nx\n"),
    await c.run(["whoami", "--url", url]),
  ]) {
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /error: The login cannot be read or stored: ENOTDIR.*\nhint: TILED_CACHE_DIR /);
  }
});
