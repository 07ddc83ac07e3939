/**
 * examples/browser in Chromium, served from another origin, against this server and the real Tiled: a login by device code at
 * a real provider, an array, errors that a person can read, the end of the login. `TILED_AUTH_TEST_SHOTS` names a folder for
 * pictures.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { assertAccessible, startChromium, withoutChromium } from "../support/chromium.ts";
import { temporaryFolder } from "../support/folders.ts";
import { freePort } from "../support/free-port.ts";
import { installedExample } from "../support/installed.ts";
import { startProvider } from "../support/oidc-provider.ts";
import { ADA } from "../support/oidc-provider-pages.ts";
import { startOurs } from "../support/ours.ts";
import { withoutTiled } from "../support/python.ts";
import { submitLogin } from "../support/real-scene.ts";
import { startReference } from "../support/reference.ts";
import { staticSite } from "../support/static-site.ts";
import { PASSWORDS, toy } from "../support/toy.ts";

const TIMEOUT = { timeout: 120_000 };
const SHOTS = process.env["TILED_AUTH_TEST_SHOTS"];
const VARIANTS = [
  { name: "light", colorScheme: "light", viewport: { width: 1100, height: 800 } },
  { name: "phone-dark", colorScheme: "dark", viewport: { width: 360, height: 740 } },
] as const;
/** Two waves of 300 × 400 points, as a file of NumPy. */
const WAVES = (() => {
  const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 300, 400), }".padEnd(117);
  const values = Float64Array.from({ length: 2 * 300 * 400 }, (_, index) => {
    const [x, y] = [index % 400, Math.floor(index / 400)];
    return Math.sin(x / 40) * Math.cos(y / 30) * 2.5;
  });
  return Buffer.concat([
    Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, "latin1"),
    Buffer.from(values.buffer),
  ]);
})();

