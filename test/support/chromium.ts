/**
 * Chromium without a window (`TILED_AUTH_TEST_CHROMIUM`, else /usr/bin/chromium), and what every page of ours is held to
 * in it. Where there is none the tests that need it are skipped and say so; in CI they fail.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Cleanup } from "./folders.ts";

const EXECUTABLE = process.env["TILED_AUTH_TEST_CHROMIUM"] ?? "/usr/bin/chromium";

/** What a suite passes as `skip`: false where there is a browser, else the reason. */
export function withoutChromium(): string | false {
  if (existsSync(EXECUTABLE)) return false;
  const reason = `there is no browser at ${EXECUTABLE}: install chromium, or set TILED_AUTH_TEST_CHROMIUM`;
  if (process.env["CI"]) throw new Error(reason);
  return reason;
}

export async function startChromium(cleanup: Cleanup): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  cleanup(() => browser.close());
  return browser;
}

/** No finding of axe-core, nothing wider than the window, and with the keyboard alone one gets everywhere. */
export async function assertAccessible(page: Page): Promise<void> {
  // Colours are looked at once the stylesheet is there.
  await page.waitForLoadState("networkidle");
  const { violations } = await new AxeBuilder({ page }).analyze();
  const findings = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(findings, [], page.url());
  const wide = await page.evaluate("document.documentElement.scrollWidth > window.innerWidth");
  assert.equal(wide, false, `${page.url()} is wider than the window`);
}
