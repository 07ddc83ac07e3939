/**
 * A browser's own WebSocket through the gateway, to a stream of the real Tiled.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import type { Page } from "playwright-core";
import { Api, bearer } from "../support/api.ts";
import { ARRAY, catalog, serve } from "../support/behind.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import { withoutTiled } from "../support/python.ts";
import { PASSWORDS } from "../support/toy.ts";

const TIMEOUT = { timeout: 300_000 };

/** A page of another server on this host: to the browser the same site, and another origin. */
async function strangersPage(t: TestContext): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<h1>Elsewhere</h1>");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Opens one in the page; its messages are looked at there. */
async function open(page: Page, url: string, first: object | null): Promise<void> {
  const script = `((url, first) => {
    window.heard = [];
    const socket = new WebSocket(url);
    socket.onopen = () => first && socket.send(JSON.stringify(first));
    socket.onmessage = ({ data }) => window.heard.push(JSON.parse(data));
    socket.onclose = ({ code }) => window.heard.push({ type: "closed", code });
  })(${JSON.stringify(url)}, ${JSON.stringify(first)})`;
  await page.evaluate(script);
}

async function heard(page: Page, count: number): Promise<Record<string, unknown>[]> {
  await page.waitForFunction(`window.heard.length >= ${count}`, undefined, { timeout: 30_000 });
  return (await page.evaluate("window.heard")) as Record<string, unknown>[];
}

describe("a browser's WebSocket", { skip: withoutTiled() || withoutChromium() }, () => {
  test(
    "hears what is written, by a token in its first message or by its login, and not for a stranger's page",
    TIMEOUT,
    async (t) => {
      const { front } = await serve(t, await catalog(t));
      const api = new Api(front.url);
      const alice = await api.login("alice");
      assert.equal((await api.call("POST", "/metadata/", bearer(alice), ARRAY)).status, 200);
      const url = `${front.url.replace("http", "ws")}/api/v1/stream/single/live?envelope_format=json`;
      const browser = await startChromium(t.after.bind(t));
      const context = await browser.newContext();

      const page = await context.newPage();
      await page.goto(`${front.url}/ui`);
      await open(page, url, { type: "auth", access_token: alice.access_token });
      assert.equal((await heard(page, 1))[0]?.["type"], "array-schema");
      const put = await fetch(`${front.url}/api/v1/array/full/live`, {
        method: "PUT",
        headers: { authorization: bearer(alice), "content-type": "application/octet-stream" },
        body: new Uint8Array(Float64Array.of(1.5, 2.5).buffer),
      });
      assert.equal(put.status, 200);
      assert.deepEqual((await heard(page, 2))[1]?.["payload"], [1.5, 2.5]);
      await open(page, url, { type: "auth", access_token: "x.y.z" });
      assert.deepEqual(await heard(page, 1), [{ type: "closed", code: 4003 }]);

      await page.goto(`${front.url}/login`);
      await page.getByLabel("User name").fill("alice");
      await page.getByLabel("Password").fill(PASSWORDS.alice);
      await page.getByRole("button", { name: "Log in" }).click();
      await page.waitForURL((at) => at.pathname !== "/login");
      await page.goto(`${front.url}/ui`);
      await open(page, url, null);
      assert.equal((await heard(page, 1))[0]?.["type"], "array-schema");

      // The cookies come along, as it is the same site, and do not count: the one message that opens it does not come.
      await page.goto(await strangersPage(t));
      await open(page, url, {});
      assert.deepEqual(await heard(page, 1), [{ type: "closed", code: 4001 }]);
      // Beside a login no key counts.
      await context.clearCookies({ name: "tiled_session" });
      const { secret } = await api.makeKey(bearer(alice));
      await context.addCookies([{ name: "tiled_api_key", value: secret, url: front.url }]);
      await open(page, url, null);
      assert.deepEqual(await heard(page, 1), [{ type: "closed", code: 1006 }]);
    },
  );
});
