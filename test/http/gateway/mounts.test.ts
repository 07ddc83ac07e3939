import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, test } from "node:test";
import Fastify from "fastify";
import type { Upstream } from "../../../src/domain/model/upstream.ts";
import { type Destination, Mounts } from "../../../src/http/gateway/mounts.ts";
import { OwnPaths } from "../../../src/http/gateway/own-paths.ts";
import { Proxies } from "../../../src/http/proxies.ts";

const upstream = (prefix: string, host: string | null = null): Upstream => ({
  prefix,
  host,
  url: `http://behind${prefix}`,
  timeout: 1,
  sharesDatabase: false,
  kind: null,
  requires: { read: null, write: null },
  enforcesScopes: false,
  tokenKey: null,
  trustedPages: null,
  maxConnections: 1,
  maxStreams: 1,
});

function mounts(upstreams: readonly Upstream[], rootPath = "", trusted: readonly string[] = []): Mounts {
  const app = Fastify();
  const own = new OwnPaths();
  own.collect(app);
  for (const url of ["/", "/api/v1/", "/api/v1", "/healthz", "/login"]) app.get(url, () => "");
  own.close();
  return new Mounts({ upstreams, rootPath, own, proxies: new Proxies(trusted, () => undefined) });
}

function ask(
  mounted: Mounts,
  url: string,
  headers: Record<string, string> = { host: "front" },
  method = "GET",
): Destination {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: "10.0.0.1" });
  const request = new IncomingMessage(socket);
  Object.assign(request, { url, method, headers });
  const left = mounted.rewrite(request);
  const destination = mounted.of(request);
  assert.equal(destination?.url, left);
  return destination as Destination;
}

/** "ours /x", "data /beamline /x", "refused". */
function told(destination: Destination): string {
  const { kind, url } = destination;
  if (kind === "refused") return kind;
  const place = destination.upstream === null ? [] : [destination.upstream.prefix || "/"];
  return [kind, ...place, url].join(" ");
}

describe("one server at the root", () => {
  for (const [url, expected] of [
    ["/", "ours / /"],
    ["/healthz", "ours / /healthz"],
    ["/login?next=/x", "ours / /login?next=/x"],
    ["/api/v1/auth/whoami", "ours / /api/v1/auth/whoami"],
    ["/api/v1/auth/new/thing", "ours / /api/v1/auth/new/thing"],
    ["/api/v1/auth", "ours / /api/v1/auth"],
    ["/api/v1/?x=/..", "ours / /api/v1/?x=/.."],
    ["/api/v1/metadata/A?x=1", "data / /api/v1/metadata/A?x=1"],
    ["/api/v1/metadata//box/gone", "data / /api/v1/metadata//box/gone"],
    ["/api/v1/authority", "data / /api/v1/authority"],
    ["/api/v1/metadata/api/v1/auth/x", "data / /api/v1/metadata/api/v1/auth/x"],
    ["/healthz/", "data / /healthz/"],
    ["/ui", "page / /ui"],
    ["/ui//metadata/a", "page / /ui//metadata/a"],
    ["/static/x.js", "page / /static/x.js"],
    ["/tiled-ui-settings", "page / /tiled-ui-settings"],
    ["/uix", "data / /uix"],
    ["/tiled-ui-settings/x", "data / /tiled-ui-settings/x"],
    ["*", "ours *"],
  ] as const) {
    test(`${url}: ${expected}`, () => assert.equal(told(ask(mounts([upstream("")]), url)), expected));
  }

  test("only reading is a page", () => {
    for (const [method, kind] of Object.entries({
      GET: "page",
      HEAD: "page",
      POST: "data",
      DELETE: "data",
    })) {
      assert.equal(ask(mounts([upstream("")]), "/ui/x", { host: "front" }, method).kind, kind);
    }
  });
});

describe("no way around our own paths", () => {
  for (const url of [
    "/api/v1%2Fauth%2Fwhoami",
    "/api%2fv1/auth/whoami",
    "/api/v1/auth%2fwhoami",
    "/api/v1/%61uth/whoami",
    "/api/v1/%2561uth/whoami",
    "/api/v1%252Fauth/whoami",
    "//api/v1/auth/whoami",
    "/api//v1/auth/whoami",
    "/api/v1//auth/whoami",
    "/api/v1//auth",
    "/API/V1/auth/whoami",
    "/api/v1/Auth/whoami",
    "/api/v1/AUTH",
    "/api/v1;x=1/auth/whoami",
    "/api/v1/auth;x/whoami",
    "/api/v1/x/../auth/whoami",
    "/api/v1/./auth/whoami",
    "/api/v1/%2e/auth/whoami",
    "/api/v1\\auth\\whoami",
    "/api/v1/auth\\..\\x",
    "/api/v1/metadata/%00",
    "/Login",
    "/%6cogin",
    "//login",
    "/HEALTHZ",
    "//",
    "http://elsewhere/api/v1/metadata/A",
    "HTTP://elsewhere/api/v1/auth/whoami",
    "http://front@elsewhere/x",
  ]) {
    test(`${url} is refused`, () => assert.equal(told(ask(mounts([upstream("")]), url)), "refused"));
  }

  test("an absolute URL of this host counts as its path", () => {
    for (const [url, expected] of [
      ["http://front/api/v1/metadata/A?x", "data / /api/v1/metadata/A?x"],
      ["HTTPS://FRONT/api/v1/auth/x", "ours / /api/v1/auth/x"],
      ["http://front", "ours / /"],
      ["http://front?x", "ours / /?x"],
    ] as const) {
      assert.equal(told(ask(mounts([upstream("")]), url)), expected);
    }
  });
});

