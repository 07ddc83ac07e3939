/** What a page of another site can and cannot do to a real browser that also knows this server. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, BrowserContext } from "playwright-core";
import { assertAccessible, startChromium, withoutChromium } from "../support/chromium.ts";
import type { Cleanup } from "../support/folders.ts";
import { ScriptedProvider } from "../support/scripted-provider.ts";
import { serveApp, strangersSite } from "../support/sites.ts";

describe("a page of another site", { skip: withoutChromium() }, () => {
  let browser: Browser;
  const closers: (() => Promise<unknown>)[] = [];
  const cleanup: Cleanup = (close) => closers.push(async () => close());

  before(async () => {
    browser = await startChromium(cleanup);
  });
  after(async () => {
    for (const close of closers) await close();
  });

  const keyIn = async (context: BrowserContext) =>
    (await context.cookies()).find(({ name }) => name.endsWith("tiled_api_key"))?.value;

  test("a link with a key changes nothing before the person says so, without JavaScript", async () => {
    const t = await serveApp(cleanup);
    const url = t.app.listeningOrigin;
    const key = await t.makeKey((await t.login("alice")).access_token);
    const evil = await strangersSite(cleanup, `<a href="${url}/?api_key=${key}">to the data</a>`);
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(evil);
    await page.getByRole("link", { name: "to the data" }).click();
    await page.getByRole("heading", { name: "Use this API key?" }).waitFor();
    await page.getByText("contains an API key of alice").waitFor();
    assert.equal(await keyIn(context), undefined);
    await page.getByRole("link", { name: "Continue without it" }).click();
    await page.waitForURL(`${url}/`);
    assert.equal(await keyIn(context), undefined);

    await page.goto(evil);
    await page.getByRole("link", { name: "to the data" }).click();
    await page.getByRole("button", { name: "Use the key" }).click();
    await page.waitForURL(`${url}/`);
    assert.equal(await keyIn(context), key);
    await context.close();

    const own = await browser.newContext();
    const scripted = await own.newPage();
    await scripted.goto(evil);
    await scripted.getByRole("link", { name: "to the data" }).click();
    await assertAccessible(scripted);
    await own.close();
  });

  test("an image, a frame, a script and a form with a key leave no cookie; typing the address does", async () => {
    const t = await serveApp(cleanup);
    const url = t.app.listeningOrigin;
    const key = await t.makeKey((await t.login("alice")).access_token);
    const target = `${url}/?api_key=${key}`;
    const api = `${url}/api/v1/auth/whoami?api_key=${key}`;
    const evil = await strangersSite(
      cleanup,
      `<img src="${target}"><img src="${api}"><iframe src="${target}"></iframe>
       <script>fetch(${JSON.stringify(api)}, { mode: "no-cors", credentials: "include" })</script>
       <form action="${url}/login/key" method="post"><input name="key" value="${key}"></form>`,
    );
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(evil, { waitUntil: "networkidle" });
    assert.equal(await keyIn(context), undefined);
    await page.evaluate("document.forms[0].submit()");
    await page.getByRole("heading", { name: "This form is no longer valid" }).waitFor();
    assert.equal(await keyIn(context), undefined);
    await page.goto(target);
    assert.equal(page.url(), `${url}/`);
    assert.equal(await keyIn(context), key);
    await context.close();
  });

  test("an image, a frame and a script begin no login at a provider; a link does", async () => {
    const orcid = new ScriptedProvider();
    const statuses: number[] = [];
    const t = await serveApp(cleanup, {
      authenticators: new Map([["orcid", orcid]]),
      beforeReady: (app) => {
        app.addHook("onResponse", async ({ url }, { statusCode }) => {
          if (url.endsWith("/authorize")) statuses.push(statusCode);
        });
      },
    });
    const login = `${t.app.listeningOrigin}/api/v1/auth/provider/orcid/authorize`;
    const evil = await strangersSite(
      cleanup,
      `<img src="${login}"><iframe src="${login}"></iframe><a href="${login}">log in</a>
       <script>fetch(${JSON.stringify(login)}, { mode: "no-cors", credentials: "include" }).catch(() => 0);
       fetch(${JSON.stringify(login)}, { method: "POST", mode: "no-cors" }).catch(() => 0)</script>`,
    );
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route("https://provider.example/**", (route) =>
      route.fulfill({ contentType: "text/html", body: "<h1>The provider</h1>" }),
    );
    await page.goto(evil, { waitUntil: "networkidle" });
    assert.deepEqual(statuses, [403, 403, 403, 403]);
    assert.deepEqual(
      (await context.cookies()).filter(({ name }) => name === "tiled_browser"),
      [],
    );
    await page.getByRole("link", { name: "log in" }).click();
    await page.getByRole("heading", { name: "The provider" }).waitFor();
    assert.equal(statuses.at(-1), 307);
    await context.close();
  });
});
