import assert from "node:assert/strict";
import { test } from "node:test";
import { routesBehind } from "../../../src/http/gateway/docs.ts";
import { startBoth } from "../../support/upstream.ts";

const DOCUMENT = {
  paths: {
    "/api/v1/auth/whoami": { get: { summary: "ours" } },
    "/api/v1/metadata/{path}": {
      get: {
        summary: "Metadata",
        security: [{ a: ["read:metadata"] }, { b: ["read:metadata"] }],
        tags: ["x"],
      },
      delete: { summary: 5, security: [{ a: ["delete:node"] }], parameters: "nonsense" },
    },
    "/healthz": null,
  },
};

test("routes are listed with their access; our own paths, and all else, are left out", () => {
  const isOurs = (path: string) => path.startsWith("/api/v1/auth/");
  const tags = ["Passed on to the server behind"];
  assert.deepEqual(routesBehind(JSON.stringify(DOCUMENT), isOurs), {
    "/api/v1/metadata/{path}": {
      get: { tags, summary: "Metadata", "x-access": ["read:metadata"] },
      delete: { tags, "x-access": ["delete:node"] },
    },
    "/healthz": {},
  });
  for (const text of ["", "null", "[]", '{"paths": 1}']) assert.equal(routesBehind(text, isOurs), undefined);
});

test("our page of all routes names those of the server behind, for a minute, and goes without", async (x) => {
  const { t, url, upstream } = await startBoth((last) => x.after(last));
  upstream.answer = (request, response) => {
    response.end(request.url === "/openapi.json" ? JSON.stringify(DOCUMENT) : "");
  };
  await Promise.all(Array.from({ length: 5 }, () => fetch(`${url}/docs`)));
  for (let round = 0; round < 2; round++) {
    const page = await (await fetch(`${url}/docs`)).text();
    assert.match(page, /Passed on to the server behind/);
    assert.match(page, /DELETE \/api\/v1\/metadata\/\{path\}/);
    assert.match(page, /GET \/api\/v1\/auth\/verify/);
    assert.doesNotMatch(page, /ours<\/summary>/);
  }
  assert.equal(upstream.one().headers.authorization, undefined);
  upstream.server.closeAllConnections();
  upstream.server.close();
  t.clock.advance(61);
  const alone = await fetch(`${url}/docs`);
  assert.equal(alone.status, 200);
  assert.doesNotMatch(await alone.text(), /Passed on/);
});
