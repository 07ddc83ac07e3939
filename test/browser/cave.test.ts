/**
 * CAVE's hand-over in a real browser: a viewer's popup and a service's redirect, through a login here and at a real provider,
 * and what pages of other origins get from it. The viewer does what Neuroglancer does (`middleauth` credentials).
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { OIDCAuthenticator } from "../../src/authenticators/oidc/authenticator.ts";
import type { Authenticator } from "../../src/domain/ports/authenticator.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { PASSWORDS, type TestApp, testApp, toy } from "../support/app.ts";
import { assertAccessible, startChromium, withoutChromium } from "../support/chromium.ts";
import { freePort } from "../support/free-port.ts";
import { startProvider } from "../support/oidc-provider.ts";
import { submitLogin } from "../support/real-scene.ts";

const SHOTS = process.env["TILED_AUTH_TEST_SHOTS"];
const PHONE = { width: 360, height: 740 };
const TOKEN = /^[0-9a-f]{32}$/;

/** Opens the login as a popup and keeps what is posted to it. */
const viewerOf = (sticky: string) => `<!doctype html><title>viewer</title><button>Log in</button><script>
const messages = [];
let popup;
addEventListener("message", ({ source, origin, data }) => {
  if (source === popup) messages.push({ origin, data });
});
document.querySelector("button").addEventListener("click", () => {
  popup = open(${JSON.stringify(`${sticky}/api/v1/authorize`)}, undefined, "width=400, height=650");
});
</script>`;

interface Message {
  readonly origin: string;
  readonly data: { readonly token: string; readonly app_urls: readonly string[] };
}

