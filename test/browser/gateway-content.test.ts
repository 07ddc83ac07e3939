/**
 * A document that is stored in the server behind, opened in a real browser by an administrator who is logged in: its script
 * runs, and has nothing of theirs.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { PASSWORDS } from "../support/app.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import { startBoth } from "../support/upstream.ts";

const SKIP = { skip: withoutChromium() };

/** What an attacker would try, each with what came of it. */
const EVIL = `
const tries = {
  account: async () => (await fetch("/account", { credentials: "include" })).text(),
  whoami: async () => (await fetch("/api/v1/auth/whoami", { credentials: "include" })).text(),
  frame: async () => {
    if (document.contentType === "image/svg+xml") throw new TypeError("It has no frames.");
    const frame = document.createElement("iframe");
    frame.src = "/ui/plain.html";
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    document.documentElement.append(frame);
    await loaded;
    return frame.contentDocument.documentElement.outerHTML;
  },
  storage: async () => String(localStorage.length),
  cookie: async () => \`cookie \${document.cookie}\`,
  worker: async () => String(await navigator.serviceWorker.register("/api/v1/asset/bytes/worker.js")),
};
window.found = (async () => {
  const found = { origin: self.origin };
  for (const [name, attempt] of Object.entries(tries)) {
    found[name] = await attempt().then((text) => \`got \${text}\`, (error) => \`failed: \${error.name}\`);
  }
  return found;
})();
`;

const DOCUMENTS: Readonly<Record<string, readonly [type: string | null, body: string]>> = {
  "page.html": ["text/html", `<!doctype html><title>x</title><script>${EVIL}</script>`],
  "page.xhtml": [
    "application/xhtml+xml",
    `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><script><![CDATA[${EVIL}]]></script></body></html>`,
  ],
  "drawing.svg": [
    "image/svg+xml",
    `<svg xmlns="http://www.w3.org/2000/svg"><script><![CDATA[${EVIL}]]></script></svg>`,
  ],
  "plain.html": ["text/html", "<!doctype html><title>plain</title>"],
  "worker.js": ["text/javascript", "addEventListener('fetch', () => {})"],
};

async function scene(t: TestContext) {
  // It is closed first, and with it its connections.
  const browser = await startChromium(t.after.bind(t));
  const { upstream, url } = await startBoth((last) => t.after(last));
  upstream.answer = ({ url: target = "" }, response) => {
    const [type, body] = DOCUMENTS[target.split("/").at(-1) ?? ""] ?? [null, ""];
    if (type !== null) response.setHeader("content-type", type);
    response.end(body);
  };
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${url}/login`);
  await page.locator("input[name=username]").fill("alice");
  await page.locator("input[name=password]").fill(PASSWORDS.alice);
  await page.keyboard.press("Enter");
  await page.waitForURL((there) => !there.pathname.startsWith("/login"));
  const tried = async (path: string) => {
    await page.goto(url + path);
    return (await page.evaluate("window.found")) as Record<string, string>;
  };
  return { url, tried };
}

for (const name of ["page.html", "page.xhtml", "drawing.svg"]) {
  test(`${name} in the server behind runs without the login of the person who opens it`, SKIP, async (t) => {
    const { tried } = await scene(t);
    const { origin, ...outcomes } = await tried(`/api/v1/asset/bytes/${name}`);
    assert.equal(origin, "null");
    assert.deepEqual(
      Object.entries(outcomes).filter(([, outcome]) => !outcome.startsWith("failed: ")),
      [],
    );
  });
}

test("a page of the Tiled itself is on our origin, where all of this succeeds", SKIP, async (t) => {
  const { url, tried } = await scene(t);
  const { origin, account = "", frame = "", storage, cookie } = await tried("/ui/page.html");
  assert.equal(origin, url);
  assert.match(account, /^got [\s\S]*alice/);
  assert.match(frame, /^got .*plain/);
  assert.match(`${storage} ${cookie}`, /^got \d+ got cookie/);
});
