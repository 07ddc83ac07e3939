import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerHeaders, requestHeaders } from "../../../src/http/gateway/headers.ts";

const up = (fields: readonly string[], connection?: string, socket = false, reading = true) =>
  requestHeaders(fields, connection, { socket, reading });
const down = (
  fields: readonly string[],
  ours: Record<string, string | string[]> = {},
  personal = false,
  trusted = true,
) =>
  answerHeaders(
    fields.map((field) => Buffer.from(field, "latin1")),
    { ours, relocate: (location) => `<${location}>`, personal, trusted },
  );

describe("a request's fields", () => {
  test("pass as they came, in their order, repeated ones too", () => {
    const fields = ["Accept", "a/b", "X-A", "1", "x-a", "2", "If-None-Match", '"e"', "Range", "bytes=0-1"];
    assert.deepEqual(up(fields, "keep-alive"), fields);
  });

  for (const name of [
    "Authorization",
    "Connection",
    "Content_Length",
    "Expect",
    "Forwarded",
    "Host",
    "Keep-Alive",
    "Proxy",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "HTTP2-Settings",
    "X-CSRF",
    "X-Client-IP",
    "True-Client-IP",
    "X-Scheme",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Anything",
    "X_Forwarded_Host",
    "X-Original-URL",
    "X-Real-IP",
    "X_Real_IP",
    "X-Rewrite-URL",
    "X-Tiled-Principal",
    "X-Tiled-Request-ID",
    "x_tiled_principal",
    "X-Tiled_Scopes",
    "Remote-User",
    "REMOTE_USER",
    "Remote-Groups",
    "Remote-Email",
    "X-Remote-User",
    "X-Auth-Request-User",
    "X-Auth-Request-Preferred-Username",
    "X-Auth-User",
    "X-Forwarded-User",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Client-Cert",
    "X-WEBAUTH-USER",
    "X-Webauth-Role",
    "X-authentik-username",
    "X-authentik-groups",
    "X-Authenticated-Userid",
    "X-Consumer-Username",
    "X-User",
    "X-Userinfo",
    "X-Appengine-User-Email",
    "Auth-User",
    "eppn",
    "X-HTTP-Host-Override",
    "Fastly-Client-IP",
    "X-Envoy-External-Address",
    "X-Username",
    "X-User-Email",
    "X-Email",
    "X-Groups",
    "OIDC_CLAIM_sub",
    "Cf-Access-Authenticated-User-Email",
    "X-Goog-IAP-JWT-Assertion",
    "X-Goog-Authenticated-User-Email",
    "X-Amzn-Oidc-Identity",
    "X-MS-CLIENT-PRINCIPAL-NAME",
    "Tailscale-User-Login",
    "SM_USER",
    "iv-user",
    "Impersonate-User",
    "Client-Cert",
    "SSL-Client-S-DN",
    "X-SSL-Client-Verify",
  ]) {
    test(`${name} does not pass`, () =>
      assert.deepEqual(up(["A", "1", name, "x", "B", "2"]), ["A", "1", "B", "2"]));
  }

  test("with names that only look alike pass", () => {
    for (const name of [
      "X-Auth-Token",
      "X-User-Agent",
      "Remotely",
      "Client-Version",
      "X-Emails-Sent",
      "X-Requested-With",
      "Smart",
      "Content-Length",
    ])
      assert.deepEqual(up([name, "1"]), [name, "1"]);
  });

  for (const name of ["X-HTTP-Method-Override", "X-HTTP-Method", "X_Method_Override"]) {
    test(`${name} makes no other request of one that only reads`, () => {
      assert.deepEqual(up([name, "DELETE", "A", "1"]), ["A", "1"]);
      assert.deepEqual(up([name, "DELETE"], undefined, false, false), [name, "DELETE"]);
    });
  }

  test("that Connection names do not pass either", () => {
    const fields = ["X-Secret", "1", "Content-Type", "a/b", "Cookie", "a=b", "X-Kept", "2"];
    assert.deepEqual(up(fields, "close, X-Secret,content-type , COOKIE"), ["X-Kept", "2"]);
  });

  for (const [cookies, left] of [
    ["a=b; c=d", "a=b; c=d"],
    ["a=b; tiled_api_key=x; c=d", "a=b; c=d"],
    ["tiled_csrf=x;a=b", "a=b"],
    ["tiled_session=x; __Host-tiled_session=y; __Host-tiled_browser=z; TILED_API_KEY=1", undefined],
    ["a=tiled_api_key=1", "a=tiled_api_key=1"],
    ["untiled_=1", "untiled_=1"],
  ] as const) {
    test(`of the cookies '${cookies}' ours stay here`, () =>
      assert.deepEqual(up(["Cookie", cookies]), left === undefined ? [] : ["Cookie", left]));
  }

  test("name the page before without the credentials in its address", () => {
    const page = "https://t.example.org/ui?a=1&api_key=K&access_token=A&refresh_token=R&csrf=C#x";
    assert.deepEqual(up(["Referer", page]), ["Referer", "https://t.example.org/ui?a=1"]);
    assert.deepEqual(up(["Referer", "https://t.example.org/?a=1"]), [
      "Referer",
      "https://t.example.org/?a=1",
    ]);
  });

  test("of a WebSocket's handshake are made anew", () => {
    const fields = [
      "Sec-WebSocket-Key",
      "k",
      "Sec-WebSocket-Extensions",
      "permessage-deflate",
      "Content-Length",
      "0",
      "Content-Type",
      "a/b",
      "Origin",
      "o",
    ];
    assert.deepEqual(up(fields, "Upgrade", true), ["Origin", "o"]);
    assert.equal(up(fields, "Upgrade").length, 10);
  });
});

