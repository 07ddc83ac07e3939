/** A person at CAVE's pages in Chromium: what they type and press, by the words on the page. */
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { CAVE_PASSWORDS, type CaveUser } from "./cave-deployment.ts";

/** A browser of its own, without a login. Its certificate authorities do not include the tests' own. */
export async function caveBrowser(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(60_000);
  return context.newPage();
}

/** Fills in the login form that is open. */
export async function logIn(
  page: Page,
  user: CaveUser,
  password: string = CAVE_PASSWORDS[user],
): Promise<void> {
  await page.locator('input[name="username"]').fill(user);
  await page.locator('input[name="password"]').fill(password);
  await page.locator('form:has(input[name="password"]) button[type="submit"]').click();
}

/** On the tokens page; the new token, as it is shown. */
export async function createToken(page: Page, description: string): Promise<string> {
  await page.locator('input[name="description"]').fill(description);
  await page.getByRole("button", { name: "Create token" }).click();
  const token = await page.locator("code#token").textContent();
  assert.match(token ?? "", /^[0-9a-f]{32}$/);
  return token ?? "";
}

/** Of a person who logs in for it, in a browser of their own. */
export async function tokenOf(browser: Browser, server: string, user: CaveUser): Promise<string> {
  const page = await caveBrowser(browser);
  await page.goto(`${server}/auth/api/v1/create_token`);
  await logIn(page, user);
  const token = await createToken(page, `of ${user}`);
  await page.context().close();
  return token;
}