describe("the example in a browser", { skip: withoutChromium() }, () => {
  let browser: Browser;
  let origin = "";
  const stops: (() => Promise<unknown>)[] = [];
  const cleanup = (stop: () => Promise<unknown>) => void stops.unshift(stop);
  before(async () => {
    browser = await startChromium(cleanup);
    origin = await staticSite(cleanup, await installedExample(cleanup, "browser"));
  });
  after(async () => {
    for (const stop of stops) await stop();
  });

  type Start = typeof startOurs | typeof startReference;

  /** A server whose logins are at a provider. */
  async function withProvider(t: TestContext, start: Start) {
    const last = t.after.bind(t);
    const port = await freePort();
    const routes = `http://127.0.0.1:${port}/api/v1/auth/provider/orcid`;
    const client = {
      id: "tiled",
      secret: "of tests only",
      redirectUris: [`${routes}/code`, `${routes}/device_code`],
    };
    const provider = await startProvider(last, { clients: [client], flavour: "orcid", secretTwice: true });
    const args = {
      audience: "tiled",
      client_id: "tiled",
      client_secret: client.secret,
      well_known_uri: provider.wellKnown,
    };
    const config = toy({
      authentication: {
        providers: [{ provider: "orcid", authenticator: "tiled.authenticators:OIDCAuthenticator", args }],
        tiled_admins: [],
      },
      database: { uri: `sqlite:///${await temporaryFolder(last)}/auth.db`, init_if_not_exists: true },
      allow_origins: [origin],
    });
    return (await start(last, config, { port })).url;
  }

  /** The example in a window of its own, whose picture `look` takes. */
  async function opened(t: TestContext, variant: (typeof VARIANTS)[number] = VARIANTS[0]) {
    const { name, ...options } = variant;
    const window = await browser.newContext(options);
    t.after(() => window.close());
    const page = await window.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(origin);
    const look = async (what: string) => {
      await assertAccessible(page);
      assert.deepEqual(problems, []);
      if (SHOTS !== undefined)
        await page.screenshot({ path: join(SHOTS, `example-${what}-${name}.png`), fullPage: true });
    };
    return { page, look };
  }

  async function connect(page: Page, url: string): Promise<void> {
    await page.getByLabel("Address of the server").fill(url);
    await page.keyboard.press("Enter");
  }

  /** What the page asks for is done in the window that it opens. */
  async function enterCode(page: Page): Promise<void> {
    const opening = page.waitForEvent("popup");
    await page.getByRole("link", { name: "Open the login page" }).click();
    const other = await opening;
    const code = (await page.locator("#user-code").textContent()) ?? "";
    const field = other.locator("input[name=user_code]");
    await other.getByRole("heading").first().waitFor();
    if ((await field.count()) === 0) await submitLogin(other);
    await field.fill(code);
    await field.press("Enter");
    await page.getByRole("heading", { name: ADA.id }).waitFor();
    await other.close();
  }

  for (const [server, start] of [
    ["ours", startOurs],
    ["the real Tiled", startReference],
  ] as const)
    describe(`against ${server}`, { skip: start === startReference && withoutTiled() }, () => {
      for (const variant of VARIANTS)
        test(`a login by device code, an array, the end: ${variant.name}`, TIMEOUT, async (t) => {
          const url = await withProvider(t, start);
          const { page, look } = await opened(t, variant);
          await look("connect");
          await connect(page, url);
          await page.getByRole("button", { name: "Log in with orcid" }).waitFor();
          await look("login");
          await page.getByRole("button", { name: "Log in with orcid" }).click();
          await page.getByText(/^Expires in 1[45]:\d\d\.$/).waitFor();
          await look("code");
          await enterCode(page);
          assert.equal(await page.getByLabel("Array").inputValue(), "A");
          await page.keyboard.press("Tab");
          await page.getByLabel("Array").press("Enter");
          await page.getByText("100 × 100 values, from 1 to 1").waitFor();
          assert.equal(await page.getByRole("cell").count(), 16);
          await look("array");
          await page.getByRole("button", { name: "Log out" }).click();
          await page.getByRole("button", { name: "Log in with orcid" }).waitFor();
        });
    });

  test("a login that is cancelled, and one that ends while the page is open", TIMEOUT, async (t) => {
    const url = await withProvider(t, startOurs);
    const { page } = await opened(t);
    const sent = page.waitForRequest((request) => request.url().endsWith("/whoami"));
    await connect(page, url);
    await page.getByRole("button", { name: "Log in with orcid" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Log in with orcid" }).click();
    await enterCode(page);
    const headers = { authorization: (await (await sent).headerValue("authorization")) ?? "" };
    const whoami = await fetch(`${url}/api/v1/auth/whoami`, { headers });
    const { sessions } = (await whoami.json()) as { readonly sessions: readonly { readonly uuid: string }[] };
    await fetch(`${url}/api/v1/auth/session/revoke/${sessions[0]?.uuid}`, { method: "DELETE", headers });
    await page.getByLabel("Array").fill("B");
    await page.keyboard.press("Enter");
    await enterCode(page);
    await page.getByText("100 × 100 values").waitFor();
    assert.equal(await page.getByRole("alert").textContent(), "");
  });

  for (const variant of VARIANTS)
    test(`passwords, pictures and errors: ${variant.name}`, TIMEOUT, async (t) => {
      const last = t.after.bind(t);
      const directory = await temporaryFolder(last);
      await writeFile(join(directory, "waves.npy"), WAVES);
      const trees = [
        { path: "/lab", tree: "files", args: { directory } },
        { path: "/example", tree: "tiled.examples.generated:tree" },
      ];
      const { url } = await startOurs(last, toy({ trees, allow_origins: [origin] }));
      const { page, look } = await opened(t, variant);
      const alert = (text: RegExp) => page.getByRole("alert").filter({ hasText: text }).waitFor();
      await connect(page, url);
      await page.getByLabel("User name").fill("bob");
      await page.getByLabel("Password").fill("wrong");
      await page.keyboard.press("Enter");
      await alert(/incorrect username or password/i);
      await look("refused");
      await page.getByLabel("Password").fill(PASSWORDS.bob);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "bob" }).waitFor();
      const read = async (path: string) => {
        await page.getByLabel("Array").fill(path);
        await page.getByRole("button", { name: "Read" }).click();
      };
      await read("lab/nowhere");
      await alert(/no such entry/i);
      await look("missing");
      await read("/example/tables/");
      await alert(/is not an array, but a container/);
      for (const [path, text] of [
        ["lab/waves", "2 × 300 × 400 values, from -2.5 to 2.5"],
        ["example/flat_array", "100 values, from"],
        ["example/scalars/pi", "One value, from 3.14"],
      ] as const) {
        await read(path);
        await page.getByText(text).waitFor();
        await look(path.split("/").at(-1) ?? "");
      }
      assert.equal(await page.getByRole("alert").textContent(), "");
    });

  test("a server that is away, and one that does not know the page", TIMEOUT, async (t) => {
    const last = t.after.bind(t);
    const { page, look } = await opened(t, VARIANTS[1]);
    const { url } = await startOurs(last, toy());
    for (const address of [`http://127.0.0.1:${await freePort()}`, url]) {
      await connect(page, address);
      const problem = page.getByRole("alert").filter({ hasText: `allow_origins must contain ${origin}` });
      await problem.waitFor();
      await look("unreachable");
    }
  });
});
