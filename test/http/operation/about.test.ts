import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "@msgpack/msgpack";
import { bearer, testApp } from "../../support/app.ts";

interface About {
  readonly authentication: {
    readonly providers: readonly {
      readonly mode: string;
      readonly links: { readonly auth_endpoint: string };
    }[];
  };
  readonly links: { readonly self: string; readonly documentation: string };
  readonly meta: { readonly root_path: string };
}

test("both formats say the same; an ETag spares the second answer", async () => {
  await using t = await testApp();
  const json = await t.call("/api/v1/");
  assert.equal(json.headers["content-type"], "application/json");
  const packed = await t.call({ url: "/api/v1/", headers: { accept: "application/x-msgpack" } });
  assert.equal(packed.headers["content-type"], "application/x-msgpack");
  assert.deepEqual(decode(packed.rawPayload), json.json());
  assert.equal(json.headers.expires, "Sat, 31 Jan 2026 12:10:00 GMT");
  const again = await t.call({ url: "/api/v1/", headers: { "if-none-match": String(json.headers.etag) } });
  assert.deepEqual([again.statusCode, again.body], [304, ""]);
  const other = await t.call({ url: "/api/v1/", headers: { "if-none-match": '"x", W/"y"' } });
  assert.equal(other.statusCode, 200);
});

test("the format is the first of ours that Accept names; JSON otherwise", async () => {
  await using t = await testApp();
  const type = async (accept: string) =>
    (await t.call({ url: "/api/v1/", headers: { accept } })).headers["content-type"];
  assert.equal(await type("application/x-msgpack, application/json"), "application/x-msgpack");
  assert.equal(await type("application/json, application/x-msgpack"), "application/json");
  assert.equal(await type("text/html, application/x-msgpack;q=0.9"), "application/x-msgpack");
  assert.equal(await type("*/*"), "application/json");
  assert.equal(await type("text/html"), "application/json");
});

test("times are timestamps in msgpack, ISO 8601 with offset in JSON, both in whole seconds", async () => {
  await using t = await testApp();
  t.clock.advance(0.7);
  const alice = await t.login("alice");
  const json = (await t.whoami(`Bearer ${alice.access_token}`)).json<{ latest_activity: string }>();
  assert.equal(json.latest_activity, "2026-01-31T12:00:00+00:00");
  const packed = await t.call({
    url: "/api/v1/auth/whoami",
    headers: { ...bearer(alice.access_token), accept: "application/x-msgpack" },
  });
  const { latest_activity } = decode(packed.rawPayload) as { latest_activity: unknown };
  assert.deepEqual(latest_activity, new Date("2026-01-31T12:00:00Z"));
});

test("links begin with the public URL; old clients know the mode by its older name", async () => {
  await using t = await testApp({ server: { publicUrl: "https://tiled.example.org/data", rootPath: "" } });
  const about = (await t.call("/api/v1/")).json<About>();
  assert.equal(about.links.self, "https://tiled.example.org/data/api/v1");
  assert.equal(about.links.documentation, "https://tiled.example.org/data/docs");
  assert.equal(about.meta.root_path, "/data/api");
  const [provider] = about.authentication.providers;
  assert.equal(
    provider?.links.auth_endpoint,
    "https://tiled.example.org/data/api/v1/auth/provider/toy/token",
  );
  const mode = async (version: string) =>
    (await t.call({ url: "/api/v1/", headers: { "user-agent": `python-tiled/${version}` } })).json<About>()
      .authentication.providers[0]?.mode;
  assert.equal(await mode("0.2.20"), "internal");
  assert.equal(await mode("0.1.0b16"), "password");
  assert.equal(await mode("unreadable"), "internal");
});

test("an outdated client learns which version it needs", async () => {
  await using t = await testApp();
  const response = await t.call({ url: "/api/v1/", headers: { "user-agent": "python-tiled/0.1.0a103" } });
  assert.equal(response.statusCode, 400);
  assert.match(response.json<{ detail: string }>().detail, /0\.1\.0a103.*0\.1\.0a104/);
});

test("/api/v1 leads to /api/v1/, and the prefix of a proxy is taken off", async () => {
  await using t = await testApp({ server: { rootPath: "/prefix" } });
  const redirect = await t.call("/api/v1");
  assert.deepEqual([redirect.statusCode, redirect.headers.location], [307, "/prefix/api/v1/"]);
  for (const path of ["/api/v1/", "/prefix/api/v1/"]) {
    assert.equal((await t.call(path)).json<About>().links.self, "http://localhost:80/prefix/api/v1");
  }
});

test("the OpenAPI document's token URL is one of its paths", async () => {
  await using t = await testApp();
  const document = (await t.call("/openapi.json")).json<{
    paths: Record<string, unknown>;
    components: { securitySchemes: { OAuth2PasswordBearer: { flows: { password: { tokenUrl: string } } } } };
  }>();
  assert.ok(
    document.components.securitySchemes.OAuth2PasswordBearer.flows.password.tokenUrl in document.paths,
  );
});
