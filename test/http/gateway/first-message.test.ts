/** A browser cannot send credentials in a handshake: it sends them as its first message. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { claims, STREAM, socketScene as scene } from "../../support/sockets.ts";

describe("credentials in the first message", () => {
  test("of both kinds open the stream, and later messages are not lost", async (x) => {
    const { t, open, asked } = await scene(x);
    const { access_token } = await t.login("bob");
    const secret = await t.makeKey(access_token);
    for (const credential of [{ access_token }, { api_key: secret }]) {
      const client = open(STREAM);
      await once(client.socket, "open");
      assert.equal(asked.length, 0);
      client.socket.send(JSON.stringify({ type: "auth", ...credential }));
      client.socket.send("more");
      await client.has("schema", "more");
      assert.equal(claims(asked.shift())["use"], "upstream");
    }
  });

  for (const [name, message, code] of [
    ["no JSON", "hello", 4001],
    ["another message", '{"type": "subscribe"}', 4001],
    ["a list", "[1]", 4001],
    ["null", "null", 4001],
    ["no credential", '{"type": "auth"}', 4003],
    ["a credential that is no text", '{"type": "auth", "api_key": 5}', 4003],
    ["a wrong token", '{"type": "auth", "access_token": "x.y.z"}', 4003],
    ["a wrong key", '{"type": "auth", "api_key": "00000000"}', 4003],
    ["a message without end", `{"type": "auth", "x": "${"x".repeat(16_384)}"}`, 1009],
  ] as const) {
    test(`${name}: closed with ${code}, nothing opened behind`, async (x) => {
      const { open, asked } = await scene(x);
      const client = open(STREAM);
      await once(client.socket, "open");
      client.socket.send(message);
      assert.equal((await client.closed)[0], code);
      assert.deepEqual([asked.length, client.messages], [0, []]);
    });
  }

  test("that lack read:data, or are narrowed to access tags, are refused", async (x) => {
    const { t, open, asked } = await scene(x);
    const { access_token } = await t.login("bob");
    for (const fields of [{ scopes: ["read:metadata"] }, { scopes: ["read:data"], access_tags: ["chem"] }]) {
      const client = open(STREAM);
      await once(client.socket, "open");
      client.socket.send(JSON.stringify({ type: "auth", api_key: await t.makeKey(access_token, fields) }));
      const [code, reason] = await client.closed;
      assert.deepEqual([code, /tags/.test(reason)], [4003, "access_tags" in fields]);
    }
    assert.equal(asked.length, 0);
  });

  test("that do not come in time are not waited for", async (x) => {
    const { open } = await scene(x, { socketTimeouts: { firstMessage: 100, recheck: 10_000 } });
    assert.equal((await open(STREAM).closed)[0], 4001);
  });

  test("are of no use where the server behind is away or refuses", async (x) => {
    const { t, open, upstream } = await scene(x);
    const { access_token } = await t.login("bob");
    const late = open(STREAM);
    await once(late.socket, "open");
    upstream.server.removeAllListeners("upgrade");
    upstream.answer = (_request, response) => void response.writeHead(404).end();
    late.socket.send(JSON.stringify({ type: "auth", access_token }));
    assert.deepEqual(await late.closed, [1008, "The data service answered 404"]);
    upstream.server.closeAllConnections();
    upstream.server.close();
    const later = open(STREAM);
    await once(later.socket, "open");
    later.socket.send(JSON.stringify({ type: "auth", access_token }));
    assert.equal((await later.closed)[0], 1013);
  });
});
