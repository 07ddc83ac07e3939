/**
 * A viewer in a browser, on a host of its own, asks for a token as Neuroglancer does, through the gateway of docs/cave.md: `/auth_info`
 * of the data's host, a window with the login, a message from it, then requests with the token.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { withoutCave } from "../support/cave.ts";
import { caveBrowser, logIn } from "../support/cave-browser.ts";
import { type CaveDeployment, deployCave } from "../support/cave-deployment.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import type { Cleanup } from "../support/folders.ts";
import { withoutProxy } from "../support/proxies.ts";
import { strangersSite } from "../support/sites.ts";

const skip = withoutCave() || withoutChromium() || withoutProxy("nginx");

/** `data`: in the address of the page. Only messages of the window that it opened count. */
const VIEWER = `<button>Log in</button><pre id="state">idle</pre><script>
const data = new URLSearchParams(location.search).get("data");
const state = (value) => { document.querySelector("pre").textContent = JSON.stringify(value); };
document.querySelector("button").onclick = async () => {
  const { login_url } = await (await fetch(data + "/auth_info")).json();
  const opened = window.open(login_url + "/api/v1/authorize");
  addEventListener("message", async ({ source, origin, data: message }) => {
    if (source !== opened) return;
    const headers = { Authorization: "Bearer " + message.token };
    const me = await (await fetch(data + "/auth/api/v1/user/me", { headers })).json();
    state({ origin, appUrls: message.app_urls, name: me.name, token: message.token });
  });
};
</script>`;

describe("a viewer on another host", { skip, timeout: 600_000 }, () => {
  let cave: CaveDeployment;
  let browser: Browser;
  const endings: (() => Promise<unknown>)[] = [];
  const cleanup: Cleanup = (last) => void endings.unshift(last);
  let allowed: string;
  let other: string;

  before(async () => {
    // Another site than the gateway's, which is localhost.
    const site = async () => (await strangersSite(cleanup, VIEWER)).replace("localhost", "127.0.0.1");
    [allowed, other] = [await site(), await site()];
    browser = await startChromium(cleanup);
    cave = await deployCave(cleanup, { origins: [new URL(allowed).origin] });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  /** The window that the page's button opens. */
  async function open(page: Page, site: string): Promise<Page> {
    await page.goto(`${site}?data=${encodeURIComponent(cave.url)}`);
    const opened = page.waitForEvent("popup");
    await page.getByRole("button", { name: "Log in" }).click();
    return opened;
  }

  it("on an allowed origin receives a token and the hosts that it may be sent to", async () => {
    const page = await caveBrowser(browser);
    await logIn(await open(page, allowed), "alice");
    await page.locator("#state", { hasText: "token" }).waitFor();
    const { token, ...state } = JSON.parse((await page.locator("#state").textContent()) ?? "");
    assert.match(token, /^[0-9a-f]{32}$/);
    assert.equal(state.name, "alice");
    assert.equal(state.origin, cave.url);
    // Neuroglancer wants the data's host among them.
    assert.deepEqual(
      state.appUrls.toSorted(),
      [cave.url, "https://neuroglancer.example.org", new URL(allowed).origin].toSorted(),
    );
    await page.context().close();
  });

  it("on another origin receives nothing", async () => {
    const page = await caveBrowser(browser);
    const popup = await open(page, other);
    await logIn(popup, "alice");
    // The page has posted its messages by now: it shows that it is done.
    await popup.waitForFunction("document.querySelector('#handover') !== null");
    await popup.waitForLoadState("networkidle");
    assert.equal(await page.locator("#state").textContent(), "idle");
    await page.context().close();
  });
});
