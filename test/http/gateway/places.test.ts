/** Several servers behind one login, by path and by host name, and what each place says of itself. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { bearer } from "../../support/app.ts";
import { raw, startBoth, startFront, startUpstream, statuses } from "../../support/upstream.ts";

interface About {
  readonly api_version: number;
  readonly library_version: string;
  readonly formats: Record<string, readonly string[]>;
  readonly authentication: {
    readonly required: boolean;
    readonly providers: readonly { readonly links: { readonly auth_endpoint: string } }[];
    readonly links: { readonly whoami: string; readonly refresh_session: string } | null;
  };
  readonly links: { readonly self: string; readonly documentation: string };
  readonly meta: { readonly root_path: string };
}

async function about(
  url: string,
  headers: Record<string, string> = {},
): Promise<About & Record<string, unknown>> {
  const response = await fetch(`${url}/api/v1/`, { headers });
  assert.equal(response.status, 200);
  return (await response.json()) as About & Record<string, unknown>;
}

describe("the about document", () => {
  test("describes data as the upstream does, and logins as we do", async (x) => {
    const { url, upstream } = await startBoth((last) => x.after(last));
    upstream.about = {
      api_version: 7,
      library_version: "9.9.9",
      formats: { array: ["x/y"] },
      aliases: {},
      queries: ["near"],
      novelty: { a: [1] },
      authentication: { required: false, providers: [{ provider: "theirs" }], links: null },
      links: { self: "http://theirs" },
      meta: { root_path: "/theirs" },
    };
    const document = await about(url);
    assert.deepEqual([document.api_version, document.library_version], [7, "9.9.9"]);
    assert.deepEqual(
      [document.formats, document["queries"], document["novelty"]],
      [{ array: ["x/y"] }, ["near"], { a: [1] }],
    );
    assert.equal(document.authentication.required, true);
    assert.equal(document.authentication.providers.length, 1);
    assert.equal(
      document.authentication.providers[0]?.links.auth_endpoint,
      `${url}/api/v1/auth/provider/toy/token`,
    );
    assert.deepEqual(document.links, { self: `${url}/api/v1`, documentation: `${url}/docs` });
    assert.deepEqual(document.meta, { root_path: "/api" });
  });

  test("is cached for a minute, and used while the upstream is unavailable", async (x) => {
    const { t, url, upstream } = await startBoth((last) => x.after(last));
    let asked = 0;
    upstream.server.prependListener("request", () => {
      asked += 1;
    });
    for (let round = 0; round < 3; round++) await about(url);
    assert.equal(asked, 1);
    upstream.about = { api_version: 0, library_version: "10" };
    t.clock.advance(61);
    // The one who comes first does not wait.
    assert.equal((await about(url)).library_version, "9.9.9");
    while ((await about(url)).library_version !== "10") assert.ok(asked <= 2);
    upstream.server.closeAllConnections();
    upstream.server.close();
    t.clock.advance(3600);
    for (let round = 0; round < 2; round++) assert.equal((await about(url)).library_version, "10");
  });

  test("is ours where the server is away, no Tiled, or out of its mind, and soon asked for again", async (x) => {
    const { t, url, upstream } = await startBoth((last) => x.after(last));
    upstream.server.removeAllListeners("request");
    let answer = (): readonly [number, string] => [500, ""];
    upstream.server.on("request", (_request, response) => {
      const [status, body] = answer();
      response.writeHead(status).end(body);
    });
    const response = await fetch(`${url}/api/v1/`);
    const lasts = Date.parse(response.headers.get("expires") ?? "") - t.clock.now();
    assert.ok(lasts < 10_000);
    assert.ok(((await response.json()) as About).formats["array"]?.includes("application/octet-stream"));
    for (const [status, body] of [
      [404, "{}"],
      [200, "no JSON"],
      [200, "[1]"],
      [200, `{"api_version": 0, "x": "${"x".repeat(2_000_000)}"}`],
    ] as const) {
      answer = () => [status, body];
      t.clock.advance(61);
      assert.equal((await about(url)).authentication.providers.length, 1);
    }
    answer = () => [200, '{"api_version": 3}'];
    t.clock.advance(61);
    await about(url);
    while ((await about(url)).api_version !== 3) await new Promise(setImmediate);
  });
});

async function places(t: TestContext) {
  const cleanup = (last: () => Promise<unknown>) => t.after(last);
  const [root, beamline, named] = [
    await startUpstream(cleanup),
    await startUpstream(cleanup),
    await startUpstream(cleanup),
  ];
  beamline.about = { api_version: 0, library_version: "beamline" };
  named.about = { api_version: 0, library_version: "named" };
  const front = await startFront(cleanup, {
    upstreams: [
      { url: root.url },
      { prefix: "/beamline", url: `${beamline.url}/base` },
      { host: "data2.example.org", url: named.url },
    ],
  });
  const { access_token } = await front.t.login("bob");
  return { ...front, root, beamline, named, token: access_token };
}

describe("several servers", () => {
  test("by path: one login, each upstream gets the paths below its prefix, under its URL's path", async (x) => {
    const { url, root, beamline, token } = await places(x);
    beamline.server.removeAllListeners("request");
    const seen: string[] = [];
    beamline.server.on("request", ({ url: target = "", headers }, response) => {
      if (target !== "/base/api/v1/") seen.push(`${target} ${headers["x-forwarded-host"]}`);
      const location = `${beamline.url}/base/ui/`;
      if (target.endsWith("/moved")) response.writeHead(302, { location });
      response.end(target === "/base/api/v1/" ? '{"api_version": 0, "library_version": "beamline"}' : "");
    });
    const headers = bearer(token);
    assert.equal((await fetch(`${url}/api/v1/metadata/A`, { headers })).status, 200);
    assert.equal(root.one().url, "/api/v1/metadata/A");
    assert.equal((await fetch(`${url}/beamline/api/v1/metadata//A?x=%5B`, { headers })).status, 200);
    const { host } = new URL(url);
    assert.deepEqual(seen.splice(0), [`/base/api/v1/metadata//A?x=%5B ${host}`]);
    const moved = await fetch(`${url}/beamline/api/v1/moved`, { headers, redirect: "manual" });
    assert.equal(moved.headers.get("location"), `${url}/beamline/ui/`);
    assert.equal(root.asked.length, 0);

    const document = await about(`${url}/beamline`);
    assert.equal(document.library_version, "beamline");
    assert.equal(document.links.self, `${url}/beamline/api/v1`);
    assert.equal(document.authentication.links?.whoami, `${url}/beamline/api/v1/auth/whoami`);
    assert.equal(document.meta.root_path, "/beamline/api");
    assert.equal((await about(url)).library_version, "9.9.9");

    const whoami = await fetch(`${url}/beamline/api/v1/auth/whoami`, { headers });
    assert.equal(((await whoami.json()) as { type: string }).type, "user");
    const refused = await fetch(`${url}/beamline/api/v1/auth/apikey`);
    assert.equal(refused.headers.get("x-tiled-root"), `${url}/beamline/api/v1`);
    assert.equal(
      (await fetch(`${url}/beamline/api/v1`, { redirect: "manual" })).headers.get("location"),
      `${url}/beamline/api/v1/`,
    );
  });

  test("by host name: all of it, with our own paths there too, and links under that name", async (x) => {
    const { port, root, named, token } = await places(x);
    const ask = (path: string, host: string) =>
      raw(
        port,
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
      );
    assert.deepEqual(statuses(await ask("/beamline/x", "Data2.example.org:8443")), [200]);
    const asked = named.one();
    assert.deepEqual(
      [asked.url, asked.headers["x-forwarded-host"]],
      ["/beamline/x", "Data2.example.org:8443"],
    );
    const document = await ask("/api/v1/", "data2.example.org");
    assert.match(document, /"library_version":"named"/);
    assert.match(document, /"self":"http:\/\/data2\.example\.org\/api\/v1"/);
    assert.deepEqual(statuses(await ask("/api/v1/auth/whoami", "data2.example.org")), [200]);
    assert.deepEqual(statuses(await ask("/x", "data3.example.org")), [421], "a name that no one has named");
    assert.deepEqual(statuses(await ask("/x", "data3")), [200]);
    assert.equal(root.one().url, "/x");
  });

  test("by host name, where the public URL is another", async (x) => {
    const cleanup = (last: () => Promise<unknown>) => x.after(last);
    const behind = await startUpstream(cleanup);
    const { port } = await startFront(cleanup, {
      server: { publicUrl: "https://tiled.example.org/all" },
      authentication: { allowAnonymousAccess: true },
      upstreams: [
        { host: "data2.example.org", url: behind.url },
        { prefix: "/beamline", url: behind.url },
      ],
    });
    const ask = (path: string, host: string) =>
      raw(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(
      await ask("/api/v1/", "data2.example.org"),
      /"self":"https:\/\/data2\.example\.org\/all\/api\/v1"/,
    );
    assert.match(
      await ask("/beamline/api/v1/", "x"),
      /"self":"https:\/\/tiled\.example\.org\/all\/beamline\/api\/v1"/,
    );
    await ask("/beamline/x", "x");
    const { headers } = behind.one();
    assert.deepEqual(
      [headers["x-forwarded-host"], headers["x-forwarded-proto"]],
      ["tiled.example.org", "https"],
    );
  });

  test("beside a tree of our own, which stays as it is", async (x) => {
    const cleanup = (last: () => Promise<unknown>) => x.after(last);
    const behind = await startUpstream(cleanup);
    const { t, url } = await startFront(cleanup, { upstreams: [{ prefix: "/beamline", url: behind.url }] });
    const headers = bearer((await t.login("bob")).access_token);
    assert.equal((await fetch(`${url}/api/v1/metadata/A`, { headers })).status, 200);
    assert.equal((await fetch(`${url}/nothing`, { headers })).status, 404);
    assert.equal(behind.asked.length, 0);
    assert.equal((await fetch(`${url}/beamline/api/v1/metadata/A`, { headers })).status, 200);
    assert.equal(behind.one().url, "/api/v1/metadata/A");
    assert.equal((await about(url)).library_version, "0.2.20");
    assert.equal((await about(`${url}/beamline`)).library_version, "9.9.9");
  });

  test("of which one is away do not trouble the others", async (x) => {
    const { url, beamline, token } = await places(x);
    beamline.server.closeAllConnections();
    beamline.server.close();
    const headers = bearer(token);
    assert.equal((await fetch(`${url}/beamline/x`, { headers })).status, 502);
    assert.equal((await fetch(`${url}/x`, { headers })).status, 200);
    assert.equal((await fetch(`${url}/beamline/api/v1/auth/whoami`, { headers })).status, 200);
  });
});

test("below a root path, taken off by a proxy or not", async (x) => {
  const { t, url, upstream } = await startBoth((last) => x.after(last), { server: { rootPath: "/tiled" } });
  const headers = bearer((await t.login("bob")).access_token);
  for (const start of ["", "/tiled"]) {
    assert.equal((await fetch(`${url}${start}/api/v1/metadata/A`, { headers })).status, 200);
    assert.equal(upstream.one().url, "/api/v1/metadata/A");
    assert.equal((await about(url + start)).links.self, `${url}/tiled/api/v1`);
  }
  upstream.answer = (_request, response) => {
    response.writeHead(307, { location: `${upstream.url}/ui/` }).end();
  };
  const moved = await fetch(`${url}/tiled/api/v1/x`, { headers, redirect: "manual" });
  assert.equal(moved.headers.get("location"), "/tiled/ui/");
});

test("the log has the whole path, which identifies the upstream", async (x) => {
  const { t, url, token } = await places(x);
  await fetch(`${url}/beamline/api/v1/metadata/A?api_key=`, { headers: bearer(token) });
  assert.match(t.logLines.join(""), /"path":"\/beamline\/api\/v1\/metadata\/A","status":200/);
});
