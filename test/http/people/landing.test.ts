import assert from "node:assert/strict";
import { test } from "node:test";
import Fastify from "fastify";
import { type LandingDeps, landingRoutes } from "../../../src/http/people/landing.ts";
import { sendPage } from "../../../src/http/send-page.ts";
import { html } from "../../../src/lib/html.ts";
import { asset, STYLE_ASSET } from "../../../src/pages/assets.ts";

function server(deps: Partial<LandingDeps> = {}) {
  const app = Fastify();
  app.decorateRequest("caller");
  app.addHook("onRequest", (request, _reply, done) => {
    request.caller = { kind: "anonymous", scopes: new Set() };
    done();
  });
  landingRoutes(app, {
    site: { title: "Tiled", logo: null, contact: null, version: "0.1.0" },
    images: [],
    mode: "private",
    writable: true,
    providers: ["toy"],
    links: { base: () => "http://127.0.0.1:8000", rootPath: "" },
    ...deps,
  });
  return app;
}

const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

test("the landing page may load nothing but our stylesheet and images", async () => {
  const answer = await server().inject("/");
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers["content-type"], "text/html; charset=utf-8");
  assert.equal(answer.headers["content-security-policy"], POLICY);
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
  assert.equal(answer.headers["referrer-policy"], "no-referrer");
  assert.equal(answer.headers["cache-control"], "no-cache");
});

test("the page's links work, and its assets may be cached forever", async () => {
  const app = server();
  const page = (await app.inject("/")).body;
  const paths = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? "");
  assert.ok(paths.includes(STYLE_ASSET.path));
  for (const path of paths) {
    const answer = await app.inject(path);
    assert.equal(answer.statusCode, 200, path);
    assert.equal(answer.headers["cache-control"], "public, max-age=31536000, immutable");
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
  }
});

test("another content is another path", () => {
  const path = (content: string) => asset("style", "css", "text/css", content).path;
  assert.match(path("a"), /^\/assets\/style\.[0-9a-f]{12}\.css$/);
  assert.notEqual(path("a"), path("b"));
});

test("a logo of the operator's is served, and a script in it cannot run", async () => {
  const logo = asset("logo", "svg", "image/svg+xml", "<svg><script>alert(1)</script></svg>");
  const app = server({
    images: [logo],
    site: { title: "Tiled", logo: logo.path, contact: null, version: "0.1.0" },
  });
  assert.ok((await app.inject("/")).body.includes(`src="${logo.path}"`));
  const answer = await app.inject(logo.path);
  assert.equal(answer.headers["content-type"], "image/svg+xml");
  assert.match(String(answer.headers["content-security-policy"]), /default-src 'none';.*sandbox/);
});

test("a page may name further targets of its form, a status, and that it must not be kept", async () => {
  const app = Fastify();
  app.get("/login", { config: { access: "public" } }, (_request, reply) =>
    sendPage(reply, html`<p>hello</p>`, {
      status: 401,
      noStore: true,
      formAction: ["https://login.example.org"],
    }),
  );
  const answer = await app.inject("/login");
  assert.equal(answer.statusCode, 401);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.match(
    String(answer.headers["content-security-policy"]),
    /form-action 'self' https:\/\/login\.example\.org;/,
  );
});
