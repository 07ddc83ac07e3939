/**
 * Every page of the product in a real browser, light and dark, on a desktop and on a phone: no finding of axe-core, nothing
 * wider than the window, nothing that the policy has to stop. In CI and for pictures (`TILED_AUTH_TEST_SHOTS` names their
 * folder) each of the four pairs is looked at, else two that have all in them.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { Authenticator } from "../../src/domain/ports/authenticator.ts";
import { PASSWORDS, type TestApp, testApp, toy } from "../support/app.ts";
import { assertAccessible, startChromium, withoutChromium } from "../support/chromium.ts";
import { freePort } from "../support/free-port.ts";
import { localAccounts } from "../support/local-accounts.ts";
import { ScriptedProvider } from "../support/scripted-provider.ts";

const SHOTS = process.env["TILED_AUTH_TEST_SHOTS"];
const DESKTOP = { width: 1100, height: 800 };
const PHONE = { width: 360, height: 740 };
const TWO = [
  { name: "light", colorScheme: "light", viewport: DESKTOP },
  { name: "phone-dark", colorScheme: "dark", viewport: PHONE },
] as const;
const VARIANTS =
  SHOTS === undefined && process.env["CI"] === undefined
    ? TWO
    : ([
        ...TWO,
        { name: "dark", colorScheme: "dark", viewport: DESKTOP },
        { name: "phone", colorScheme: "light", viewport: PHONE },
      ] as const);

type Look = (what: string, heading: string | RegExp) => Promise<void>;

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0";

describe("every page", { skip: withoutChromium() }, () => {
  const orcid = new ScriptedProvider();
  let browser: Browser;
  let t: TestApp;
  let url: string;
  let choosing: TestApp;
  let single: TestApp;
  let cave: TestApp;
  const closers: (() => Promise<unknown>)[] = [];

  before(async () => {
    browser = await startChromium((close) => closers.push(close));
    const start = async (options: Parameters<typeof testApp>[0], port = 0) => {
      const started = await testApp(options);
      closers.push(() => started.close());
      await started.app.listen({ port, host: "127.0.0.1" });
      return started;
    };
    const authenticators: [string, Authenticator][] = [
      ["toy", toy()],
      ["orcid", orcid],
    ];
    t = await start({ authenticators: new Map(authenticators) });
    url = t.app.listeningOrigin;
    choosing = await start({
      authenticators: new Map([["institute", toy()], ["beamline", toy()], ...authenticators]),
    });
    single = await start({ providers: false });
    const port = await freePort();
    cave = await start(
      {
        authenticators: new Map([...authenticators, ["institute", toy()]]),
        authentication: { apiKeyLimit: 4 },
        cave: { ...CAVE, serverAddress: `http://127.0.0.1:${port}` },
      },
      port,
    );
    await fillAccount(t);
  });
  after(async () => {
    for (const close of closers) await close();
  });

  /** Opens a page in a window of its own, goes through `tour`, and closes it. */
  async function tour(
    { name: variant, ...settings }: (typeof VARIANTS)[number],
    first: number,
    tour: (page: Page, look: Look, variant: string) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext(settings);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      // That a page has a status of its own is no complaint.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        complaints.push(message.text());
    });
    await page.route("https://provider.example/**", async (route) => {
      const location = orcid.signIn(route.request().url(), `0000-0001-${variant}`);
      await route.fulfill({ status: 302, headers: { location } });
    });
    let count = first;
    const look: Look = async (what, heading) => {
      await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      count += 1;
      const file = `${String(count).padStart(2, "0")}-${what}-${variant}.png`;
      if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, file), fullPage: true });
      await assertAccessible(page);
    };
    await tour(page, look, variant);
    assert.deepEqual(complaints, []);
    await context.close();
  }

  for (const variant of VARIANTS) {
    test(variant.name, () => tour(variant, 0, ordinaryPages));
    test(`${variant.name}, CAVE`, () => tour(variant, 50, cavePages));
    test(`${variant.name}, own accounts`, () => tour(variant, 80, ownAccountPages));
  }

  async function ordinaryPages(page: Page, look: Look, variant: string): Promise<void> {
    await page.goto(single.app.listeningOrigin);
    await look("landing-single-user", "Tiled");
    await page.goto(url);
    await look("landing", "Tiled");
    await page.goto(`${url}/docs`);
    await look("docs", "API documentation");
    await page.goto(`${url}/nothing-here`);
    await look("not-found", "Page not found");

    await page.goto(`${choosing.app.listeningOrigin}/login`);
    await look("login-choose", "Log in to Tiled");
    await page.getByRole("link", { name: "beamline" }).click();
    await look("login-chosen", "Log in to Tiled");
    await page.goto(`${url}/account`);
    await look("login", "Log in to Tiled");
    await page.getByLabel("User name").fill("alice");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    await look("login-wrong", "Log in to Tiled");
    await page.context().clearCookies({ name: "tiled_browser" });
    await page.getByLabel("Password").fill(PASSWORDS.alice);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("was open for too long").waitFor();
    await look("login-outdated", "Log in to Tiled");
    await page.getByLabel("Password").fill(PASSWORDS.alice);
    await page.getByRole("button", { name: "Log in" }).click();

    await look("account", "Your account");
    for (const summary of await page.locator("summary").all()) await summary.click();
    await look("account-open", "Your account");
    await page.getByLabel("What is it for?").fill("My laptop");
    await page.getByRole("button", { name: "Create key" }).click();
    await look("new-key", "Your new key");
    await page.goto(`${url}/account`);
    await page.getByText("Create a new key").click();
    await page.getByLabel("read:data").uncheck();
    await page.getByLabel("read:metadata").uncheck();
    await page.getByRole("button", { name: "Create key" }).click();
    await page.getByRole("alert").waitFor();
    await look("account-key-problem", "Your account");

    await page.goto(`${url}/account/identities/add/toy`);
    await look("link-password", "Add toy to your account");
    await page.getByLabel("User name").fill("bob");
    await page.getByLabel("Password").fill(PASSWORDS.bob);
    await page.getByRole("button", { name: "Add" }).click();
    await look("link-taken", "This identity belongs to another account");
    await page.goto(`${url}/account/identities/add/orcid`);
    await look("link", "Add orcid to your account");
    await page.getByRole("button", { name: "Continue to orcid" }).click();
    await page.getByRole("status").waitFor();
    await look("account-linked", "Your account");
    await page.locator("summary", { hasText: `Remove 0000-0001-${variant}` }).click();
    await page.getByRole("button", { name: `Remove 0000-0001-${variant}` }).click();
    await page.getByText("The identity is removed").waitFor();
    await page.goto(`${url}/login?again=1&next=/account`);
    await look("login-again", "Log in again");

    await page.goto(`${url}/account`);
    await page.evaluate("document.querySelector('input[name=token]').value = 'x'");
    await page.getByRole("button", { name: "Log out", exact: true }).first().click();
    await look("csrf", "This form is no longer valid");
    await page.goto(`${url}/logout`);
    await look("logout", "Log out?");
    await page.getByRole("button", { name: "Log out" }).click();
    await look("logged-out", "Logged out");

    await devicePages(page, look);
  }

  async function ownAccountPages(page: Page, look: Look): Promise<void> {
    const own = await localAccounts({}, [["orcid", orcid]]);
    closers.push(() => own.app.close());
    await own.app.app.listen({ port: 0, host: "127.0.0.1" });
    const at = own.app.app.listeningOrigin;
    const invitation = await own.link("bob", "reset");
    await page.goto(`${at}${(await own.link("ada", "reset")).path}`);
    await look("new-password", "Choose a new password");
    const fill = async (text: string, again = text) => {
      await page.getByLabel("New password", { exact: true }).fill(text);
      await page.getByLabel("New password again").fill(again);
      await page.getByLabel("New password again").press("Enter");
    };
    await fill("password1234567");
    await page.getByRole("alert").waitFor();
    await look("new-password-refused", "Choose a new password");
    await fill("a wholly different sentence");
    await look("new-password-set", "Your account");
    await page.goto(`${at}${invitation.path.slice(0, -1)}`);
    await look("link-over", /./);
  }

  async function devicePages(page: Page, look: Look): Promise<void> {
    const authorize = `${url}/api/v1/auth/provider/orcid/authorize`;
    const begin = async () => {
      const headers = { "user-agent": "python-tiled/0.2.20" };
      const response = await fetch(authorize, { method: "POST", headers });
      return (await response.json()) as { authorization_uri: string; user_code: string };
    };
    const first = await begin();
    await page.goto(orcid.signIn(first.authorization_uri, "0000-0002"));
    await look("device-form", "Let a program log in as you?");
    const field = page.getByLabel("The code that your program shows");
    await field.fill("2222-2222");
    await field.press("Enter");
    await page.getByRole("alert").waitFor();
    await look("device-wrong", "Let a program log in as you?");
    await field.fill(first.user_code);
    await field.press("Enter");
    await look("device-done", "Done");
    const second = await begin();
    await page.goto(orcid.signIn(second.authorization_uri, "0000-0002"));
    await page.getByRole("button", { name: "Cancel" }).click();
    await look("device-cancelled", "Cancelled");
    const third = await begin();
    await page.goto(orcid.deny(third.authorization_uri));
    await look("device-denied", "orcid did not log you in");
    await page.goto(`${url}/api/v1/auth/provider/orcid/code?code=x&state=y`);
    await look("login-over", /ended|another browser/);
    orcid.trouble = "gateway_timeout";
    await page.goto(`${authorize}?next=/account`);
    await look("provider-silent", "orcid is not responding");
    orcid.trouble = null;
  }

  async function cavePages(page: Page, look: Look, variant: string): Promise<void> {
    const sticky = `${cave.app.listeningOrigin}/sticky_auth`;
    const { id } = CAVE.tos.find(({ name }) => name === variant) ?? { id: 0 };
    const terms = `${sticky}/api/v1/tos/${id}/accept`;
    const heading = `Terms of service: ${variant}`;
    const fill = async (description: string) => {
      await page.getByLabel("What is it for?").fill(description);
      await page.getByRole("button", { name: "Create token" }).click();
    };
    await page.goto(`${sticky}/api/v1/authorize?redirect=https://evil.example/`);
    await look("cave-refused", "This link cannot be followed");
    await page.goto(`${sticky}/api/v1/authorize?redirect=${VIEWER}/`);
    await look("cave-login-for-viewer", "Log in to Tiled");
    await page.goto(`${cave.app.listeningOrigin}/auth/api/v1/create_token`);
    await look("cave-login", "Log in to Tiled");
    const form = page.locator("form", { hasText: "Password" }).first();
    await form.getByLabel("User name").fill("bob");
    await form.getByLabel("Password").fill("wrong");
    await form.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    await look("cave-login-wrong", "Log in to Tiled");
    await form.getByLabel("Password").fill(PASSWORDS.bob);
    await form.getByRole("button", { name: "Log in" }).click();

    await look("cave-tokens-empty", "Your CAVE tokens");
    await fill("My laptop");
    await look("cave-new-token", "Your new token");
    await page.getByRole("button", { name: "Copy the token" }).click();
    await page.getByRole("status").getByText(/./).waitFor();
    await look("cave-new-token-copied", "Your new token");
    for (const description of ["", `A description without a space: ${"x".repeat(80)}`, "Workstation"]) {
      await page.goto(`${sticky}/settings/tokens`);
      await fill(description);
      await page.getByRole("heading", { name: "Your new token" }).waitFor();
    }
    await page.reload();
    await page.getByRole("alert").waitFor();
    await look("cave-token-repeated", "Your CAVE tokens");
    await page.goto(`${sticky}/settings/tokens`);
    await page.locator("summary").first().click();
    await look("cave-tokens", "Your CAVE tokens");
    await fill("One too many");
    await page.getByRole("alert").waitFor();
    await look("cave-token-limit", "Your CAVE tokens");
    while ((await page.locator("summary").count()) > 0) {
      await page.locator("summary").first().click();
      await page.locator("button.danger").first().click();
      await page.getByRole("status").waitFor();
    }
    await look("cave-tokens-revoked", "Your CAVE tokens");

    await page.goto(`${terms}?redirect=${VIEWER}/`);
    await look("cave-terms", heading);
    await page.evaluate("document.querySelector('input[type=checkbox]').required = false");
    await page.getByRole("button", { name: "Accept" }).click();
    await page.getByRole("alert").waitFor();
    await look("cave-terms-unticked", heading);
    await page.goto(terms);
    await page.getByRole("checkbox").check();
    await page.getByRole("button", { name: "Accept" }).click();
    await look("cave-terms-thanks", "Thank you");
    await page.goto(terms);
    await look("cave-terms-accepted", heading);
    await page.goto(`${sticky}/api/v1/tos/99/accept`);
    await look("cave-terms-unknown", "Page not found");

    await page.goto(`${sticky}/api/v1/authorize`);
    await look("cave-hand-over", "You are logged in");
    await page.goto(`${sticky}/api/v1/logout`);
    await look("cave-logout", "Log out?");
    await page.getByRole("button", { name: "Log out" }).click();
    await look("cave-logged-out", "Logged out");
    await page.goto(`${cave.app.listeningOrigin}/login?provider=toy&next=/account`);
    await page.getByLabel("User name").fill("bob");
    await page.getByLabel("Password").fill(PASSWORDS.bob);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Create a new key").click();
    await look("cave-account", "Your account");
  }
});

