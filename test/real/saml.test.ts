/** Logins at real SAML providers, with the real Python client and a real browser: nothing is replaced. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { withoutChromium } from "../support/chromium.ts";
import { deviceProgram } from "../support/device-program.ts";
import { freePort } from "../support/free-port.ts";
import { withoutTiled } from "../support/python.ts";
import { serve, typeCode } from "../support/real-scene.ts";
import { IDP_CERT } from "../support/saml-keys.ts";
import { startSimpleSamlPhp, withoutSimpleSamlPhp } from "../support/simplesamlphp.ts";

const SP = "https://tiled.lab.example";
const NODES = ["A", "B", "C", "D"];
const TIMEOUT = { timeout: 180_000 };

describe("SimpleSAMLphp", { skip: withoutSimpleSamlPhp() || withoutChromium() }, () => {
  async function scene(t: TestContext) {
    const cleanup = t.after.bind(t);
    const port = await freePort();
    const acsUrl = `http://127.0.0.1:${port}/api/v1/auth/provider/lab/code`;
    const idp = await startSimpleSamlPhp(cleanup, await freePort(), { acsUrl, sp: SP });
    const saml_settings = {
      idp: { entityId: idp.entityId, singleSignOnService: { url: idp.ssoUrl }, x509cert: IDP_CERT },
      sp: { entityId: SP, assertionConsumerService: { url: acsUrl } },
    };
    const args = { saml_settings, attribute_name: "uid", confirmation_message: "Hello, {id}." };
    const authenticator = "tiled.authenticators:SAMLAuthenticator";
    return await serve(cleanup, port, { provider: { provider: "lab", authenticator, args } });
  }

  test("a browser logs in", TIMEOUT, async (t) => {
    const { url, browser } = await scene(t);
    const page = await browser.newPage();
    await page.goto(`${url}/login`);
    await page.getByRole("link", { name: "lab" }).click();
    await page.locator("input[name=username]").fill("ada");
    await page.locator("input[name=password]").fill("ada-secret");
    await page.locator("input[name=password]").press("Enter");
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    assert.match(
      await page.locator("main").innerText(),
      /logged in as Ada L\. \(ada, ada@lab\.org\) with lab/,
    );
  });

  test("the real Python client logs in", { ...TIMEOUT, skip: withoutTiled() }, async (t) => {
    const { url, browser, env } = await scene(t);
    const running = deviceProgram(t.after.bind(t), url, env);
    const prompt = await running.prompt();
    const page = await browser.newPage();
    await page.goto(prompt.url);
    await page.locator("input[name=username]").fill("ada");
    await page.locator("input[name=password]").fill("ada-secret");
    await page.locator("input[name=password]").press("Enter");
    await page.getByText("You are signed in as ada with lab.").waitFor();
    await typeCode(page, prompt.userCode);
    await page.getByText("Return to your program.").waitFor();
    const { report, printed } = await running.end();
    assert.deepEqual(report, { identities: [["lab", "ada"]], nodes: NODES });
    assert.ok(printed.includes("Hello, ada."), printed);
  });
});
