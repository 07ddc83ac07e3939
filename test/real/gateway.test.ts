/**
 * The real Tiled behind our gateway and the real client in front of it. Its web interface is in `gateway-ui.test.ts`.
 */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { Api, bearer } from "../support/api.ts";
import { ARRAY, behind, catalog, serve } from "../support/behind.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs } from "../support/ours.ts";
import type { Server } from "../support/process.ts";
import { atTerminal, type Dialogue, program, withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { PASSWORDS, SECRET_KEY, toy } from "../support/toy.ts";

const SCRIPT = fileURLToPath(new URL("gateway_client.py", import.meta.url));
const TIMEOUT = { timeout: 300_000 };

const typed = (name: keyof typeof PASSWORDS): Dialogue => [
  ["Username: ", name],
  ["Password: ", PASSWORDS[name]],
];

async function client<Report>(
  t: TestContext,
  scenario: string,
  url: string,
  { key, dialogue = [], args = [] }: { key?: string; dialogue?: Dialogue; args?: readonly string[] } = {},
): Promise<Report> {
  const cache = await temporaryFolder(t.after.bind(t));
  const command = [program("python"), SCRIPT, scenario, url, ...args];
  const { code, stdout, stderr } = await atTerminal(command, dialogue, {
    TILED_CACHE_DIR: cache,
    ...(key !== undefined && { TILED_API_KEY: key }),
  });
  const report = /^REPORT (.*)$/m.exec(stdout)?.[1];
  if (code !== 0 || report === undefined)
    throw new Error(`${scenario} ended with ${code}:\n${stdout}${stderr}`);
  return JSON.parse(report) as Report;
}

interface Seen {
  readonly link: string;
  readonly who: readonly string[] | null;
}

describe("the real client", { skip: withoutTiled() }, () => {
  test(
    "reads through the gateway what it reads from Tiled itself, by password and by key",
    TIMEOUT,
    async (t) => {
      const { front } = await serve(t, behind());
      const alone = await startReference(t.after.bind(t), toy());
      const dialogue = typed("bob");
      const expected = await client<Seen>(t, "see", alone.url, { dialogue });
      const got = await client<Seen>(t, "see", front.url, { dialogue });
      assert.equal(got.link, `${front.url}/api/v1/metadata/A`);
      assert.deepEqual({ ...got, link: "" }, { ...expected, link: "" });

      const api = new Api(front.url);
      const { secret } = await api.makeKey(bearer(await api.login("cara")));
      const byKey = await client<Seen>(t, "see", front.url, { key: secret });
      assert.deepEqual({ ...byKey, link: "" }, { ...expected, link: "", who: ["cara"] });
    },
  );

  test(
    "writes, searches, changes and deletes in a catalog; the real server refuses a narrow key",
    TIMEOUT,
    async (t) => {
      const { front } = await serve(t, await catalog(t));
      const written = await client(t, "write", front.url, { dialogue: typed("alice") });
      const table = { a: [2, 4, 6], b: [1, 3, 5] };
      assert.deepEqual(written, {
        same: true,
        patched: -1,
        table,
        green: ["array"],
        blue: ["other"],
        distinct: ["None", "blue", "green"],
        revisions: 1,
        keys: ["array", "other", "table"],
        left: ["table"],
      });
      const api = new Api(front.url);
      const scopes = { scopes: ["read:metadata", "read:data", "create:apikeys"] };
      const { secret } = await api.makeKey(bearer(await api.login("alice")), scopes);
      const report = await client<Record<string, string>>(t, "narrow", front.url, { key: secret });
      assert.deepEqual([report["keys"], report["read"]], [["table"], table]);
      for (const attempt of ["write", "delete", "update"]) {
        assert.match(
          report[attempt] ?? "",
          /^401: Not enough permissions\. Requires scopes \['(write|delete|create):/,
        );
      }
    },
  );

  test(
    "two people have their own scopes; no token of ours opens the upstream directly",
    TIMEOUT,
    async (t) => {
      const { front, real } = await serve(t, await catalog(t));
      const api = new Api(front.url);
      const [alice, bob] = [await api.login("alice"), await api.login("bob")];
      for (const [credential, status] of [
        [bearer(alice), 200],
        [bearer(bob), 401],
      ] as const) {
        // An administrator's scope.
        assert.equal(
          (await api.call("GET", "/webhooks/history/x", credential)).status === 401,
          status === 401,
        );
      }
      const { secret } = await api.makeKey(bearer(bob));
      assert.equal((await api.call("GET", "/metadata/", `Apikey ${secret}`)).status, 200);
      assert.equal((await new Api(real.url).call("GET", "/metadata/", `Apikey ${secret}`)).status, 401);
    },
  );

  test(
    "hears by subscription what is written, with keys that are gone as soon as it listens",
    TIMEOUT,
    async (t) => {
      const { front } = await serve(t, await catalog(t));
      assert.deepEqual(await client(t, "stream", front.url, { dialogue: typed("bob") }), {
        events: [
          ["data", [1, 1, 1]],
          ["data", [2, 2, 2]],
          ["data", [3, 3, 3]],
          ["child", "another"],
        ],
        keys: [],
      });
    },
  );

  test("below a prefix, where the server behind knows of it, all links lead there", TIMEOUT, async (t) => {
    const cleanup = t.after.bind(t);
    const real = await startReference(cleanup, behind({ uvicorn: { root_path: "/beamline" } }));
    const front = await startOurs(cleanup, toy({ trees: [{ path: "/beamline", upstream: real.url }] }));
    const seen = await client<Seen>(t, "see", `${front.url}/beamline`, { dialogue: typed("bob") });
    assert.equal(seen.link, `${front.url}/beamline/api/v1/metadata/A`);
    assert.deepEqual(seen.who, ["bob"]);
    const ui = await fetch(`${front.url}/beamline/ui`, { redirect: "manual" });
    assert.equal(ui.headers.get("location"), `${front.url}/beamline/ui/`);
  });
});

describe("the four ways to serve, with a Tiled behind", { skip: withoutTiled() }, () => {
  const MINIMAL = { keys: ["A", "B", "C", "D"], first: 1 };

  async function used(t: TestContext, authentication: object, anonymous: boolean): Promise<Server> {
    const cleanup = t.after.bind(t);
    const real = await startReference(cleanup, behind({}, { allow_anonymous_access: anonymous }));
    const config = { authentication: { secret_keys: [SECRET_KEY], ...authentication } };
    return startOurs(cleanup, { ...config, trees: [{ path: "/", upstream: real.url }] });
  }
  const look = (t: TestContext, { url }: Server, key?: string) =>
    client<object>(t, "look", url, key === undefined ? {} : { args: [key] });

  test("a single user", TIMEOUT, async (t) => {
    const server = await used(t, { single_user_api_key: "abc123" }, true);
    assert.deepEqual(await look(t, server, "abc123"), MINIMAL);
    assert.deepEqual(await look(t, server, "abc124"), { refused: "ClientError" });
    assert.equal((await fetch(`${server.url}/api/v1/metadata/`)).status, 401);
  });

  test("public", TIMEOUT, async (t) => {
    const server = await used(t, { single_user_api_key: "abc123", allow_anonymous_access: true }, true);
    assert.deepEqual(await look(t, server), MINIMAL);
    assert.deepEqual(await look(t, server, "abc124"), { refused: "ClientError" });
  });

  const { authentication } = toy() as { authentication: object };

  test("private, even if the upstream is public", TIMEOUT, async (t) => {
    const server = await used(t, authentication, true);
    assert.equal((await fetch(`${server.url}/api/v1/metadata/`)).status, 401);
    const api = new Api(server.url);
    const { secret } = await api.makeKey(bearer(await api.login("bob")));
    assert.deepEqual(await look(t, server, secret), MINIMAL);
  });

  test("with anonymous readers: both servers must allow them", TIMEOUT, async (t) => {
    const open = await used(t, { ...authentication, allow_anonymous_access: true }, true);
    assert.equal((await fetch(`${open.url}/api/v1/metadata/`)).status, 200);
    const write = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    assert.equal((await fetch(`${open.url}/api/v1/metadata/`, write)).status, 401);
    const half = await used(t, { ...authentication, allow_anonymous_access: true }, false);
    assert.equal((await fetch(`${half.url}/api/v1/metadata/`)).status, 401);
  });
});

describe("streams without the Python client", { skip: withoutTiled() }, () => {
  test(
    "a WebSocket that logs in by its first message hears what is written, and its links lead here",
    TIMEOUT,
    async (t) => {
      const { front } = await serve(t, await catalog(t));
      const api = new Api(front.url);
      const alice = await api.login("alice");
      const { status } = await api.call("POST", "/metadata/", bearer(alice), ARRAY);
      assert.equal(status, 200);
      const url = `${front.url.replace("http", "ws")}/api/v1/stream/single/live?envelope_format=json`;
      const socket = new WebSocket(url);
      t.after(() => socket.terminate());
      const messages: Record<string, unknown>[] = [];
      socket.on("message", (data) => messages.push(JSON.parse(String(data))));
      socket.on("open", () =>
        socket.send(JSON.stringify({ type: "auth", access_token: alice.access_token })),
      );
      assert.ok(await eventually(20, async () => messages.length === 1));
      assert.equal(messages[0]?.["type"], "array-schema");
      const put = await fetch(`${front.url}/api/v1/array/full/live`, {
        method: "PUT",
        headers: { authorization: bearer(alice), "content-type": "application/octet-stream" },
        body: new Uint8Array(Float64Array.of(1.5, 2.5).buffer),
      });
      assert.equal(put.status, 200);
      assert.ok(await eventually(20, async () => messages.length === 2));
      assert.deepEqual(messages[1]?.["payload"], [1.5, 2.5]);

      const refused = new WebSocket(url);
      refused.on("open", () => refused.send(JSON.stringify({ type: "auth", access_token: "x.y.z" })));
      assert.equal(await new Promise((resolve) => refused.on("close", resolve)), 4003);
      const missing = new WebSocket(url.replace("live", "nothing"), {
        headers: { authorization: bearer(alice) },
      });
      const answer = await new Promise((resolve) => {
        missing
          .on("error", () => undefined)
          .on("unexpected-response", (_request, { statusCode }) => resolve(statusCode));
      });
      assert.equal(answer, 404);
    },
  );
});