describe("servers below prefixes", () => {
  const both = [upstream("/beamline"), upstream(""), upstream("/beamline/2")];
  for (const [url, expected] of [
    ["/beamline/api/v1/metadata/A", "data /beamline /api/v1/metadata/A"],
    ["/beamline", "page /beamline /"],
    ["/beamline?x", "page /beamline /?x"],
    ["/beamline/", "page /beamline /"],
    ["/beamline/ui/", "page /beamline /ui/"],
    ["/beamlines/x", "data / /beamlines/x"],
    ["/beamline/2/x", "data /beamline/2 /x"],
    ["/beamline/22/x", "data /beamline /22/x"],
    ["/beamline/api/v1/", "ours /beamline /api/v1/"],
    ["/beamline/api/v1", "ours /beamline /api/v1"],
    ["/beamline/api/v1/auth/whoami", "ours /beamline /api/v1/auth/whoami"],
    ["/beamline/2/api/v1/auth/whoami", "ours /beamline/2 /api/v1/auth/whoami"],
    ["/beamline/login", "data /beamline /login"],
    ["/beamline/healthz", "data /beamline /healthz"],
    ["/beamline//api/v1/auth/whoami", "refused"],
    ["/beamline/API/v1/auth/whoami", "refused"],
    ["/%62eamline/x", "refused"],
    ["/Beamline/x", "refused"],
    ["//beamline/x", "refused"],
    ["/x%2f..%2fbeamline/x", "refused"],
  ] as const) {
    test(`${url}: ${expected}`, () => assert.equal(told(ask(mounts(both), url)), expected));
  }

  test("leave the rest of this server as it is, odd names included", () => {
    const only = mounts([upstream("/beamline")]);
    for (const url of ["/", "/api/v1/metadata/a%5Cb", "/api/v1/metadata//x", "/x/../y", "/%zz"]) {
      assert.equal(told(ask(only, url)), `ours ${url}`);
    }
    assert.equal(told(ask(only, "/%62eamline/x")), "refused");
  });
});

describe("below a root path", () => {
  const below = mounts([upstream(""), upstream("/beamline")], "/tiled");
  for (const [url, expected] of [
    ["/tiled/api/v1/metadata/A", "data / /api/v1/metadata/A"],
    ["/api/v1/metadata/A", "data / /api/v1/metadata/A"],
    ["/tiled/api/v1/auth/x", "ours / /api/v1/auth/x"],
    ["/tiled/beamline/x", "data /beamline /x"],
    ["/tiled%2Fapi/v1/auth/x", "refused"],
    ["//tiled/api/v1/auth/x", "refused"],
    ["/Tiled/api/v1/auth/x", "refused"],
    ["/tiled/tiled/api/v1/auth/x", "refused"],
    ["/beamline/beamline/api/v1/auth/x", "data /beamline /beamline/api/v1/auth/x"],
  ] as const) {
    test(`${url}: ${expected}`, () => assert.equal(told(ask(below, url)), expected));
  }
});

describe("servers with hosts of their own", () => {
  const hosts = [
    upstream("/beamline"),
    upstream("", "data2.example.org"),
    upstream("/queue", "data2.example.org"),
    upstream("", "data3.example.org:8443"),
  ];
  for (const [host, url, expected, own] of [
    ["front", "/x", "ours /x", false],
    ["front", "/beamline/x", "data /beamline /x", false],
    ["data2.example.org", "/x", "data / /x", true],
    ["Data2.Example.org:8443", "/x", "data / /x", true],
    ["data2.example.org", "/queue/x", "data /queue /x", true],
    ["data2.example.org", "/api/v1/auth/x", "ours / /api/v1/auth/x", true],
    ["data2.example.org", "/login", "ours / /login", true],
    ["data2.example.org", "/beamline/x", "data / /beamline/x", true],
    ["data3.example.org:8443", "/x", "data / /x", true],
    ["data3.example.org", "/x", "ours /x", false],
  ] as const) {
    test(`${host}${url}: ${expected}`, () => {
      const mounted = mounts(hosts);
      const destination = ask(mounted, url, { host });
      assert.equal(told(destination), expected);
      assert.equal(destination.upstream?.host != null, own);
    });
  }

  test("X-Forwarded-Host names one where a trusted proxy sent it, and nowhere else", () => {
    const headers = { host: "front", "x-forwarded-host": "data2.example.org" };
    assert.equal(told(ask(mounts(hosts, "", ["10.0.0.0/8"]), "/x", headers)), "data / /x");
    assert.equal(told(ask(mounts(hosts), "/x", headers)), "ours /x");
  });
});
