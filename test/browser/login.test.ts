/**
 * The browser login in a real browser: with the keyboard alone, without JavaScript, under HTTPS, and what a browser does
 * with pages of other sites that try to abuse a login.
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { PASSWORDS, type TestApp, type TestAppOptions, testApp } from "../support/app.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import { TLS_CERT, TLS_KEY } from "../support/tls.ts";

describe("a browser login", { skip: withoutChromium() }, () => {
  let browser: Browser;
  const closers: (() => Promise<unknown>)[] = [];

  before(async () => {
    browser = await startChromium((close) => closers.push(close));
  });
  after(async () => {
    for (const close of closers) await close();
  });

  async function serve(options: TestAppOptions = {}): Promise<TestApp> {
    const t = await testApp(options);
    closers.push(() => t.close());
    await t.app.listen({ port: 0, host: "127.0.0.1" });
    return t;
  }

  /** A page of another origin on the same host, whose cookies a browser sends to all ports. */
  async function neighbour(html: string): Promise<string> {
    const server: Server = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(html);
    });
    closers.push(async () => server.closeAllConnections());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(async () => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  async function logIn(page: Page, url: string): Promise<void> {
    await page.goto(`${url}/account`);
    await page.getByLabel("User name").fill("bob");
    await page.getByLabel("Password").fill(PASSWORDS.bob);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Your account" }).waitFor();
  }

  test("with the keyboard alone, without JavaScript: in, a key made, everywhere else out, out", async () => {
    const t = await serve();
    await t.login("bob");
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    const { keyboard } = page;
    await page.goto(`${t.app.listeningOrigin}/account`);
    // The cursor is where it is needed.
    await page.locator("input:focus").waitFor();
    await keyboard.type("bob");
    await keyboard.press("Tab");
    await keyboard.type(PASSWORDS.bob);
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    const focusOn = async (text: string) => {
      for (let tabs = 0; tabs < 40; tabs++) {
        await keyboard.press("Tab");
        const focused = await page.evaluate<string>("document.activeElement?.innerText ?? ''");
        if (focused.trim().startsWith(text)) return;
      }
      throw new Error(`no way to ${text} with the keyboard`);
    };
    await focusOn("Log out everywhere else");
    await keyboard.press("Enter");
    await focusOn("Log out everywhere else");
    await keyboard.press("Enter");
    await page.getByRole("status").getByText("logged out everywhere else").waitFor();
    await focusOn("Create a new key");
    await keyboard.press("Enter");
    await keyboard.press("Tab");
    await keyboard.type("keyboard");
    await focusOn("Create key");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your new key" }).waitFor();
    const secret = await page.getByLabel("The new key").innerText();
    assert.equal((await t.whoami(`Apikey ${secret}`)).statusCode, 200);
    await page.goBack();
    await page.goto(`${t.app.listeningOrigin}/account`);
    await focusOn("Log out");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Logged out" }).waitFor();
    // What was on the screen does not come back.
    await page.goBack();
    await page.getByRole("heading", { name: "Log in to Tiled" }).waitFor();
    await context.close();
  });

  test("under HTTPS the cookie has a name that no other host can set", async () => {
    const tls = { cert: Buffer.from(TLS_CERT), key: Buffer.from(TLS_KEY) };
    const t = await serve({ tls });
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await logIn(page, t.app.listeningOrigin);
    const cookies = await context.cookies();
    const session = cookies.find(({ name }) => name === "__Host-tiled_session");
    assert.ok(session);
    assert.deepEqual(
      [session.httpOnly, session.secure, session.sameSite, session.path, session.domain],
      [true, true, "Lax", "/", "127.0.0.1"],
    );
    assert.ok(!(await page.evaluate<string>("document.cookie")).includes("tiled"));
    await context.close();
  });

  test("a page of another origin cannot press a button, read the account, or show it in a frame", async () => {
    const t = await serve();
    const url = t.app.listeningOrigin;
    const context = await browser.newContext();
    const page = await context.newPage();
    await logIn(page, url);

    const forged = await neighbour(
      `<form method="post" action="${url}/account/sessions/end-others"><input name="token" value="x"></form>
       <script>document.forms[0].submit()</script>`,
    );
    await page.goto(forged);
    await page.getByRole("heading", { name: "This form is no longer valid" }).waitFor();

    const curious = await neighbour(
      `<p id="result"></p><script>
       fetch(${JSON.stringify(`${url}/account`)}, { credentials: "include" })
         .then((answer) => answer.text(), (error) => String(error))
         .then((text) => { document.getElementById("result").textContent = text || "empty"; });
       </script>`,
    );
    await page.goto(curious);
    await page.locator("#result").getByText("TypeError").waitFor();

    const framing = await neighbour(`<iframe src="${url}/account" width="900" height="900"></iframe>`);
    await page.goto(framing);
    const frame = page.frames().find((one) => one !== page.mainFrame());
    assert.ok(frame);
    await frame.waitForLoadState().catch(() => undefined);
    assert.doesNotMatch(await frame.content().catch(() => ""), /Your account/);
    await page.goto(`${url}/account`);
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    await context.close();
  });

  test("a link on another site leads into the account of who is logged in, as it should", async () => {
    const t = await serve();
    const url = t.app.listeningOrigin;
    const context = await browser.newContext();
    const page = await context.newPage();
    await logIn(page, url);
    await page.goto(await neighbour(`<a href="${url}/">to the data</a>`));
    await page.getByRole("link", { name: "to the data" }).click();
    await page.getByRole("link", { name: "Your account" }).click();
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    await context.close();
  });

  test("a login for another host of the operator's leads there, through the policy of the form", async () => {
    const there = await neighbour("<h1>The data</h1>");
    const t = await serve({ server: { verifyHosts: [new URL(there).host] } });
    const page = await browser.newPage();
    await page.goto(`${t.app.listeningOrigin}/login?${new URLSearchParams({ next: there })}`);
    await page.getByLabel("User name").fill("bob");
    await page.getByLabel("Password").fill(PASSWORDS.bob);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "The data" }).waitFor();
    assert.equal(page.url(), there);
    await page.close();
  });
});