describe("CAVE's hand-over", { skip: withoutChromium() }, () => {
  const closers: (() => Promise<unknown>)[] = [];
  const visited: string[] = [];
  let browser: Browser;
  let t: TestApp;
  let cave: string;
  let sticky: string;
  let viewer: string;
  let stranger: string;
  let service: string;

  before(async () => {
    browser = await startChromium((close) => closers.push(close));
    const port = await freePort();
    // The pages for people are on another host: a login at a provider has to get from there to here.
    const people = `http://people.localhost:${port}`;
    cave = `http://cave.localhost:${port}`;
    sticky = `${cave}/sticky_auth`;
    viewer = await site("viewer.localhost", viewerOf(sticky));
    stranger = await site("stranger.localhost", viewerOf(sticky));
    service = await site("service.localhost", "<!doctype html><title>service</title><h1>The service</h1>");
    const authenticators = new Map<string, Authenticator>([
      ["toy", toy()],
      ["lab", await lab(`${people}/api/v1/auth/provider/lab/code`)],
    ]);
    t = await testApp({
      authenticators,
      server: { publicUrl: people },
      cave: { serverAddress: cave, origins: [viewer, service] },
    });
    closers.push(() => t.close());
    await t.app.listen({ port, host: "127.0.0.1" });
  });
  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  /** A page of its own origin, at all of its addresses. */
  async function site(host: string, html: string): Promise<string> {
    const server = createServer((request, response) => {
      visited.push(`http://${request.headers.host}${request.url}`);
      response.setHeader("content-type", "text/html");
      response.end(html);
    });
    closers.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://${host}:${(server.address() as AddressInfo).port}`;
  }

  async function lab(redirectUri: string): Promise<Authenticator> {
    const client = { id: "cave", secret: "of tests only", redirectUris: [redirectUri] };
    const provider = await startProvider((step) => closers.push(step), { clients: [client] });
    const authenticator = new OIDCAuthenticator(
      { client_id: client.id, client_secret: client.secret, well_known_uri: provider.wellKnown },
      { provider: "lab", directory: ".", warn: () => {} },
      { clock: systemClock },
    );
    await authenticator.start();
    closers.push(() => authenticator.stop());
    return authenticator;
  }

  async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext(options);
    closers.push(() => context.close());
    return await context.newPage();
  }

  async function openPopup(page: Page, at: string): Promise<Page> {
    await page.goto(at);
    const opened = page.waitForEvent("popup");
    await page.getByRole("button", { name: "Log in" }).click();
    return await opened;
  }

  async function logIn(page: Page): Promise<void> {
    await page.getByLabel("User name").fill("bob");
    await page.getByLabel("Password").fill(PASSWORDS.bob);
    await page.getByRole("button", { name: "Log in" }).click();
  }

  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name }).waitFor();

  /** All that the popup has posted, once its script has run: a last message of ours arrives after it. */
  async function messagesOf(page: Page, popup: Page): Promise<Message[]> {
    await popup.getByText("You can close this window").waitFor();
    await popup.evaluate("opener.postMessage('last', '*')");
    await page.waitForFunction("messages.at(-1)?.data === 'last'");
    return (await page.evaluate<Message[]>("messages")).slice(0, -1);
  }

  const audit = async (event: string) =>
    ((await t.store?.audit.read({ limit: 1000 })) ?? []).filter((row) => row.event === event).length;

  const look = async (page: Page, name: string) => {
    await assertAccessible(page);
    if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `cave-${name}.png`), fullPage: true });
  };

  test("a viewer on an allowed origin gets the token in its popup, and works with it", async () => {
    const page = await newPage();
    const popup = await openPopup(page, viewer);
    await heading(popup, "Log in to Tiled");
    await look(popup, "popup-login");
    await logIn(popup);
    await heading(popup, "You are logged in");
    await popup.getByText("You can close this window").waitFor();
    await look(popup, "popup-handed-over");
    const [message, ...others] = await messagesOf(page, popup);
    assert.deepEqual(others, []);
    assert.equal(message?.origin, cave);
    assert.match(message?.data.token ?? "", TOKEN);
    assert.deepEqual(message?.data.app_urls, [cave, viewer, service]);
    const ask = (token = "") =>
      page.evaluate<{
        status: number;
        name?: string;
      }>(`fetch(${JSON.stringify(`${sticky}/api/v1/user/cache`)}, {
        headers: { Authorization: "Bearer ${token}" },
      }).then(async (answer) => ({ status: answer.status, name: (await answer.json()).name }))`);
    assert.deepEqual(await ask(message?.data.token), { status: 200, name: "bob" });
    await popup.close();
    // Already logged in: no form.
    const again = await openPopup(page, viewer);
    await heading(again, "You are logged in");
    const second = await messagesOf(page, again);
    assert.match(second.at(-1)?.data.token ?? "", TOKEN);
    assert.notEqual(second.at(-1)?.data.token, message?.data.token);
    await again.goto(`${sticky}/api/v1/logout`);
    await look(again, "logout");
    await again.getByRole("button", { name: "Log out" }).click();
    await heading(again, "Logged out");
    await look(again, "logged-out");
    for (const { data } of [message, second.at(-1)].filter((one) => one !== undefined)) {
      assert.equal((await ask(data.token)).status, 401);
    }
  });

  test("a page on another origin gets nothing in its popup", async () => {
    const page = await newPage();
    const popup = await openPopup(page, stranger);
    await logIn(popup);
    await heading(popup, "You are logged in");
    assert.deepEqual(await messagesOf(page, popup), []);
  });

  test("a page on another origin gets no token by loading the address", async () => {
    const page = await newPage();
    await page.goto(`${sticky}/api/v1/authorize`);
    await logIn(page);
    await heading(page, "You are logged in");
    const issued = await audit("cave_login_token_issued");
    for (const origin of [stranger, viewer]) {
      await page.goto(origin);
      const outcomes = await page.evaluate<string[]>(`(async () => {
        const address = ${JSON.stringify(`${sticky}/api/v1/authorize`)};
        const target = address + "?redirect=" + encodeURIComponent(${JSON.stringify(`${service}/`)});
        const outcomes = [];
        for (const url of [address, target]) {
          const tries = [{ credentials: "include" }, { credentials: "include", mode: "no-cors" }];
          for (const options of tries) {
            outcomes.push(await fetch(url, options).then((answer) => answer.text(), (error) => error.name));
          }
          for (const name of ["img", "iframe", "embed", "script"]) {
            const element = document.createElement(name);
            const done = new Promise((resolve) => {
              element.addEventListener("load", resolve);
              element.addEventListener("error", resolve);
            });
            element.src = url;
            document.body.append(element);
            await done;
            outcomes.push(String(element.contentDocument?.body?.textContent ?? ""));
          }
        }
        return outcomes;
      })()`);
      assert.equal(outcomes.length, 12);
      for (const outcome of outcomes) assert.doesNotMatch(outcome, /[0-9a-f]{32}/);
    }
    assert.equal(await audit("cave_login_token_issued"), issued);
  });

  test("a viewer's script may ask for the address to open, and a page on another origin may not", async () => {
    const page = await newPage();
    const address = `${sticky}/api/v1/authorize?redirect=${encodeURIComponent(`${viewer}/`)}`;
    const ask = (headers: object) =>
      page.evaluate<string>(`fetch(${JSON.stringify(address)}, {
        credentials: "include", headers: ${JSON.stringify(headers)},
      }).then((answer) => answer.text(), (error) => error.name)`);
    await page.goto(viewer);
    assert.equal(await ask({ "X-Requested-With": "Fetch" }), address);
    assert.equal(await ask({}), "TypeError");
    await page.goto(stranger);
    assert.equal(await ask({ "X-Requested-With": "Fetch" }), "TypeError");
  });

  test("with the keyboard alone, without JavaScript, on a phone: from a service, logged in, and back", async () => {
    const page = await newPage({ javaScriptEnabled: false, viewport: PHONE });
    const { keyboard } = page;
    await page.goto(`${sticky}/api/v1/authorize?redirect=${encodeURIComponent(`${service}/table?a=b`)}`);
    await page.locator("input:focus").waitFor();
    await keyboard.type("bob");
    await keyboard.press("Tab");
    await keyboard.type(PASSWORDS.bob);
    await keyboard.press("Enter");
    await heading(page, "The service");
    const { origin, pathname, searchParams } = new URL(page.url());
    assert.equal(origin + pathname, `${service}/table`);
    assert.equal(searchParams.get("a"), "b");
    assert.match(searchParams.get("middle_auth_token") ?? "", TOKEN);
    assert.equal(searchParams.get("middle_auth_url"), `${new URL(cave).host}/sticky_auth`);
    const cookie = (await page.context().cookies(sticky)).find(({ name }) => name === "cave_session");
    assert.deepEqual([cookie?.path, cookie?.httpOnly, cookie?.sameSite], ["/sticky_auth", true, "Lax"]);
    // A service on this host does not get the cookie.
    assert.deepEqual(
      (await page.context().cookies(`${cave}/annotation/`)).filter(({ name }) => name === "cave_session"),
      [],
    );
    await page.goto(`${sticky}/api/v1/authorize`);
    await page.getByText("Your browser runs no scripts here").waitFor();
  });

  test("through a login at a provider that sends the browser back to another host of ours", async () => {
    const page = await newPage({ viewport: PHONE });
    await page.goto(`${sticky}/api/v1/authorize?redirect=${encodeURIComponent(`${service}/table`)}`);
    await look(page, "login-phone");
    await page.getByRole("link", { name: "lab" }).click();
    await submitLogin(page);
    await heading(page, "The service");
    assert.match(new URL(page.url()).searchParams.get("middle_auth_token") ?? "", TOKEN);
    const names = (await page.context().cookies()).map(({ name }) => name);
    assert.ok(names.includes("cave_session"));
    assert.ok(!names.includes("tiled_session"), "the account is not logged in");
  });

  test("a viewer's popup gets its token through a login at a provider, too", async () => {
    const page = await newPage();
    const popup = await openPopup(page, viewer);
    await popup.getByRole("link", { name: "lab" }).click();
    await submitLogin(popup);
    await heading(popup, "You are logged in");
    const [message] = await messagesOf(page, popup);
    assert.match(message?.data.token ?? "", TOKEN);
  });

  test("an address of another origin is refused before a login, and the page says what to do", async () => {
    const page = await newPage({ viewport: PHONE, colorScheme: "dark" });
    const seen = visited.length;
    await page.goto(`${sticky}/api/v1/authorize?redirect=${encodeURIComponent(`${stranger}/`)}`);
    await heading(page, "This link cannot be followed");
    assert.equal(await page.locator("form").count(), 0);
    await look(page, "refused");
    assert.equal(visited.length, seen);
  });
});
