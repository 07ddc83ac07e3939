/**
 * A person accepts CAVE's terms of service in a real browser: in a viewer's popup, which tells the viewer, and on the way back to
 * a service. Origins differ by their ports.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { PASSWORDS, testApp } from "../support/app.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import { freePort } from "../support/free-port.ts";

/** Opens the terms as a popup and keeps what is posted to it. */
const viewerOf = (terms: string) => `<!doctype html><title>viewer</title><button>Terms</button><script>
const messages = [];
addEventListener("message", ({ origin, data }) => messages.push({ origin, data }));
document.querySelector("button").addEventListener("click", () => { open(${JSON.stringify(`${terms}?client=ng`)}); });
</script>`;

describe("CAVE's terms of service", { skip: withoutChromium() }, () => {
  const closers: (() => Promise<unknown>)[] = [];
  let browser: Browser;
  let cave: string;
  let terms: string;
  let viewer: string;
  let stranger: string;

  before(async () => {
    browser = await startChromium((close) => closers.push(close));
    const port = await freePort();
    cave = `http://127.0.0.1:${port}`;
    terms = `${cave}/sticky_auth/api/v1/tos/2/accept`;
    viewer = await site();
    stranger = await site();
    const tos = [{ id: 2, name: "minnie", text: "Be kind." }];
    const t = await testApp({ cave: { serverAddress: cave, origins: [viewer], tos } });
    closers.push(() => t.close());
    await t.app.listen({ port, host: "127.0.0.1" });
  });
  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  async function site(): Promise<string> {
    const server = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(viewerOf(terms));
    });
    closers.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function accept(page: Page): Promise<void> {
    await page.getByLabel("User name").fill("bob");
    await page.getByLabel("Password").fill(PASSWORDS.bob);
    await page.getByRole("button", { name: "Log in" }).click();
    const box = page.getByRole("checkbox", { name: "I have read these terms" });
    // Terms that were accepted before need no tick.
    await page.getByText("Be kind.").waitFor();
    if ((await box.count()) > 0) {
      await box.check();
      await page.getByRole("button", { name: "Accept" }).click();
    } else await page.getByRole("button", { name: "Continue" }).click();
  }

  async function toldAt(origin: string): Promise<unknown> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(origin);
    const opened = page.waitForEvent("popup");
    await page.getByRole("button", { name: "Terms" }).click();
    const popup = await opened;
    await accept(popup);
    await popup.getByRole("heading", { name: "Thank you" }).waitFor();
    // A last message of ours arrives after all that the page has posted.
    // Its script has run.
    await popup.waitForLoadState();
    await popup.evaluate("opener.postMessage('last', '*')");
    await page.waitForFunction("messages.at(-1)?.data === 'last'");
    const messages = await page.evaluate<readonly unknown[]>("messages");
    await context.close();
    return messages.slice(0, -1);
  }

  test("a viewer on an allowed origin is told by its popup, and no other page", async () => {
    assert.deepEqual(await toldAt(viewer), [{ origin: cave, data: "success" }]);
    assert.deepEqual(await toldAt(stranger), []);
  });

  test("the way back to a service ends there, with a login token", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${terms}?${new URLSearchParams({ redirect: `${viewer}/table?a=1` })}`);
    await accept(page);
    await page.waitForURL(`${viewer}/**`);
    const { pathname, searchParams } = new URL(page.url());
    assert.equal(pathname, "/table");
    assert.match(searchParams.get("middle_auth_token") ?? "", /^[0-9a-f]{32}$/);
    assert.equal(searchParams.get("a"), "1");
    await context.close();
  });
});
