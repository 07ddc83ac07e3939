/**
 * The real caveclient and CloudVolume with the deployment of docs/cave.md, HTTPS included: a token is created in a browser, saved,
 * found again, listed, used, replaced and revoked. `cave-service.test.ts` has the services behind it.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { Computer, caveProgram, olderCave, withoutCave, withoutOlderCave } from "../support/cave.ts";
import { caveBrowser, createToken, logIn, tokenOf } from "../support/cave-browser.ts";
import { type CaveDeployment, caveBlock, deployCave } from "../support/cave-deployment.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import type { Cleanup } from "../support/folders.ts";
import { startProvider } from "../support/oidc-provider.ts";
import { GRACE } from "../support/oidc-provider-pages.ts";
import { withoutProxy } from "../support/proxies.ts";
import { submitLogin } from "../support/real-scene.ts";

const skip = withoutCave() || withoutChromium() || withoutProxy("nginx");

describe("caveclient", { skip, timeout: 600_000 }, () => {
  let cave: CaveDeployment;
  let browser: Browser;
  const endings: (() => Promise<unknown>)[] = [];
  const cleanup: Cleanup = (last) => void endings.unshift(last);

  /** A provider like Google, in the test's process. */
  async function google(url: string): Promise<object> {
    const redirectUris = ["code", "device_code"].map((end) => `${url}/api/v1/auth/provider/google/${end}`);
    const client = { id: "tiled", secret: "of tests only", redirectUris };
    const { wellKnown } = await startProvider(cleanup, {
      clients: [client],
      flavour: "google",
      accounts: [GRACE],
      host: "127.0.0.1",
    });
    const args = {
      audience: client.id,
      client_id: client.id,
      client_secret: client.secret,
      well_known_uri: wellKnown,
      scopes: ["profile", "email"],
    };
    return { provider: "google", authenticator: "tiled.authenticators:OIDCAuthenticator", args };
  }

  before(async () => {
    browser = await startChromium(cleanup);
    cave = await deployCave(cleanup, { providers: async (url) => [await google(url)] });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  it("get_new_token opens a page that leads to a token, which is saved, found again, listed and used", async (t) => {
    const computer = await Computer.create(t.after.bind(t));
    assert.equal(await computer.call("client", cave.url), null);
    const said = await computer.attempt("call", ["get_new_token"], { open: true });
    const [address = ""] = await computer.opened();
    assert.equal(address, `${cave.url}/auth/api/v1/create_token`);
    assert.ok(said.printed?.includes(address));

    const page = await caveBrowser(browser);
    await page.goto(address);
    await logIn(page, "alice", "wrong");
    await page.getByText("Incorrect user").waitFor();
    await logIn(page, "alice");
    await page.waitForURL(`${cave.url}/sticky_auth/settings/tokens`);
    assert.match(await page.locator("main").innerText(), /You have no tokens/);
    const token = await createToken(page, "laptop");

    // As the page says.
    const lines = await page.getByRole("group", { name: "Python code" }).first().textContent();
    const saved = await computer.python(lines ?? "");
    assert.equal(saved.code, 0, saved.stderr);
    const file = `${cave.host}-cave-secret.json`;
    assert.deepEqual(await computer.secret(file), { token });
    assert.deepEqual(await computer.secret("cave-secret.json"), { token });
    // A program that is started later.
    assert.equal(await computer.call("client", cave.url), token);

    const listed = (await computer.call("call", "get_tokens")) as Record<string, unknown>[];
    assert.equal(listed.length, 1);
    assert.equal(listed[0]?.["id"], Number.parseInt(token.slice(0, 8), 16));
    assert.equal(listed[0]?.["description"], "laptop");
    assert.equal(listed[0]?.["token"], `${token.slice(0, 8)}${"*".repeat(24)}`);
    const me = (await computer.call("get", `${cave.url}/example/me`)) as Record<string, unknown>;
    assert.equal(me["name"], "alice");
    assert.equal(me["id"], listed[0]?.["user_id"]);
    assert.deepEqual(me["groups"], ["all", "fish_lab"]);

    // Never over a token that is there, unless it is said.
    const other = "0123456789abcdef0123456789abcdef";
    assert.equal((await computer.attempt("call", ["save_token", other])).error, "ValueError");
    assert.deepEqual(await computer.secret(file), { token });
    // What the list shows is refused, not taken for another token.
    await computer.call("use", listed[0]?.["token"]);
    assert.equal((await computer.attempt("call", ["get_tokens"])).status, 401);
    await page.context().close();
  });

  it("an account elsewhere leads to a token as well, with its name and address", async (t) => {
    const computer = await Computer.create(t.after.bind(t));
    const page = await caveBrowser(browser);
    await page.goto(`${cave.url}/auth/api/v1/create_token`);
    await page.locator('a[href*="google"]').click();
    await submitLogin(page, GRACE);
    await page.waitForURL(`${cave.url}/sticky_auth/settings/tokens`);
    const token = await createToken(page, "");
    await computer.call("client", cave.url);
    await computer.call("use", token);
    const me = (await computer.call("get", `${cave.url}/auth/api/v1/user/me`)) as Record<string, unknown>;
    assert.deepEqual([me["name"], me["email"]], ["Grace Hopper", "grace@lab.example"]);
    await page.context().close();
  });

  it("CloudVolume finds the token that caveclient saved, and sends it", async (t) => {
    const computer = await Computer.create(t.after.bind(t));
    const token = await tokenOf(browser, cave.url, "alice");
    await computer.call("client", cave.url);
    await computer.call("call", "save_token", token);
    assert.deepEqual(await computer.call("cloudvolume", cave.host), { token });
    assert.deepEqual(await computer.call("cloudvolume"), { token });
    assert.deepEqual(await computer.call("cloudvolume", "elsewhere.example.org"), { token });
    const table = { table: "fish1", rows: [1, 2, 3] };
    assert.deepEqual(await computer.call("cloudfiles", `${cave.url}/example/table`, "fish1"), table);
  });

  it("without a token it says that one is needed, and how to get it", async (t) => {
    const computer = await Computer.create(t.after.bind(t));
    await computer.call("client", cave.url);
    for (const [name, ...args] of [["get_tokens"], ["get_user_information", [1]], ["get_group_users", 1]]) {
      const { error, text } = await computer.attempt("call", [name, ...args]);
      assert.equal(error, "AuthException", name as string);
      assert.match(text ?? "", /get_new_token/);
    }
    assert.equal((await computer.attempt("get", [`${cave.url}/example/me`])).error, "AuthException");
  });

  it("a file in the old place is found too", async (t) => {
    const computer = await Computer.create(t.after.bind(t));
    const token = await tokenOf(browser, cave.url, "bob");
    await computer.writeSecret("chunkedgraph-secret.json", { token });
    assert.equal(await computer.call("client", cave.url), token);
    assert.equal(await computer.call("status", `${cave.url}/example/me`), 200);
  });

  it("people's information is for admins and services", async (t) => {
    const computer = await Computer.create(t.after.bind(t));
    const of = async (token: string) => {
      await computer.call("client", cave.url);
      await computer.call("use", token);
      const me = (await computer.call("get", `${cave.url}/auth/api/v1/user/me`)) as { id: number };
      return me.id;
    };
    const bob = await of(await tokenOf(browser, cave.url, "bob"));
    const refused = await computer.attempt("call", ["get_user_information", [bob]]);
    assert.equal(refused.status, 403);
    assert.match(refused.text ?? "", /requires_admin/);
    assert.equal((await computer.attempt("call", ["get_group_users", 2])).status, 403);

    // An admin of a dataset sees names; a superadmin and a service see addresses too.
    const alice = await of(await tokenOf(browser, cave.url, "alice"));
    const seen = (await computer.call("call", "get_user_information", [bob, 999_999])) as object[];
    assert.equal(seen.length, 1);
    assert.equal("email" in (seen[0] ?? {}), false);
    await of(await tokenOf(browser, cave.url, "admin"));
    const [whole] = (await computer.call("call", "get_user_information", [bob])) as Record<string, unknown>[];
    assert.deepEqual(
      [whole?.["id"], whole?.["name"], whole?.["email"], whole?.["admin"]],
      [bob, "bob", "", false],
    );
    await of(cave.token);
    const members = (await computer.call("call", "get_group_users", 2)) as Record<string, unknown>[];
    assert.deepEqual(members, [{ id: alice, name: "alice", admin: false }]);
    assert.deepEqual(await computer.call("call", "get_group_users", 77), []);
  });

  it("a replaced token ends at once", async (t) => {
    const computer = await Computer.create(t.after.bind(t));
    const page = await caveBrowser(browser);
    await page.goto(`${cave.url}/auth/api/v1/create_token`);
    await logIn(page, "admin");
    await page.getByRole("heading", { name: "Create a token" }).waitFor();
    while ((await page.locator('input[name="token_id"]').count()) > 0) {
      await page.locator("details summary").first().click();
      await page.locator("details[open] button").click();
      await page.getByRole("status").waitFor();
    }
    const before = await createToken(page, "before");
    await computer.call("client", cave.url);
    await computer.call("use", before);
    // The address that older guides name; with one token, that one is replaced.
    const after = (await computer.call("post", `${cave.url}/auth/api/v1/refresh_token`)) as string;
    assert.match(after, /^[0-9a-f]{32}$/);
    const refused = await computer.attempt("call", ["get_tokens"]);
    assert.deepEqual([refused.error, refused.status], ["HTTPError", 401]);
    await computer.call("use", after);
    assert.equal(((await computer.call("call", "get_tokens")) as unknown[]).length, 1);
    await page.context().close();
  });

  it("setup-token asks for the token at a terminal, and CAVEclient works from then on", async (t) => {
    const computer = await Computer.create(t.after.bind(t));
    const token = await tokenOf(browser, cave.url, "alice");
    const { code, stdout, stderr } = await computer.atTerminal(
      [caveProgram("caveclient"), "setup-token", cave.url],
      [
        ["Paste your auth token", cave.token],
        ["Paste your auth token", "0123456789abcdef0123456789abcdef"],
        ["Paste your auth token", token],
        ["Set all of your datastacks", "y"],
      ],
    );
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /Invalid token format[\s\S]*Token did not work[\s\S]*Setup complete!/);
    assert.deepEqual(await computer.opened(), [`${cave.url}/sticky_auth/settings/tokens`]);
    assert.deepEqual(await computer.secret(`${cave.host}-cave-secret.json`), { token });
    assert.deepEqual(await computer.call("datastack", "fish1", cave.url), [["fish1"], cave.url]);
  });

  it("an older caveclient does the same", { skip: withoutOlderCave("caveclient-5.31.0") }, async (t) => {
    const computer = await Computer.create(t.after.bind(t), olderCave("caveclient-5.31.0"));
    assert.equal(await computer.call("version"), "5.31.0");
    assert.equal(await computer.call("client", cave.url), null);
    assert.equal((await computer.attempt("call", ["get_tokens"])).error, "AuthException");
    const token = await tokenOf(browser, cave.url, "alice");
    await computer.call("call", "save_token", token);
    assert.equal(await computer.call("client", cave.url), token);
    const listed = (await computer.call("call", "get_tokens")) as { token: string }[];
    assert.ok(listed.some(({ token: shown }) => shown.startsWith(token.slice(0, 8))));
    assert.deepEqual(await computer.call("datastack", "fish1", cave.url), [["fish1"], cave.url]);
  });

  it("the Python of the guide does what the guide says", async (t) => {
    const computer = await Computer.create(t.after.bind(t));
    const token = await tokenOf(browser, cave.url, "admin");
    const blocks = ["import AuthClient", "PASTE_YOUR_TOKEN_HERE", "get_tokens()"].map((text) =>
      caveBlock("python", text),
    );
    const program = blocks
      .join("")
      .replaceAll("https://cave.example.org", cave.url)
      .replace("PASTE_YOUR_TOKEN_HERE", token);
    const { code, stderr } = await computer.python(program);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await computer.secret("cave-secret.json"), { token });
    assert.deepEqual(await computer.opened(), [`${cave.url}/auth/api/v1/create_token`]);
  });
});
