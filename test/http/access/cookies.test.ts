import assert from "node:assert/strict";
import { test } from "node:test";
import cookie from "@fastify/cookie";
import Fastify from "fastify";
import { OwnCookie } from "../../../src/http/access/cookies.ts";
import { SESSION } from "../../support/person.ts";
import { startBoth } from "../../support/upstream.ts";

test("the login of a browser that has ended is dropped on an answer of a server behind, too", async (t) => {
  const { t: ours, url } = await startBoth((last) => t.after(last));
  const key = await ours.makeKey((await ours.login("alice")).access_token);
  const headers = { cookie: `${SESSION}=${"5e".repeat(32)}; tiled_api_key=${key}` };
  const answer = await fetch(`${url}/api/v1/metadata/A`, { headers });
  assert.equal(answer.status, 200);
  assert.match(String(answer.headers.getSetCookie()), /tiled_session=; Max-Age=0/);
});

test("the last value of a cookie is the only one that is sent, beside those of other names", async () => {
  const app = Fastify();
  await app.register(cookie, { hook: false });
  const links = { isHttps: () => true };
  const [first, second] = [new OwnCookie("one"), new OwnCookie("two")];
  app.get("/", { config: { access: "public" } }, (request, reply) => {
    first.set(request, reply, links, "a", 60);
    second.set(request, reply, links, "b");
    first.drop(request, reply, links);
    return reply.send("");
  });
  assert.deepEqual((await app.inject("/")).headers["set-cookie"], [
    "__Host-two=b; Path=/; HttpOnly; Secure; SameSite=Lax",
    "__Host-one=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
  ]);
});
