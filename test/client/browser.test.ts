/** The client library in a real browser, in a page of another origin: a device login, an array, a refresh, a logout. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { build } from "esbuild";
import { Browser } from "../support/browser.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import { scene } from "../support/device-login.ts";

const PAGE = `<!doctype html><title>lab</title><script type="module">
import * as client from "/client.js";
Object.assign(window, { client });
document.title = "ready";
</script>`;

/** What a page's own script does; the shown code is in \`shown\`. */
const LOGIN = `(async (uri) => {
  window.errors = [];
  window.context = await client.fromUri(uri, {
    prompt: (context, _providers, { signal }) =>
      client.deviceCodeGrant(context, {
        provider: "orcid",
        onVerification: (verification) => { window.shown = verification; },
        signal,
      }),
  });
})`;

const READ = `(async () => {
  const response = await context.fetch("array/full/A?format=application/json");
  const [principal, missing] = [await context.whoami(), await context.fetch("auth/principal")];
  return {
    status: response.status,
    length: (await response.json()).length,
    id: principal.identities[0].id,
    missing: missing.status,
    tokens: Object.keys(context.tokens),
  };
})()`;

const REFUSED = `(async () => {
  const { tokens } = context;
  await context.logout();
  const { context: other } = await client.Context.fromAnyUri(context.apiUri);
  await other.configureAuth(tokens);
  return await other.forceAuthRefresh().then(() => "", ({ code, name }) => code + " " + name);
})()`;

/** Another origin. */
async function site(t: TestContext): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ["src/client/index.ts"],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  const script = outputFiles[0]?.text ?? "";
  const server = createServer(({ url }, response) => {
    const [type, body] = url === "/client.js" ? ["text/javascript", script] : ["text/html", PAGE];
    response.writeHead(200, { "content-type": type }).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the client library in a browser", { skip: withoutChromium() }, () => {
  test("a page of another origin logs in with a code and reads an array", { timeout: 120_000 }, async (t) => {
    const origin = await site(t);
    const { t: app, orcid } = await scene({ app: { allowOrigins: [origin] } });
    t.after(() => app.close());
    await app.app.listen({ host: "127.0.0.1", port: 0 });
    const url = `http://127.0.0.1:${(app.app.server.address() as AddressInfo).port}`;
    const browser = await startChromium(t.after.bind(t));
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(origin);
    await page.waitForFunction("document.title === 'ready'");

    const login = page.evaluate(`${LOGIN}(${JSON.stringify(url)})`);
    const shown = await page.waitForFunction("window.shown");
    const { verificationUri, userCode } = (await shown.jsonValue()) as {
      verificationUri: string;
      userCode: string;
    };
    const person = new Browser(app);
    const form = await person.open(orcid.signIn(verificationUri, "0000-0001"));
    await person.submit(form, { user_code: userCode });
    await login;

    const read = {
      status: 200,
      length: 100,
      id: "0000-0001",
      missing: 401,
      tokens: ["access_token", "refresh_token"],
    };
    assert.deepEqual(await page.evaluate(READ), read);
    app.clock.advance(1000);
    assert.deepEqual(await page.evaluate(READ), read);
    assert.equal(await page.evaluate(REFUSED), "ERR_CANNOT_REFRESH CannotRefreshAuthentication");
    assert.deepEqual(problems, []);
  });
});
