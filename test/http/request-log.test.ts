/** Whatever is said about a request stands in the log under its id, also what Fastify itself has to say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testApp } from "../support/app.ts";

test("a handler's messages and Fastify's own bear the request's id", async () => {
  await using t = await testApp({
    beforeReady: (app) => {
      app.get("/api/v1/late", { config: { access: "public" } }, async (request, reply) => {
        request.log.warn({ shelf: 7 }, "a handler's message");
        reply.send("answered");
        throw new Error("after the answer");
      });
    },
  });
  const response = await t.call("/api/v1/late");
  assert.equal(response.body, "answered");
  const id = response.headers["x-tiled-request-id"];
  const lines = t.logLines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ level, reqId }) => [level, reqId]),
    [
      [40, id],
      [50, id],
      [30, id],
    ],
  );
  const [ours, fastifys, line] = lines;
  assert.equal(ours?.["shelf"], 7);
  assert.match(JSON.stringify(fastifys), /after the answer/);
  assert.equal(line?.["msg"], "request");
});
