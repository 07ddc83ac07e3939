/**
 * Providers by their labels and icons, as an operator configures them, on a real server: on the login page in a real browser,
 * in light and dark, wide and narrow; on the other pages; and nowhere in what programs read.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import { OperatorError } from "../../src/errors.ts";
import { configFromObject, startServer } from "../../src/index.ts";
import { assertAccessible, startChromium, withoutChromium } from "../support/chromium.ts";
import { temporaryFolder } from "../support/folders.ts";
import { settings } from "../support/saml-idp.ts";

const SHOTS = process.env["TILED_AUTH_TEST_SHOTS"];
const DRAWING =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>alert(1)</script><circle cx="4" cy="4" r="4" fill="#a6ce39"/></svg>';

function provider(name: string, more: object) {
  return {
    provider: name,
    authenticator: "tiled.authenticators:DictionaryAuthenticator",
    args: { users_to_passwords: { ada: "secret" } },
    ...more,
  };
}

async function server(t: TestContext) {
  const folder = await temporaryFolder((end) => t.after(end));
  const icon = join(folder, "orcid.svg");
  await writeFile(icon, DRAWING);
  const saml = {
    saml_settings: settings("http://127.0.0.1/api/v1/auth/provider/lab/code"),
    attribute_name: "uid",
  };
  const authenticator = "tiled.authenticators:SAMLAuthenticator";
  const config = configFromObject(
    {
      authentication: {
        providers: [
          provider("local", { label: "Beamline 7" }),
          provider("orcid", { label: "ORCID <iD>", icon }),
          provider("lab", { authenticator, args: saml, label: "the institute", icon: "institution" }),
          provider("guests", { label: "a guest account", icon: "key" }),
        ],
        secret_keys: ["a secret key that is long enough for this test"],
      },
      trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
    },
    {},
    { host: "127.0.0.1", port: 0 },
  );
  const started = await startServer(config, { log: pino({ level: "silent" }) });
  t.after(() => started.stop());
  return started.url;
}

test("the login page shows labels and icons, which cannot run script; programs see names", async (t) => {
  const url = await server(t);
  const page = await (
    await fetch(`${url}/login?provider=local`, { headers: { accept: "text/html" } })
  ).text();
  assert.match(page, /Use your <strong>Beamline 7<\/strong> account/);
  assert.match(page, /> Log in with ORCID &lt;iD&gt;<\/a>/);
  assert.match(page, /> Log in with the institute<\/a>/);
  const icons = [...page.matchAll(/<img src="(\/assets\/[^"]*)" alt=""> Log in/g)].map(([, path]) => path);
  assert.equal(icons.length, 3);
  for (const path of icons) {
    const image = await fetch(url + path);
    assert.equal(image.status, 200);
    assert.equal(image.headers.get("content-type"), "image/svg+xml");
    assert.match(String(image.headers.get("content-security-policy")), /default-src 'none'.*sandbox/);
    assert.equal(image.headers.get("x-content-type-options"), "nosniff");
  }
  const about = await (await fetch(`${url}/api/v1/`)).text();
  assert.doesNotMatch(about, /Beamline|ORCID|label|icon/);
  const landing = await (await fetch(url, { headers: { accept: "text/html" } })).text();
  assert.match(landing, /Beamline 7: <code>local<\/code>/);
});

test("an icon that is no image, too large or missing stops the start with its place", async (t) => {
  const folder = await temporaryFolder((end) => t.after(end));
  await writeFile(join(folder, "big.png"), Buffer.alloc(200_000));
  await writeFile(join(folder, "page.html"), "<script>");
  for (const [icon, error] of [
    ["globes", /authentication\.providers\[0\]\.icon: .*image/],
    [join(folder, "page.html"), /not an image/],
    [join(folder, "big.png"), /larger than 128 KiB/],
    [join(folder, "none.png"), /none\.png/],
    ["https://orcid.org/icon.svg", /icon/],
  ] as const) {
    const config = configFromObject(
      {
        authentication: { providers: [provider("local", { icon })] },
        trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
      },
      {},
      { host: "127.0.0.1", port: 0 },
    );
    await assert.rejects(startServer(config, { log: pino({ level: "silent" }) }), (thrown) => {
      assert.ok(thrown instanceof OperatorError, String(thrown));
      assert.match(thrown.message, error);
      return true;
    });
  }
});

test("in a browser", { skip: withoutChromium() }, async (t) => {
  const url = await server(t);
  const browser = await startChromium((close) => t.after(close));
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [name, viewport] of [
      ["desktop", { width: 1100, height: 800 }],
      ["phone", { width: 360, height: 740 }],
    ] as const) {
      const context = await browser.newContext({ colorScheme, viewport });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      await page.goto(`${url}/login?provider=local`);
      await page.getByRole("link", { name: "Log in with ORCID <iD>" }).waitFor();
      const drawn = await page
        .locator(".choices img")
        .evaluateAll((images) =>
          images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth > 0),
        );
      assert.deepEqual(drawn, [true, true, true]);
      await assertAccessible(page);
      if (SHOTS !== undefined) {
        await page.screenshot({ path: join(SHOTS, `labels-${name}-${colorScheme}.png`), fullPage: true });
      }
      assert.deepEqual(complaints, []);
      await context.close();
    }
  }
});
