/**
 * Pages for people on a host of their own, in a real browser: a page of the server behind that its operator trusts, opened by an
 * administrator who is logged in, has nothing of their account.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Page } from "playwright-core";
import { PASSWORDS } from "../support/app.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import type { Cleanup } from "../support/folders.ts";
import { freePort } from "../support/free-port.ts";
import { startFront, startUpstream } from "../support/upstream.ts";

const SKIP = { skip: withoutChromium() };

/** What its script tries at a page's origin, each with what came of it. */
const tries = (account: string) => `(async () => {
  const account = ${JSON.stringify(account)};
  const form = new URLSearchParams({ token: "x", lifetime: "year", "scope inherit": "1" });
  const options = { credentials: "include", method: "POST", body: form };
  const framed = async (url) => {
    const frame = document.createElement("iframe");
    frame.src = url;
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    document.body.append(frame);
    await loaded;
    return frame.contentDocument.documentElement.outerHTML;
  };
  const text = async (url, given) => {
    const answer = await fetch(url, { credentials: "include", ...given });
    return answer.status + " " + (await answer.text());
  };
  const found = {};
  for (const [name, attempt] of Object.entries({
    read: () => text(account + "/account"),
    readHere: () => text("/account"),
    readApi: () => text(account + "/api/v1/auth/whoami"),
    post: () => text(account + "/account/keys", options),
    postHere: () => text("/account/keys", options),
    logInHere: () => text("/login", options),
    frame: () => framed(account + "/account"),
    frameHere: () => framed("/account"),
  })) {
    found[name] = await attempt().then((answer) => "got " + answer, (error) => "failed: " + error.name);
  }
  return found;
})()`;

async function scene(t: TestContext) {
  const browser = await startChromium(t.after.bind(t));
  const cleanup: Cleanup = (last) => t.after(last);
  const upstream = await startUpstream(cleanup);
  upstream.answer = (_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>trusted</title><body>data</body>");
  };
  const port = await freePort();
  const data = `http://data.localhost:${port}`;
  const account = `http://account.localhost:${port}`;
  const upstreams = [{ url: upstream.url, trustedPages: [""] }];
  await startFront(cleanup, { upstreams, server: { publicUrl: data, accountUrl: account } }, port);
  const page = await (await browser.newContext()).newPage();
  return { page, data, account };
}

async function logIn(page: Page, user: keyof typeof PASSWORDS): Promise<void> {
  await page.locator("input[name=username]").fill(user);
  await page.locator("input[name=password]").fill(PASSWORDS[user]);
  await page.keyboard.press("Enter");
}

test(
  "a login at the account host reads data at the other, and a page there has nothing of the account",
  SKIP,
  async (t) => {
    const { page, data, account } = await scene(t);
    await page.goto(`${data}/login?next=/api/v1/asset/bytes/page.html`);
    assert.ok(page.url().startsWith(`${account}/login?`), page.url());
    await logIn(page, "alice");
    await page.waitForURL(`${data}/api/v1/asset/bytes/page.html`);
    assert.equal(await page.title(), "trusted");
    assert.equal(await page.evaluate("self.origin"), data);

    const outcomes = (await page.evaluate(tries(account))) as Record<string, string>;
    for (const [name, outcome] of Object.entries(outcomes)) {
      assert.doesNotMatch(outcome, /alice|csrf_token|name="token"/, name);
      assert.match(outcome, /^failed: |^got 40[13] /, name);
    }
    assert.equal(Object.keys(outcomes).length, 8);

    // A person gets there from any page, and nothing was made in their name.
    await page.goto(`${data}/account`);
    await page.waitForURL(`${account}/account`);
    assert.match(await page.content(), /logged in as <strong>alice</);
    assert.doesNotMatch(await page.content(), /action="\/account\/keys\/revoke"/);
    assert.equal(
      (await page.context().cookies(data)).find(({ name }) => name === "tiled_session")?.value.length,
      128,
    );

    // It ends at both.
    await page.goto(`${data}/logout`);
    await page.locator("main form button").first().click();
    await page.waitForURL(`${data}/logout`);
    await page.goto(`${account}/account`);
    assert.ok(page.url().startsWith(`${account}/login?`), page.url());
  },
);
