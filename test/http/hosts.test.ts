/** The names under which the server answers: a stranger's name that points here (DNS rebinding) is none of them. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { type TestApp, type TestAppOptions, testApp } from "../support/app.ts";
import { raw, startFront, statuses } from "../support/upstream.ts";

const OPEN: TestAppOptions = { providers: false, authentication: { allowAnonymousAccess: true } };
const DATA = "/api/v1/metadata/";

async function status(t: TestApp, host: string, headers: Record<string, string> = {}, url = DATA) {
  return (await t.call({ url, headers: { host, ...headers } })).statusCode;
}

test("a page whose name was made to point here reads nothing", async () => {
  await using t = await testApp(OPEN);
  for (const host of [
    "evil.example",
    "evil.example:8000",
    "EVIL.example.",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
  ]) {
    const refused = await t.call({ url: DATA, headers: { host } });
    assert.equal(refused.statusCode, 421, host);
    assert.match(refused.json<{ detail: string }>().detail, /server\.hosts.*server\.public_url/);
    for (const url of ["/", "/login/key", "/nowhere", "/docs"]) {
      assert.equal(await status(t, host, { accept: "text/html" }, url), 421);
    }
  }
  assert.equal(t.logLines.filter((line) => line.includes("If it is yours")).length, 1, "said once");
});

test("addresses, this machine, and names without a domain belong to this server", async () => {
  await using t = await testApp(OPEN);
  for (const host of [
    "localhost",
    "localhost:8000",
    "tiled.localhost",
    "127.0.0.1:8000",
    "192.0.2.7",
    "[::1]:8000",
    "[2001:db8::1]",
    "tiled-auth:8000",
    hostname(),
    `${hostname()}:8000`,
  ]) {
    assert.equal(await status(t, host), 200, host);
  }
});

test("the names of the configuration: hosts, verify_hosts, public_url, a server's own, that of an upstream, that of CAVE", async () => {
  await using t = await testApp({
    ...OPEN,
    server: {
      host: "tiled.lab.example",
      hosts: ["data.example.org"],
      verifyHosts: ["app.example.org:8443"],
      publicUrl: "https://tiled.example.org/x",
    },
    upstreams: [{ host: "beamline.example.org", prefix: "/b" }],
    cave: { serverAddress: "https://cave.example.org/lab" },
  });
  for (const host of [
    "data.example.org:8000",
    "DATA.example.org",
    "app.example.org",
    "tiled.example.org",
    "tiled.lab.example",
    "cave.example.org",
    "cave.example.org:8443",
  ]) {
    assert.equal(await status(t, host, {}, "/api/v1/"), 200, host);
  }
  assert.notEqual(await status(t, "beamline.example.org", {}, "/api/v1/"), 421);
  assert.equal(await status(t, "evil.example", {}, "/api/v1/"), 421);
});

test("probes are answered whatever name they ask by", async () => {
  await using t = await testApp();
  for (const url of ["/healthz", "/healthz/ready"])
    assert.equal(await status(t, "pod.cluster.example", {}, url), 200);
});

test("a named proxy is trusted for host names; an open range of addresses is not", async () => {
  const named = { "x-forwarded-host": "tiled.example.org" };
  const forwarded = { "x-forwarded-host": "evil.example" };
  await using t = await testApp({ ...OPEN, server: { trustedProxies: ["127.0.0.1"] } });
  assert.equal(await status(t, "inner.example", named), 200);
  await using all = await testApp({
    ...OPEN,
    server: { trustedProxies: ["*"], hosts: ["tiled.example.org"] },
  });
  assert.equal(await status(all, "inner.example", named), 200);
  assert.equal(await status(all, "localhost", forwarded), 421);
  await using none = await testApp(OPEN);
  assert.equal(await status(none, "localhost", forwarded), 200, "a forwarded name of a stranger is ignored");
  assert.equal(await status(none, "evil.example", { "x-forwarded-host": "localhost" }), 421);
});

test("over the wire, too, before anything of the request is looked at", async (x) => {
  const { port } = await startFront((last) => x.after(last), {});
  const ask = (host: string) =>
    raw(
      port,
      `GET ${DATA} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n`,
    );
  assert.deepEqual(statuses(await ask("evil.example")), [421]);
  assert.deepEqual(statuses(await ask("127.0.0.1")), [401]);
});
