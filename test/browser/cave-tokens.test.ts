/**
 * A person gets a token for CAVE in a real browser: from the address that caveclient's `get_new_token()` opens to the token in
 * the clipboard, and back to a list without it. Without scripts, too. `test/real/cave.test.ts` goes on with the client.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { bearer, PASSWORDS, type TestApp, testApp } from "../support/app.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import { freePort } from "../support/free-port.ts";

describe("a token for CAVE", { skip: withoutChromium() }, () => {
  let browser: Browser;
  const closers: (() => Promise<unknown>)[] = [];

  before(async () => {
    browser = await startChromium((close) => closers.push(close));
  });
  after(async () => {
    for (const close of closers) await close();
  });

  async function serve() {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const t = await testApp({ cave: { serverAddress: url } });
    closers.push(() => t.close());
    await t.app.listen({ port, host: "127.0.0.1" });
    return { t, url };
  }

  /** As caveclient opens it. */
  async function open(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${url}/auth/api/v1/create_token`);
    await page.getByLabel("User name").fill("bob");
    await page.getByLabel("Password").fill(PASSWORDS.bob);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Your CAVE tokens" }).waitFor();
    assert.equal(page.url(), `${url}/sticky_auth/settings/tokens`);
    await page.getByText("You have no tokens.").waitFor();
    return page;
  }

  async function create(page: Page): Promise<string> {
    await page.getByLabel("What is it for?").fill("My laptop");
    await page.getByRole("button", { name: "Create token" }).click();
    const token = (await page.locator("code#token").textContent()) ?? "";
    assert.match(token, /^[0-9a-f]{32}$/);
    return token;
  }

  async function revoke(page: Page, token: string): Promise<void> {
    const start = token.slice(0, 8);
    await page.getByText(`${start}…`).waitFor();
    await page.locator("summary", { hasText: `the token ${start}` }).click();
    await page.getByRole("button", { name: `Revoke ${start}` }).click();
    await page.getByText("The token is revoked.").waitFor();
    await page.getByText("You have no tokens.").waitFor();
  }

  async function statusOf(t: TestApp, token: string): Promise<number> {
    return (await t.call({ url: "/auth/api/v1/user/cache", headers: bearer(token) })).statusCode;
  }

  test("made, copied, not made again by a reload, listed, revoked", async () => {
    const { t, url } = await serve();
    const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    const page = await open(context, url);
    const token = await create(page);
    assert.equal(await statusOf(t, token), 200);
    await page.getByRole("button", { name: "Copy the token" }).click();
    await page.getByRole("status").getByText("Copied.").waitFor();
    assert.equal(await page.evaluate("navigator.clipboard.readText()"), token);

    await page.reload();
    await page.getByText("This form was sent a second time").waitFor();
    assert.equal(await page.getByText(token).count(), 0);
    assert.equal(await page.getByText("My laptop").count(), 1);
    await page.getByRole("link", { name: "Tiled" }).click();
    await page.getByRole("heading", { name: "Your CAVE tokens" }).waitFor();
    await revoke(page, token);
    assert.equal(await statusOf(t, token), 401);
    await context.close();
  });

  test("where the clipboard is refused, the button selects the token", async () => {
    const { url } = await serve();
    const context = await browser.newContext();
    const page = await open(context, url);
    await page.addInitScript("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))");
    const token = await create(page);
    await page.getByRole("button", { name: "Copy the token" }).click();
    await page.getByRole("status").getByText("The token is selected").waitFor();
    assert.equal(await page.evaluate("String(getSelection())"), token);
    await context.close();
  });

  test("without scripts: made, listed, revoked, logged out", async () => {
    const { t, url } = await serve();
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await open(context, url);
    const token = await create(page);
    assert.equal(await page.getByRole("button", { name: "Copy the token" }).isVisible(), false);
    await page.getByRole("link", { name: "Back to your tokens" }).click();
    await revoke(page, token);
    assert.equal(await statusOf(t, token), 401);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Logged out" }).waitFor();
    await page.goto(`${url}/sticky_auth/settings/tokens`);
    await page.getByLabel("User name").waitFor();
    await context.close();
  });
});
