import assert from "node:assert/strict";
import { test } from "node:test";
import type { FastifyRequest } from "fastify";
import { Links } from "../../src/http/links.ts";
import { Proxies } from "../../src/http/proxies.ts";
import { testApp } from "../support/app.ts";

function request(remoteAddress: string, headers: Record<string, string>): FastifyRequest {
  return {
    raw: { headers: { host: "tiled.test:8000", ...headers }, socket: { remoteAddress } },
  } as unknown as FastifyRequest;
}

function setUp(trusted: readonly string[], publicUrl: string | null = null) {
  const ignored: string[] = [];
  const proxies = new Proxies(trusted, (address, header) => ignored.push(`${header} from ${address}`));
  const links = new Links({ publicUrl, rootPath: "", tls: false, proxies });
  return { proxies, links, ignored };
}

const FORGED = {
  "x-forwarded-for": "1.2.3.4",
  "x-forwarded-host": "evil.test",
  "x-forwarded-proto": "https",
};

test("without trusted proxies forwarded headers change nothing, and the first one is reported", () => {
  const { proxies, links, ignored } = setUp([]);
  const forged = request("127.0.0.1", FORGED);
  assert.equal(proxies.read(forged).address, "127.0.0.1");
  assert.equal(links.base(forged), "http://tiled.test:8000");
  assert.equal(links.isHttps(forged), false);
  assert.deepEqual(ignored, ["X-Forwarded-Host from 127.0.0.1"]);
});

test("a trusted proxy says who the client is and how it reached us", () => {
  const { proxies, links } = setUp(["10.0.0.0/8", "::1"]);
  for (const peer of ["10.1.2.3", "::ffff:10.1.2.3", "::1"]) {
    const forwarded = request(peer, FORGED);
    assert.equal(proxies.read(forwarded).address, "1.2.3.4", peer);
    assert.equal(links.base(forwarded), "https://evil.test");
  }
  assert.equal(proxies.read(request("11.0.0.1", FORGED)).address, "11.0.0.1");
});

test("what one request of a connection said is not believed of the next", () => {
  const { proxies, links } = setUp(["10.0.0.0/8"]);
  for (let round = 0; round < 2; round++) {
    const forwarded = request("10.1.2.3", FORGED);
    assert.deepEqual([proxies.read(forwarded).address, links.isHttps(forwarded)], ["1.2.3.4", true]);
    const bare = request("10.1.2.3", {});
    assert.deepEqual([proxies.read(bare).address, links.isHttps(bare)], ["10.1.2.3", false]);
    assert.equal(proxies.read(request("::ffff:11.0.0.1", FORGED)).address, "11.0.0.1");
  }
});

test("a proxy may name a WebSocket's scheme, in any case, as Traefik does", () => {
  const { links } = setUp(["127.0.0.1"]);
  const base = (proto: string) => links.base(request("127.0.0.1", { "x-forwarded-proto": proto }));
  for (const proto of ["https", "HTTPS", "wss", "WSS", "http, wss", "http,Https"])
    assert.equal(base(proto), "https://tiled.test:8000", proto);
  for (const proto of ["http", "HTTP", "ws", "wss, ws", "", "ftp", "__proto__", "constructor"])
    assert.equal(base(proto), "http://tiled.test:8000", proto);
});

test("what a client writes in front of the chain is not believed", () => {
  const { proxies } = setUp(["10.0.0.0/8"]);
  const chain = (value: string) => proxies.read(request("10.0.0.1", { "x-forwarded-for": value })).address;
  assert.equal(chain("6.6.6.6, 5.5.5.5"), "5.5.5.5");
  assert.equal(chain("6.6.6.6, 5.5.5.5, 10.9.9.9"), "5.5.5.5");
  assert.equal(chain("nonsense, 10.9.9.9"), "10.9.9.9");
  assert.equal(chain("[2001:db8::1]"), "2001:db8::1");
  assert.equal(chain("[2001:db8::1]:5678"), "2001:db8::1");
  assert.equal(chain("1.2.3.4:5678"), "1.2.3.4");
  assert.equal(chain(""), "10.0.0.1");
});

test("a public URL is the base whatever a request says", () => {
  const { links } = setUp(["*"], "https://tiled.example.org/data");
  const forged = request("127.0.0.1", FORGED);
  assert.equal(links.base(forged), "https://tiled.example.org/data");
  assert.equal(links.rootPath, "/data");
  assert.equal(links.isHttps(forged), true);
});

test("a Host header that is no host name makes no link", () => {
  const { links } = setUp([]);
  for (const host of ['evil"><script>', "a b", "user@host", "host/path", "host:port", ""]) {
    assert.throws(() => links.base(request("127.0.0.1", { host })), { code: "bad_request" }, host);
  }
  assert.equal(links.base(request("127.0.0.1", { host: "[::1]:8000" })), "http://[::1]:8000");
});

test("a host that cannot stand in a URL is 400 on every route, from the client or a trusted proxy", async () => {
  await using t = await testApp({ server: { trustedProxies: ["127.0.0.1"] } });
  const form = { "content-type": "application/x-www-form-urlencoded", origin: "http://tiled.test" };
  const routes = [
    { url: "/login?next=/x" },
    { method: "POST", url: "/login", headers: form },
    { method: "POST", url: "/logout", headers: form },
    {
      method: "POST",
      url: "/api/v1/auth/apikey",
      headers: { cookie: "tiled_api_key=a", origin: "http://a" },
    },
    { url: "/api/v1/" },
  ] as const;
  for (const host of [
    "a:99999",
    "a:65536",
    "1.2.3.256",
    "a.1",
    "0x100000000",
    "a.b.0x",
    "[:::]",
    "[1.2.3]",
    "a b",
  ]) {
    for (const { headers, ...route } of routes.map((one) => ({ headers: {}, ...one }))) {
      for (const name of ["host", "x-forwarded-host"]) {
        const { statusCode } = await t.call({ ...route, headers: { ...headers, [name]: host } });
        assert.equal(statusCode, 400, `${name}: ${host} ${route.url}`);
      }
    }
  }
  for (const host of ["tiled.test", "tiled.test:8000", "127.0.0.1", "[::1]:8000", "a_b~c"]) {
    assert.equal((await t.call({ url: "/login?next=/x", headers: { host } })).statusCode, 200, host);
  }
});

test("the first header of an untrusted proxy is logged, with its consequences under HTTPS", async () => {
  const told = async (server: {
    readonly publicUrl?: string;
    readonly trustedProxies?: readonly string[];
  }) => {
    await using t = await testApp({ server });
    for (const _ of [1, 2]) await t.call({ url: "/api/v1/", headers: { "x-forwarded-proto": "https" } });
    return t.logLines.flatMap((line) => {
      const { level, msg } = JSON.parse(line) as { readonly level: number; readonly msg: string };
      return level >= 40 ? [msg] : [];
    });
  };
  const publicUrl = "https://tiled.example.org";
  const [warning, ...more] = await told({ publicUrl });
  assert.deepEqual(more, []);
  assert.match(
    warning ?? "",
    /lock all of them out\. If 127\.0\.0\.1 is your proxy, set server\.trusted_proxies: \["127\.0\.0\.1"\]/,
  );
  assert.match(String(await told({})), /is not among server\.trusted_proxies/);
  assert.match(String(await told({ publicUrl, trustedProxies: ["10.0.0.1"] })), /is not among/);
  assert.deepEqual(await told({ publicUrl, trustedProxies: ["127.0.0.1"] }), []);
});
