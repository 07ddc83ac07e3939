import assert from "node:assert/strict";
import { test } from "node:test";
import Fastify from "fastify";
import { docsRoute } from "../../../src/http/operation/docs.ts";
import { describeRoutes } from "../../../src/http/operation/openapi.ts";
import { dataBudget } from "../../../src/http/tree/body.ts";
import { treeRoutes } from "../../../src/http/tree/tree.ts";
import type { ApiDocument } from "../../../src/pages/docs.ts";
import { inlineReader } from "../../../src/trees/encoding/jobs.ts";
import { loadTrees } from "../../../src/trees/load.ts";
import { ManualClock } from "../../support/clock.ts";

test("the page lists every described route, without scripts and under the server's prefix", async () => {
  const app = Fastify({ exposeHeadRoutes: false });
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  const links = { rootPath: "/prefix", base: () => "http://localhost/prefix" };
  const ours = describeRoutes(app, {
    title: "Tiled",
    version: "1",
    tokenUrl: null,
    rootPath: links.rootPath,
    publicUrl: null,
    accounts: false,
  });
  treeRoutes(app, {
    tree: await loadTrees([], { directory: ".", clock: new ManualClock(), warn: () => {} }),
    links,
    rights: () => null,
    reader: inlineReader,
    budget: dataBudget(),
    holder: () => ({ key: "", known: false }),
  });
  app.get("/hidden", { config: { access: "public" }, schema: { hide: true } }, () => "");
  let theirs: ApiDocument["paths"] | null = null;
  docsRoute(app, {
    site: { title: "Beamline", logo: null, contact: null, version: "1" },
    links,
    ours,
    behind: async () => theirs,
  });
  await app.ready();

  const response = await app.inject("/docs");
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers["content-type"], "text/html; charset=utf-8");
  assert.match(String(response.headers["content-security-policy"]), /default-src 'none'/);
  assert.match(response.body, /<title>API documentation · Beamline<\/title>/);
  assert.match(response.body, /GET \/api\/v1\/array\/block\/\{path\}<\/code> Read a chunk/);
  assert.match(response.body, /Anyone with the scope <code>read:data<\/code>/);
  assert.match(response.body, /href="\/prefix\/assets\//);
  assert.doesNotMatch(response.body, /hidden|<script|\/docs"/);
  const { paths = {} } = await ours();
  assert.equal(response.body.split("<details>").length - 1, Object.keys(paths).length);
  assert.equal((await app.inject("/docs")).body, response.body);

  theirs = { "/behind/<x>": { get: { tags: ["Behind"], summary: "Read <more>" } } };
  const more = (await app.inject("/docs")).body;
  assert.match(more, /GET \/behind\/&lt;x&gt;<\/code> Read &lt;more&gt;/);
  assert.equal(more.split("<details>").length - 1, Object.keys(paths).length + 1);
  await app.close();
});