const VIEWER = "https://viewer.example";
/** The text is that of an operator who wraps lines, and lists points. */
const TERMS = `These terms apply to everyone who works with the data set minnie,
whether in the viewer or by a program.

You may:

- look at the data, and share links to what you see
- publish results, if you cite the data set

You may not give the data to others. A long address, which has to fit a telephone, is https://www.example.org/terms-of-service/of-the-data-set/and-all-that-belongs-to-it.`;
/** Each variant accepts its own. */
const CAVE = {
  origins: [VIEWER],
  tos: VARIANTS.map(({ name }, index) => ({ id: index + 1, name, text: TERMS })),
};

/** Sessions and keys to look at, and a person with an account. */
async function fillAccount(t: TestApp): Promise<void> {
  const credentials = { username: "alice", password: PASSWORDS.alice };
  for (const userAgent of ["python-tiled/0.2.20", FIREFOX]) {
    await t.form("/api/v1/auth/provider/toy/token", credentials, {
      headers: { "user-agent": userAgent },
      remoteAddress: "2001:db8:1234:5678:9abc:def0:1234:5678",
    });
  }
  const { access_token } = await t.login("alice");
  await t.makeKey(access_token, { note: "Beamline 7, detector", scopes: ["read:data"], expires_in: 86_400 });
  await t.makeKey(access_token, { note: `A note without a space: ${"x".repeat(200)}` });
  await t.login("bob");
  t.clock.advance(200);
}
