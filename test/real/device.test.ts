/**
 * The tutorial, with nothing of it replaced: the real Python client, a real OpenID Connect provider, a real browser, and
 * our server in a process of its own.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertAccessible, withoutChromium } from "../support/chromium.ts";
import { deviceProgram, withoutClient } from "../support/device-program.ts";
import type { RealProvider } from "../support/oidc-provider.ts";
import { ADA, GRACE } from "../support/oidc-provider-pages.ts";
import { client, withoutTiled } from "../support/python.ts";
import { realScene, typeCode, visit } from "../support/real-scene.ts";

const TIMEOUT = { timeout: 180_000 };
const NODES = ["A", "B", "C", "D"];

describe("a device login", { skip: withoutTiled() || withoutChromium() }, () => {
  test("the tutorial: login, a wrong code first, the next process, logout", TIMEOUT, async (t) => {
    const { url, browser, env } = await realScene(t);
    const program = deviceProgram(t.after.bind(t), url, env);
    const prompt = await program.prompt();
    assert.match(prompt.userCode, /^[0-9A-F]{4}-[0-9A-F]{4}$/);
    const page = await visit(browser, prompt.url);
    await page.getByText(`You are signed in as ${ADA.id} with orcid.`).waitFor();
    await page.getByText(/^Tiled for Python 0\.2\.20$/).waitFor();
    await assertAccessible(page);

    await typeCode(page, "2222-2222");
    await page.getByRole("alert").waitFor();
    await assertAccessible(page);
    await typeCode(page, prompt.userCode.toLowerCase().replace("-", ""));
    await page.getByText("Return to your program.").waitFor();
    await assertAccessible(page);

    const { report, printed } = await program.end();
    assert.deepEqual(report, { identities: [["orcid", ADA.id]], nodes: NODES });
    assert.ok(printed.includes(`You have logged in with ORCID as ${ADA.id}.`), printed);

    const automatic = (await client("automatic", [url], [], env)) as { whoami: { identities: unknown[] } };
    assert.equal(automatic.whoami.identities.length, 1);
    const logout = (await client("logout", [url], [], env)) as { authenticated: boolean; automatic: boolean };
    assert.deepEqual([logout.authenticated, logout.automatic], [false, false]);
  });

  test("denied consent, and a login that is cancelled: the program learns it at once", TIMEOUT, async (t) => {
    const { url, browser, env } = await realScene(t, { consent: true });
    const denied = deviceProgram(t.after.bind(t), url, env);
    const page = await visit(browser, (await denied.prompt()).url);
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByRole("heading", { name: "orcid did not log you in" }).waitFor();
    await assertAccessible(page);
    const { report } = await denied.end();
    assert.deepEqual([report["raised"], /access_denied/.test(String(report["text"]))], ["ClientError", true]);

    const cancelled = deviceProgram(t.after.bind(t), url, env);
    const other = await visit(browser, (await cancelled.prompt()).url);
    await other.getByRole("button", { name: "Allow" }).click();
    await other.getByRole("button", { name: "Cancel" }).click();
    await other.getByRole("heading", { name: "Cancelled" }).waitFor();
    await assertAccessible(other);
    assert.match(String((await cancelled.end()).report["text"]), /cancelled in the browser/);
  });

  test("shaped like Google: the verified address is the person's name", TIMEOUT, async (t) => {
    const args = { user_id_claim: "email", confirmation_message: "Hello {id}." };
    const { url, browser, env } = await realScene(t, { flavour: "google" }, { args });
    const program = deviceProgram(t.after.bind(t), url, env);
    const prompt = await program.prompt();
    const page = await visit(browser, prompt.url, GRACE);
    await page.getByText("You are signed in as grace@lab.example with orcid.").waitFor();
    await typeCode(page, prompt.userCode);
    const { report, printed } = await program.end();
    assert.deepEqual(report["identities"], [["orcid", "grace@lab.example"]]);
    assert.ok(printed.includes("Hello grace@lab.example."), printed);
  });

  test("the first generation of args, a key without its algorithm", TIMEOUT, async (t) => {
    const args = (_url: string, { url, key }: RealProvider) => {
      const { alg, ...bare } = key.publicJwk;
      return {
        well_known_uri: undefined,
        token_uri: `${url}/token`,
        authorization_endpoint: `${url}/auth`,
        public_keys: [bare],
      };
    };
    const { url, browser, env } = await realScene(t, {}, { args });
    const program = deviceProgram(t.after.bind(t), url, env);
    const prompt = await program.prompt();
    await typeCode(await visit(browser, prompt.url), prompt.userCode);
    const { report } = await program.end();
    assert.deepEqual(report, { identities: [["orcid", ADA.id]], nodes: NODES });
  });

  for (const version of ["0.1.6", "0.2.9", "0.2.14"]) {
    test(`the client ${version}`, { ...TIMEOUT, skip: withoutClient(version) }, async (t) => {
      const { url, browser, env } = await realScene(t);
      const program = deviceProgram(t.after.bind(t), url, env, version);
      const prompt = await program.prompt();
      const page = await visit(browser, prompt.url);
      await page.getByText(`Tiled for Python ${version}`).waitFor();
      await typeCode(page, prompt.userCode);
      await page.getByText("Return to your program.").waitFor();
      const { report, printed } = await program.end();
      assert.deepEqual(report["identities"], [["orcid", ADA.id]]);
      assert.ok(printed.includes(`You have logged in with ORCID as ${ADA.id}.`), printed);
    });
  }
});
