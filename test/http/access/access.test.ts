import assert from "node:assert/strict";
import { test } from "node:test";
import Fastify from "fastify";
import { guardRoutes } from "../../../src/http/access/access.ts";
import { apikey, bearer, testApp } from "../../support/app.ts";

const WHOAMI = "/api/v1/auth/whoami";

test("a route without declared access stops the start", () => {
  const app = Fastify();
  const nobody = { kind: "anonymous", scopes: new Set<string>() } as const;
  const identity = { identify: () => nobody, person: () => nobody, forget: () => {} };
  guardRoutes(app, identity, { take: () => false });
  assert.throws(() => app.get("/forgotten", () => "open"), /\/forgotten does not declare its access/);
});

test("every route except the public ones refuses requests without credentials", async () => {
  await using t = await testApp();
  const open = new Set([
    "GET /healthz",
    "GET /healthz/ready",
    "GET /api/v1/",
    "GET /api/v1/auth/whoami",
    "POST /api/v1/auth/provider/toy/token",
    "POST /api/v1/auth/session/refresh",
    "POST /api/v1/auth/session/revoke",
    "POST /api/v1/auth/logout",
    "GET /docs",
  ]);
  const { paths } = (await t.call("/openapi.json")).json<{
    paths: Record<string, Record<string, unknown>>;
  }>();
  let checked = 0;
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const name = `${method.toUpperCase()} ${path}`;
      if (open.has(name)) continue;
      const url = path.replace(/\{[^}]+\}/g, "00000000000000000000000000000000");
      const response = await t.call({ method: method.toUpperCase() as "GET", url });
      assert.equal(response.statusCode, 401, name);
      checked += 1;
    }
  }
  assert.ok(checked > 8, `only ${checked} routes`);
});

test("schemes are read in any case; empty credentials are none; others are 400", async () => {
  await using t = await testApp();
  const { access_token } = await t.login("alice");
  for (const scheme of ["Bearer", "bearer", "BEARER", "  Bearer  "]) {
    assert.equal((await t.whoami(`${scheme} ${access_token}`)).statusCode, 200, scheme);
  }
  for (const empty of ["", " ", "Bearer", "Bearer ", "Apikey"]) {
    const response = await t.whoami(empty);
    assert.deepEqual([response.statusCode, response.json()], [200, null], JSON.stringify(empty));
  }
  for (const other of ["Basic abc", "garbage", "Token x"])
    assert.equal((await t.whoami(other)).statusCode, 400, other);
});

test("the first credential that is there counts, even if a later one is good", async () => {
  await using t = await testApp();
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  const [ofAlice, ofBob] = [await t.makeKey(alice.access_token), await t.makeKey(bob.access_token)];
  const who = async (url: string, headers: Record<string, string>) => {
    const response = await t.call({ url, headers });
    return response.statusCode === 200
      ? response.json<{ identities: { id: string }[] }>().identities[0]?.id
      : response.statusCode;
  };
  assert.equal(await who(`${WHOAMI}?api_key=${ofBob}`, bearer(alice.access_token)), "bob");
  assert.equal(await who(WHOAMI, { ...apikey(ofAlice), cookie: `tiled_api_key=${ofBob}` }), "alice");
  assert.equal(
    await who(WHOAMI, { ...bearer(alice.access_token), cookie: `tiled_api_key=${ofBob}` }),
    "alice",
  );
  assert.equal(await who(WHOAMI, { ...bearer(alice.access_token), cookie: "tiled_api_key=wrong" }), "alice");
  assert.equal(await who(WHOAMI, { ...bearer("garbage"), cookie: `tiled_api_key=${ofBob}` }), 401);
  assert.equal(await who(WHOAMI, { cookie: `tiled_api_key=${ofBob}` }), "bob");
  assert.equal(await who(`${WHOAMI}?api_key=wrong`, bearer(alice.access_token)), 401);
  assert.equal(await who(`${WHOAMI}?api_key=`, bearer(alice.access_token)), "alice");
  assert.equal(await who(`${WHOAMI}?api_key=${ofBob}&api_key=${ofAlice}`, {}), 400);
});

test("bad credentials are refused, never taken for anonymous", async () => {
  await using t = await testApp({ authentication: { allowAnonymousAccess: true } });
  assert.deepEqual((await t.call(WHOAMI)).json(), null);
  for (const credential of ["Bearer garbage", "Apikey garbage", `Apikey ${"ab".repeat(36)}`]) {
    const response = await t.whoami(credential);
    assert.equal(response.statusCode, 401, credential);
    assert.equal(response.headers["www-authenticate"], "Bearer");
    assert.match(String(response.headers["x-tiled-root"]), /^http:\/\/.*\/api\/v1$/);
  }
});

test("a missing scope is 401 and named; it is decided before the input is read", async () => {
  await using t = await testApp();
  const bob = await t.login("bob");
  const response = await t.call({
    url: "/api/v1/auth/principal/not-a-uuid",
    headers: bearer(bob.access_token),
  });
  assert.equal(response.statusCode, 401);
  assert.equal(response.headers["www-authenticate"], 'Bearer scope="read:principals"');
  assert.match(
    response.json<{ detail: string }>().detail,
    /^Not enough permissions\. Requires scopes \['read:principals'\]/,
  );
  const anonymous = await t.call({
    method: "POST",
    url: "/api/v1/auth/apikey",
    headers: { "content-type": "application/json" },
    payload: "{bad",
  });
  assert.equal(anonymous.statusCode, 401);
});

test("two Host or two Authorization headers, or none of the first, are refused", async () => {
  await using t = await testApp();
  await t.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = t.app.server.address() as { port: number };
  const { connect } = await import("node:net");
  const raw = (head: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => socket.end(`${head}\r\nConnection: close\r\n\r\n`));
      let text = "";
      socket.on("data", (chunk) => {
        text += String(chunk);
      });
      socket.on("end", () => resolve(text.split("\r\n")[0] ?? ""));
      socket.on("error", reject);
    });
  assert.match(await raw("GET /healthz HTTP/1.1\r\nHost: a"), / 200 /);
  assert.match(await raw("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b"), / 400 /);
  assert.match(await raw("GET /healthz HTTP/1.1"), / 400 /);
  assert.match(await raw("GET /api/v1/ HTTP/1.0"), / 400 /);
  assert.match(
    await raw(
      "GET /api/v1/auth/whoami HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y",
    ),
    / 400 /,
  );
  assert.match(await raw(`GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(40_000)}`), / 431 /);
  assert.match(await raw("GET /healthz HTTP/1.1\r\nHost: a b"), / 400 /);
  assert.match(await raw("GET /api/v1/auth/whoami#api_key=in-a-fragment HTTP/1.1\r\nHost: a"), / 400 /);
  assert.ok(!t.logLines.join("").includes("in-a-fragment"));
  assert.match(await raw("NONSENSE"), / 400 /);
});
