/** `tiled api_key …` and the verbs of `tiled admin` that ask a server over HTTP, against our server. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { FileStore } from "../../../src/client/node/file-store.ts";
import type { ApiKey, Principal } from "../../../src/client/wire.ts";
import { type TestAppOptions, testApp, type UserName } from "../../support/app.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

async function scene(t: TestContext, options: TestAppOptions = {}) {
  const app = await testApp(options);
  t.after(() => app.close());
  await app.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const home = await temporaryFolder(t.after.bind(t));
  const store = new FileStore(`${home}/cache`);
  const logIn = async (user: UserName) => {
    const { access_token, refresh_token } = await app.login(user);
    await store.set(`${url}/api/v1/`, { access_token, refresh_token });
  };
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    tiled([...args, "--url", url], { HOME: home, TILED_CACHE_DIR: store.folder, ...env });
  /** Its result, as JSON. */
  const json = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    return JSON.parse(stdout) as unknown;
  };
  return { app, url, logIn, run, json };
}

const done = (stdout = "", stderr = "") => ({ code: 0, stdout, stderr });

test("a key's secret is printed alone; the key is listed, works, and is revoked", async (t) => {
  const { app, logIn, run, json } = await scene(t);
  await logIn("alice");
  assert.deepEqual(await run(["api_key", "list"]), done("", "No API keys found\n"));
  assert.deepEqual(await json(["api_key", "list", "--json"]), []);
  const { code, stdout, stderr } = await run(["api-key", "create", "--expires-in", "1h"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^[0-9a-f]{72}\n$/);
  const secret = stdout.trim();
  const more = ["--scopes", "read:metadata", "--scopes=read:data", "--note", "数据 é 🔬\u001b[2J"];
  const made = (await json(["api_key", "create", "--json", ...more])) as ApiKey & { secret: string };
  assert.match(made.secret, /^[0-9a-f]{72}$/);
  assert.deepEqual(made.scopes, ["read:metadata", "read:data"]);
  const expires = new Date(app.clock.now() + 3_600_000).toISOString().slice(0, 19);
  const listed = await run(["api_key", "list"]);
  assert.deepEqual([listed.code, listed.stderr], [0, ""]);
  // Keys of one moment have no order.
  assert.deepEqual(
    listed.stdout.split("\n").toSorted(),
    [
      "",
      "First 8   Expires at (UTC)     Latest activity      Note                  Scopes                     Access tags",
      `${secret.slice(0, 8)}  ${expires}  ${"-".padEnd(21 + 22)}inherit                    -`,
      `${made.first_eight}  -                    -                    数据 é 🔬\\u{1b}[2J    read:metadata read:data    -`,
    ].toSorted(),
  );
  // When the server writes down the activity of this request is its own affair.
  const withKey = await run(["api_key", "list"], { TILED_API_KEY: secret });
  assert.equal(withKey.code, 0);
  for (const key of [secret, made.secret])
    assert.match(withKey.stdout, new RegExp(`^${key.slice(0, 8)} `, "m"));
  assert.doesNotMatch(withKey.stdout + withKey.stderr, new RegExp(secret));
  assert.deepEqual(await run(["api_key", "revoke", secret]), done());
  assert.deepEqual(await run(["api_key", "revoke", made.first_eight]), done());
  assert.deepEqual(await run(["api_key", "list"]), done("", "No API keys found\n"));
  assert.doesNotMatch(app.logLines.join(""), new RegExp(secret.slice(8)));
});

test("times, and what is refused, in one line", async (t) => {
  const { logIn, run, json, app } = await scene(t);
  await logIn("bob");
  for (const [text, seconds] of [
    ["600", 600],
    ["30s", 30],
    ["5m", 300],
    ["3d", 259_200],
    ["3y", 94_608_000],
  ] as const) {
    const key = (await json(["api_key", "create", "--json", "--expires-in", text])) as ApiKey;
    assert.equal(Date.parse(key.expiration_time ?? "") - app.clock.now(), seconds * 1000, text);
  }
  for (const args of [
    ["create", "--expires-in", "soon"],
    ["create", "--expires-in", "0"],
    ["create", "--scopes", "read:data", "read:metadata"],
    ["revoke", "1234567"],
    ["revoke"],
  ]) {
    const { code, stdout } = await run(["api_key", ...args]);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
  }
  for (const args of [
    ["api_key", "revoke", "deadbeef"],
    ["api_key", "create", "--scopes", "no:such"],
    ["api_key", "create", "--scopes", "admin:apikeys"],
    ["api_key", "create", "--note", "x".repeat(256)],
    ["admin", "list-principals"],
    ["admin", "show-principal", randomUUID()],
    ["admin", "create-service-principal"],
    ["admin", "api-key", "create", randomUUID()],
  ]) {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual([code, stdout], [1, ""], args.join(" "));
    assert.match(stderr.split("\n")[0] ?? "", /\(4\d\d, request [\w-]+\)/, args.join(" "));
  }
  assert.doesNotMatch((await run(["api_key", "revoke", "s3cr-ts"])).stderr, /s3cr-ts/);
});

test("a key can be limited to access tags", async (t) => {
  const { logIn, run, json } = await scene(t);
  await logIn("bob");
  const tags = ["--scopes", "read:data", "--access-tags", "beam line", "--access-tags", "public"];
  const key = (await json(["api_key", "create", "--json", ...tags])) as ApiKey;
  assert.deepEqual(key.access_tags, ["beam line", "public"]);
  assert.match((await run(["api_key", "list"])).stdout, / read:data {4}beam\\ line public\n$/);
});

test("an administrator lists principals, and makes a service and its keys", async (t) => {
  const { app, logIn, run, json } = await scene(t);
  await app.login("bob");
  await logIn("alice");
  const names = async (...page: string[]) =>
    ((await json(["admin", "list-principals", ...page])) as Principal[]).map(
      ({ type, identities }) => identities[0]?.id ?? type,
    );
  const service = (await json(["admin", "create-service-principal"])) as Principal;
  assert.deepEqual([service.type, service.roles.map(({ name }) => name)], ["service", ["user"]]);
  const everyone = await names();
  assert.deepEqual(everyone.toSorted(), ["alice", "bob", "service"]);
  assert.deepEqual(await names("1", "1"), everyone.slice(1, 2));
  assert.deepEqual(await names("0", "0"), []);
  const shown = await run(["admin", "show-principal", service.uuid]);
  assert.equal(shown.stdout, `${JSON.stringify(service, null, 2)}\n`);

  const on = (verb: string, ...args: string[]) => ["admin", "api-key", verb, service.uuid, ...args];
  assert.deepEqual(await run(on("list")), done("", "No API keys found\n"));
  const { stdout } = await run(on("create", "--expires-in", "1h", "--note", "detector"));
  const secret = stdout.trim();
  assert.match(secret, /^[0-9a-f]{72}$/);
  assert.equal((await app.whoami(`Apikey ${secret}`)).json<Principal>().uuid, service.uuid);
  assert.match((await run(on("list"))).stdout, new RegExp(`^First 8 .*\n${secret.slice(0, 8)} .* detector `));
  assert.equal(((await json(on("list", "--json"))) as ApiKey[]).length, 1);
  assert.deepEqual(await run(["admin", "api_key", "revoke", service.uuid, secret]), done());
  assert.equal((await app.whoami(`Apikey ${secret}`)).statusCode, 401);
  assert.equal((await run(on("revoke", secret))).code, 1);
  assert.equal((await run(["admin", "show-principal", "nonsense"])).code, 2);
});

test("more principals than a server answers at once", async (t) => {
  const { logIn, json, app } = await scene(t);
  await logIn("alice");
  const { access_token } = await app.login("alice");
  for (let index = 0; index < 305; index++)
    await app.call({
      method: "POST",
      url: "/api/v1/auth/principal?role=user",
      headers: { authorization: `Bearer ${access_token}` },
    });
  assert.equal(((await json(["admin", "list-principals"])) as unknown[]).length, 100);
  const all = (await json(["admin", "list-principals", "2", "1000"])) as Principal[];
  assert.equal(new Set(all.map(({ uuid }) => uuid)).size, 304);
});

const VERBS = [
  ["api_key", "create"],
  ["api_key", "list"],
  ["api_key", "revoke", "12345678"],
  ["admin", "list-principals"],
  ["admin", "show-principal", randomUUID()],
  ["admin", "create-service-principal"],
  ["admin", "api-key", "list", randomUUID()],
];

test("without a login and without a terminal nothing is asked", async (t) => {
  const { run } = await scene(t);
  for (const args of VERBS) {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual([code, stdout], [4, ""], args.join(" "));
    assert.match(stderr, /login is needed/);
  }
});

test("a server without logins has no keys to manage, and says so, also to its own key", async (t) => {
  const { run } = await scene(t, { providers: false, singleUserKey: "secret" });
  for (const args of VERBS)
    for (const env of [{}, { TILED_API_KEY: "secret" }]) {
      const { code, stdout, stderr } = await run(args, env);
      assert.deepEqual([code, stdout], [1, ""], args.join(" "));
      assert.match(stderr, /has no logins/);
    }
});

test("the help of admin says which verbs ask a server, and which work on a database", async () => {
  const { stdout } = await tiled(["admin", "--help"]);
  const [, database = "", network = ""] = stdout.split(/^(?:Work on|Ask) .*:$/m);
  assert.match(stdout, /^Work on a database .*of this machine:/m);
  assert.match(stdout, /^Ask a server over HTTP.*--url/m);
  assert.match(database, /^ {2}principals /m);
  assert.match(network, /^ {2}list-principals /m);
  assert.match(network, /^ {2}api-key /m);
});
