/**
 * Tiled's own web interface, served by the real Tiled behind our gateway, in a real browser.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { behind, serve } from "../support/behind.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import { ADA } from "../support/oidc-provider-pages.ts";
import { withoutTiled } from "../support/python.ts";
import { realScene } from "../support/real-scene.ts";
import { startReference } from "../support/reference.ts";
import { PASSWORDS } from "../support/toy.ts";

const TIMEOUT = { timeout: 300_000 };

describe("Tiled's web interface", { skip: withoutTiled() || withoutChromium() }, () => {
  /** What the browser asked for, and that all of it came from here. */
  function watch(page: Page, url: string): () => void {
    const wrong: string[] = [];
    page.on("response", (response) => {
      if (response.status() >= 500 || !/^(?:data|blob):/.test(response.url().replace(url, "data:")))
        wrong.push(`${response.status()} ${response.url()}`);
    });
    return () => assert.deepEqual(wrong, []);
  }

  /** The list, and an array as an image, drawn from its bytes. */
  async function showsData(page: Page, who: string): Promise<void> {
    await page.getByRole("button", { name: who }).waitFor();
    const bytes = page.waitForResponse((response) => response.url().includes("/api/v1/array/full/A"));
    await page.getByRole("gridcell", { name: "A", exact: true }).click();
    assert.equal((await bytes).status(), 200);
    await page.getByText("Colormap").first().waitFor();
  }

  test("shows its login, takes a password, and shows data, all through the gateway", TIMEOUT, async (t) => {
    const { front } = await serve(t, behind());
    const browser = await startChromium(t.after.bind(t));
    const page = await (await browser.newContext()).newPage();
    const allFromHere = watch(page, front.url);
    await page.goto(`${front.url}/ui`);
    await page.getByText("Log in", { exact: true }).click();
    await page.getByLabel("Username").fill("alice");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log In" }).click();
    await page.getByText("Incorrect username or password").waitFor();
    await page.getByLabel("Password").fill(PASSWORDS.alice);
    await page.getByRole("button", { name: "Log In" }).click();
    await showsData(page, "alice");
    allFromHere();
  });

  test("logs in at another site where tokens_in_redirect says so", TIMEOUT, async (t) => {
    const provider = {
      provider: "orcid",
      authenticator: "tiled.authenticators:DictionaryAuthenticator",
      args: { users_to_passwords: {} },
    };
    const real = await startReference(
      t.after.bind(t),
      behind({}, { secret_keys: ["of tests only"], providers: [provider] }),
    );
    const { url, browser } = await realScene(
      t,
      {},
      {
        args: (url) => ({ redirect_on_success: `${url}/ui/auth-callback`, tokens_in_redirect: true }),
        sections: { trees: [{ path: "/", upstream: real.url }] },
      },
    );
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${url}/ui/login`);
    await page.getByRole("button", { name: "Log in with Orcid" }).click();
    await page.getByLabel("User name").fill(ADA.username);
    await page.getByLabel("Password").fill(ADA.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(/\/ui\//);
    await showsData(page, ADA.id);
  });
});
