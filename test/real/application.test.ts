/**
 * An application of its own origin that logs people in by a redirect, with PKCE, in a real browser: the one-time code is
 * exchanged by a script of the application's page, which the browser lets send our cookie along.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { withoutChromium } from "../support/chromium.ts";
import { ADA } from "../support/oidc-provider-pages.ts";
import { realScene, visit } from "../support/real-scene.ts";

const VERIFIER = "the-verifier-of-an-application-in-a-test";
/** S256 of the verifier. */
const CHALLENGE = "owuoJIX5Tqgy4pgskf9k0AOne8TJRjMReYx2qBq6SZk";

/** A page whose script exchanges the code from its address, and shows what it got. */
function page(tokenUrl: string, verifier: string): string {
  return `<!doctype html><title>application</title><pre id="result"></pre><script>
const query = new URLSearchParams(location.search);
const body = new URLSearchParams({ grant_type: "authorization_code", code: query.get("code"), code_verifier: "${verifier}" });
const show = (text) => { document.getElementById("result").textContent = text; };
fetch("${tokenUrl}", { method: "POST", body, credentials: "include" })
  .then((response) => response.text()).then(show, (error) => show("failed: " + error));
</script>`;
}

async function application(t: TestContext): Promise<{ url: string; script: (text: string) => void }> {
  let text = "";
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(text);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    script: (page) => {
      text = page;
    },
  };
}

describe("an application of another origin", { skip: withoutChromium() }, () => {
  test("gets tokens for its one-time code, once", { timeout: 120_000 }, async (t) => {
    const app = await application(t);
    const { url, browser } = await realScene(
      t,
      {},
      { args: { redirect_on_success: `${app.url}/cb` }, sections: { allow_origins: [app.url] } },
    );
    const provider = `${url}/api/v1/auth/provider/orcid`;
    app.script(page(`${provider}/token`, VERIFIER));
    const query = new URLSearchParams({
      state: "the application's own",
      code_challenge: CHALLENGE,
      code_challenge_method: "S256",
    });
    const window = await visit(browser, `${provider}/authorize?${query}`);
    await window.waitForURL(`${app.url}/cb?*`);
    const back = new URL(window.url()).searchParams;
    assert.equal(back.get("state"), "the application's own");
    const result = window.locator("#result:not(:empty)");
    const answer = JSON.parse((await result.textContent()) ?? "");
    assert.deepEqual(answer.identity, { id: ADA.id, provider: "orcid" });
    const whoami = await fetch(`${url}/api/v1/auth/whoami`, {
      headers: { authorization: `Bearer ${answer.access_token}` },
    });
    assert.equal(whoami.status, 200);
    await window.reload();
    assert.equal(JSON.parse((await result.textContent()) ?? "").error, "invalid_grant");
    assert.ok(![...back.values()].some((value) => value.includes("eyJ")), "no token in the address");
  });
});