describe("an answer's fields", () => {
  test("pass as they came", () => {
    const fields = ["Content-Type", "a/b", "ETag", "x", "Content-Encoding", "gzip", "X-\u00e4", "\u00e9"];
    assert.deepEqual(down(fields), fields);
  });

  test("hop-by-hop fields, and those named by Connection, do not", () => {
    const fields = [
      "Connection",
      "close, X-Hop",
      "X-Hop",
      "1",
      "Keep-Alive",
      "x",
      "Transfer-Encoding",
      "chunked",
    ];
    assert.deepEqual(down([...fields, "Upgrade", "h2c", "A", "1"]), ["A", "1"]);
  });

  test("cookies of our names do not, others do", () => {
    const cookies = [
      "tiled_api_key=1; Path=/",
      "tiled_csrf=2",
      "__Host-tiled_session=3",
      " tiled_csrf=4",
      "=tiled_api_key=6",
      " = tiled_session=7",
      "other=5",
    ];
    assert.deepEqual(down(cookies.flatMap((cookie) => ["Set-Cookie", cookie])), ["Set-Cookie", "other=5"]);
  });

  test("answers for one caller are not for shared caches, unless the upstream says so", () => {
    const said = (value: string) => down(["Cache-Control", value], {}, true)[1];
    assert.deepEqual(down(["ETag", "x"], {}, true), ["ETag", "x", "cache-control", "private"]);
    assert.equal(said("must-revalidate"), "must-revalidate, private");
    for (const value of ["private", "no-store", "public, max-age=60", "s-maxage=60"])
      assert.equal(said(value), value);
    assert.deepEqual(down(["Cache-Control", "must-revalidate"]), ["Cache-Control", "must-revalidate"]);
  });

  test("CORS is decided by this server alone", () => {
    const fields = [
      "Access-Control-Allow-Origin",
      "*",
      "Access-Control-Allow-Private-Network",
      "true",
      "Alt-Svc",
      "h3",
      "X-Tiled-Request-ID",
      "theirs",
    ];
    assert.deepEqual(down(fields, { "x-tiled-request-id": "ours" }), ["x-tiled-request-id", "ours"]);
  });

  test("ours are added where the server says nothing; lists are joined", () => {
    const fields = ["Referrer-Policy", "same-origin", "Vary", "Accept", "Set-Cookie", "a=1"];
    const ours = {
      "referrer-policy": "no-referrer",
      vary: "Origin",
      "set-cookie": ["b=2", "c=3"],
      "x-content-type-options": "nosniff",
    };
    assert.deepEqual(down(fields, ours), [
      ...fields,
      ...["vary", "Origin", "set-cookie", "b=2", "set-cookie", "c=3", "x-content-type-options", "nosniff"],
    ]);
  });

  test("Location goes through our hands", () => {
    assert.deepEqual(down(["location", "http://a/"]), ["location", "<http://a/>"]);
  });

  const sandboxed = (...types: string[]) =>
    down(
      types.flatMap((type) => ["Content-Type", type]),
      {},
      false,
      false,
    ).includes("sandbox allow-scripts");

  for (const types of [
    ["text/html"],
    ["TEXT/HTML; charset=utf-8"],
    ["application/xhtml+xml"],
    ["image/svg+xml"],
    ["text/xml"],
    ["application/rss+xml;a=b"],
    ["text/xsl"],
    ["multipart/x-mixed-replace; boundary=x"],
    ["message/rfc822"],
    [],
    [""],
    ["nonsense"],
    ["text/plain, text/html"],
    ["text/plain", "text/html"],
    ["text/plain;a=b, text/html"],
    ["\u000btext/html"],
  ]) {
    test(`of content that may run a script (${JSON.stringify(types)}) have the sandbox`, () =>
      assert.ok(sandboxed(...types)));
  }

  for (const type of [
    "application/json",
    "application/octet-stream",
    "text/csv; charset=utf-8",
    "image/png",
    "application/pdf",
    "application/vnd.apache.arrow.file",
  ]) {
    test(`of ${type} have none, nor have those of a trusted page`, () => {
      assert.ok(!sandboxed(type));
      assert.deepEqual(down(["Content-Type", "text/html"]), ["Content-Type", "text/html"]);
    });
  }

  test("keep the server's own policies beside the sandbox", () => {
    const own = ["Content-Security-Policy", "default-src 'self'", "Content-Type", "text/html"];
    assert.deepEqual(down(own, {}, false, false), [
      ...own,
      "content-security-policy",
      "sandbox allow-scripts",
    ]);
  });

  test("do not speak for all of our origin", () => {
    const always = [
      "Clear-Site-Data",
      '"cookies"',
      "Strict-Transport-Security",
      "max-age=0",
      "Alt-Svc",
      "clear",
    ];
    const trusted = ["Service-Worker-Allowed", "/", "NEL", "{}", "Report-To", "{}"];
    assert.deepEqual(down([...always, ...trusted]), trusted);
    assert.deepEqual(down(["Content-Type", "a/b", ...always, ...trusted], {}, false, false), [
      "Content-Type",
      "a/b",
    ]);
  });
});
