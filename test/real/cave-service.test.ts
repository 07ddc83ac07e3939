/**
 * The service of docs/cave.md behind the real middle_auth_client, through the example's gateways: permissions, groups, terms of
 * service, the login of a browser that it sends here, and what a revoked token means to it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { request as send } from "node:https";
import { after, before, describe, it, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Computer, caveProgram, olderCave, withoutCave, withoutOlderCave } from "../support/cave.ts";
import { caveBrowser, createToken, logIn, tokenOf } from "../support/cave-browser.ts";
import { CAVE_PAGE, type CaveDeployment, caveBlock, deployCave } from "../support/cave-deployment.ts";
import { startChromium, withoutChromium } from "../support/chromium.ts";
import { eventually } from "../support/eventually.ts";
import type { Cleanup } from "../support/folders.ts";
import { run } from "../support/process.ts";
import { withoutProxy } from "../support/proxies.ts";
import { AUTHORITY_CERT } from "../support/tls.ts";

const skip = withoutCave() || withoutChromium() || withoutProxy("nginx");
const TIMEOUT = 600_000;
const OLDER = "middle_auth_client-3.11.0";

/** A computer whose client uses this token. */
async function computerWith(cleanup: Cleanup, cave: CaveDeployment, token: string): Promise<Computer> {
  const computer = await Computer.create(cleanup);
  await computer.call("client", cave.url);
  await computer.call("use", token);
  return computer;
}

/** That the service's cookie has. */
async function loginTokenIn(page: Page): Promise<string> {
  const own = (await page.context().cookies(page.url())).find(({ name }) => name === "middle_auth_token");
  assert.deepEqual([own?.secure, own?.httpOnly], [true, true]);
  assert.match(own?.value ?? "", /^[0-9a-f]{32}$/);
  return own?.value ?? "";
}

/** What a page of the service shows: JSON. */
async function shown(page: Page): Promise<unknown> {
  return JSON.parse((await page.locator("body").textContent()) ?? "");
}

describe("a service behind middle_auth_client", { skip, timeout: TIMEOUT }, () => {
  let cave: CaveDeployment;
  let browser: Browser;
  const endings: (() => Promise<unknown>)[] = [];
  const cleanup: Cleanup = (last) => void endings.unshift(last);
  const tokens = { alice: "", bob: "", admin: "" };

  before(async () => {
    browser = await startChromium(cleanup);
    cave = await deployCave(cleanup);
    for (const user of ["alice", "bob", "admin"] as const)
      tokens[user] = await tokenOf(browser, cave.url, user);
  });
  after(async () => {
    for (const end of endings) await end();
  });

  it("lets one person at a dataset and not the other", async (t) => {
    const computer = await computerWith(t.after.bind(t), cave, tokens.alice);
    const fish = `${cave.url}/example/table/fish1`;
    assert.deepEqual(await computer.call("get", fish), { table: "fish1", rows: [1, 2, 3] });
    assert.deepEqual(await computer.call("post", fish), { table: "fish1", saved: true });
    // A superadmin has no permission either, unless a group gives it.
    for (const user of ["bob", "admin"] as const) {
      await computer.call("use", tokens[user]);
      const { status, text } = await computer.attempt("get", [fish]);
      assert.equal(status, 403, user);
      assert.match(text ?? "", /Missing permission: view for dataset fish/);
      assert.equal((await computer.attempt("post", [fish])).status, 403);
    }
    const unknown = await computer.attempt("get", [`${cave.url}/example/table/nowhere`]);
    assert.equal(unknown.status, 400);
    assert.match(unknown.text ?? "", /invalid_table_id/);
  });

  it("tells members of a group from others, and finds names and shared groups", async (t) => {
    const computer = await computerWith(t.after.bind(t), cave, tokens.bob);
    assert.equal(await computer.call("status", `${cave.url}/example/fish_lab`), 403);
    const bob = (await computer.call("get", `${cave.url}/example/me`)) as { id: number };
    await computer.call("use", tokens.alice);
    assert.equal(await computer.call("status", `${cave.url}/example/fish_lab`), 200);
    const alice = (await computer.call("get", `${cave.url}/example/me`)) as { id: number };
    assert.equal(await computer.call("get", `${cave.url}/example/colleague/${alice.id}`), "alice");
    // Both are in the group that holds everyone, which does not count.
    assert.equal((await computer.attempt("get", [`${cave.url}/example/colleague/${bob.id}`])).status, 403);
  });

  it("asks for terms of service: caveclient opens the page, and then the data is there", async (t) => {
    const computer = await computerWith(t.after.bind(t), cave, tokens.bob);
    const minnie = `${cave.url}/example/table/minnie65`;
    const refused = await computer.attempt("get", [minnie]);
    assert.equal(refused.status, 403);
    assert.match(refused.text ?? "", /missing_tos/);
    const [form = ""] = await computer.opened();
    assert.equal(form, `${cave.url}/sticky_auth/api/v1/tos/1/accept`);

    const page = await caveBrowser(browser);
    await page.goto(form);
    await logIn(page, "bob");
    await page.getByText("Cite the data set's paper").waitFor();
    await page.locator('input[name="tos_agree"]').check();
    await page.getByRole("button", { name: "Accept" }).click();
    await page.getByText("Thank you").first().waitFor();
    assert.deepEqual(await computer.call("get", minnie), { table: "minnie65", rows: [1, 2, 3] });
    // Permissions that the terms do not give are refused as such.
    assert.match((await computer.attempt("post", [minnie])).text ?? "", /missing_permission/);
    // Another person has not accepted them.
    await computer.call("use", tokens.alice);
    assert.match((await computer.attempt("get", [minnie])).text ?? "", /missing_tos/);
    await page.context().close();
  });

  it("sends a browser to the login and the terms, and gets it back at the same address", async () => {
    const page = await caveBrowser(browser);
    const asked = `${cave.url}/example/table/minnie65?rows=1%202&name=%C3%A4+b#x`;
    await page.goto(asked);
    assert.match(page.url(), /\/sticky_auth\/api\/v1\/authorize\?redirect=/);
    await logIn(page, "admin");
    await page.locator('input[name="tos_agree"]').check();
    await page.getByRole("button", { name: "Accept" }).click();
    await page.waitForURL(/\/example\//);
    const { pathname, searchParams } = new URL(page.url());
    assert.equal(pathname, "/example/table/minnie65");
    // middle_auth_client leaves it there.
    searchParams.delete("middle_auth_url");
    assert.deepEqual([...searchParams], [...new URL(asked).searchParams]);
    assert.deepEqual(await shown(page), { table: "minnie65", rows: [1, 2, 3] });

    await loginTokenIn(page);
    const [session] = (await page.context().cookies(`${cave.url}/sticky_auth/`)).filter(
      ({ path }) => path === "/sticky_auth",
    );
    assert.deepEqual([session?.httpOnly, session?.secure, session?.sameSite], [true, true, "Lax"]);
    await page.goto(`${cave.url}/example/me`);
    assert.equal(((await shown(page)) as { name: string }).name, "admin");
    await page.context().close();
  });

  it("a browser's token cannot list, make or revoke tokens, and ends with the login", async (t) => {
    const page = await caveBrowser(browser);
    await page.goto(`${cave.url}/example/me`);
    await logIn(page, "alice");
    await page.waitForURL(/\/example\/me\b/);
    const computer = await computerWith(t.after.bind(t), cave, await loginTokenIn(page));
    for (const path of ["user/token", "create_token", "refresh_token"]) {
      const { status, text } = await computer.attempt("get", [`${cave.url}/auth/api/v1/${path}`]);
      assert.equal(status, 403, path);
      assert.match(text ?? "", /login_token/);
    }
    assert.equal(await computer.call("status", `${cave.url}/auth/api/v1/user/cache`), 200);
    await page.goto(`${cave.url}/sticky_auth/settings/tokens`);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForLoadState();
    assert.ok(
      await eventually(
        10,
        async () => (await computer.call("status", `${cave.url}/auth/api/v1/user/cache`)) === 401,
      ),
    );
    await page.context().close();
  });

  it("a revoked token is refused here at once, and by a service when its memory is over", async (t) => {
    const brief = await cave.startService({ TOKEN_CACHE_TTL: "1" });
    const page = await caveBrowser(browser);
    await page.goto(`${cave.url}/sticky_auth/settings/tokens`);
    await logIn(page, "bob");
    const token = await createToken(page, "to be revoked");
    const computer = await computerWith(t.after.bind(t), cave, token);
    const long = `${cave.url}/example/me`;
    const short = `${brief.url}/example/me`;
    for (const url of [long, short]) assert.equal(await computer.call("status", url), 200);

    await page.goto(`${cave.url}/sticky_auth/settings/tokens`);
    await page
      .locator("li", { hasText: token.slice(0, 8) })
      .locator("summary")
      .click();
    await page.getByRole("button", { name: `Revoke ${token.slice(0, 8)}` }).click();
    await page.getByRole("status").waitFor();
    const { status, text } = await computer.attempt("call", ["get_tokens"]);
    assert.equal(status, 401);
    assert.match(text ?? "", /invalid_token/);
    assert.ok(await eventually(20, async () => (await computer.call("status", short)) === 401));
    // TOKEN_CACHE_TTL is 300 there.
    assert.equal(await computer.call("status", long), 200);
    await page.context().close();
  });

  it("the other checks of middle_auth_client get what they need", async () => {
    const script = `${import.meta.dirname}/cave_decorators.py`;
    const env = {
      AUTH_URI: `${cave.host}/auth`,
      AUTH_TOKEN: cave.token,
      REQUESTS_CA_BUNDLE: `${cave.folder}/ca.pem`,
    };
    const command = [caveProgram("python"), script, tokens.alice, tokens.bob, tokens.admin, cave.token];
    const { stdout, stderr } = await run(command, { env });
    const statuses = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    // Superadmin; admin of fish; a public cell; a public table; edit on fish; minnie without its terms.
    assert.deepEqual(
      statuses,
      [
        [403, 200, 200, 200, 200, 200],
        [403, 403, 403, 403, 403, 200],
        [200, 403, 403, 403, 403, 200],
        [403, 403, 403, 403, 403, 403],
      ],
      stderr,
    );
  });

  it("an older middle_auth_client does the same", { skip: withoutOlderCave(OLDER) }, async (t) => {
    const older = await cave.startService(olderCave(OLDER));
    const computer = await computerWith(t.after.bind(t), cave, tokens.alice);
    assert.equal(await computer.call("status", `${older.url}/example/table/fish1`), 200);
    await computer.call("use", tokens.bob);
    assert.equal(await computer.call("status", `${older.url}/example/table/fish1`), 403);
    assert.equal(await computer.call("status", `${older.url}/example/fish_lab`), 403);
  });

  it("without AUTH_TOKEN's account a service refuses everything", async (t) => {
    const unknown = await cave.startService({ AUTH_TOKEN: "0123456789abcdef0123456789abcdef" });
    const computer = await computerWith(t.after.bind(t), cave, tokens.alice);
    assert.equal(await computer.call("status", `${unknown.url}/example/table/fish1`), 400);
    assert.equal(await computer.call("status", `${unknown.url}/example/me`), 200);
  });

  it("new permissions are effective without a restart, and a broken file changes nothing", async (t) => {
    const computer = await computerWith(t.after.bind(t), cave, tokens.bob);
    const fish = `${cave.url}/example/table/fish1`;
    assert.equal(await computer.call("status", fish), 403);
    const file = `${cave.folder}/tiled-auth.yml`;
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("permissions: { fish:", "permissions: { fisch:"));
    assert.ok(await eventually(20, async () => cave.ours.output().includes("fisch")), cave.ours.output());
    const fresh = await cave.startService({});
    await computer.call("use", tokens.alice);
    assert.equal(await computer.call("status", `${fresh.url}/example/table/fish1`), 200);
    await computer.call("use", tokens.bob);
    await writeFile(
      file,
      text.replace(
        /(fish_lab:[\s\S]*?- \{ provider: lab, id: alice \})/,
        "$1\n        - { provider: lab, id: bob }",
      ),
    );
    const added = async () => {
      const rights = (await computer.call("get", `${cave.url}/auth/api/v1/user/cache`)) as {
        groups: string[];
      };
      return rights.groups.includes("fish_lab");
    };
    assert.ok(await eventually(20, added), cave.ours.output());
    // The service had remembered that he has no permission.
    assert.equal(await computer.call("status", fish), 200);
  });

  it("the guide's commands and variables are right", async () => {
    const asked = await run(
      ["bash", "-euc", caveBlock("sh", "curl").replaceAll("https://cave.example.org", cave.url)],
      {
        env: { CURL_CA_BUNDLE: `${cave.folder}/ca.pem` },
      },
    );
    assert.deepEqual(JSON.parse(asked.stdout), { login_url: `${cave.url}/sticky_auth` });
    const source = "import inspect, middle_auth_client.decorators as it; print(inspect.getsource(it))";
    const reads = async (env = {}) => {
      const { stdout } = await run([caveProgram("python"), "-c", source], { env });
      return new Set([...stdout.matchAll(/environ\.get\(\s*"([A-Z_]+)"/g)].map(([, name]) => name));
    };
    const read = await reads();
    const rows = [...CAVE_PAGE.matchAll(/^\| (`[A-Z_]+`.*?) \|/gm)].map(([, names = ""]) => names);
    const named = rows.flatMap((names) => [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name));
    assert.ok(named.length > 6);
    // Which newer versions do not read, as the page says.
    assert.deepEqual(
      named.filter((name) => !read.has(name)),
      ["INFO_URL"],
    );
  });

  it("no token is in a log", async () => {
    const login = await caveBrowser(browser);
    await login.goto(`${cave.url}/example/me`);
    await logIn(login, "bob");
    await login.waitForURL(/\/example\/me\b/);
    const loginToken = await loginTokenIn(login);
    const log = (await cave.accesses()) + cave.ours.output() + cave.service.output();
    assert.match(log, /GET \/example\/me 200/);
    for (const token of [cave.token, loginToken, ...Object.values(tokens)])
      assert.equal(log.includes(token), false);
    await login.context().close();
  });
});

test("Caddy in place of nginx: a browser's login at the service", {
  skip: withoutCave() || withoutChromium() || withoutProxy("caddy"),
  timeout: TIMEOUT,
}, async (t) => {
  const cleanup = t.after.bind(t);
  const browser = await startChromium(cleanup);
  const cave = await deployCave(cleanup, { gateway: "caddy" });
  const page = await caveBrowser(browser);
  await page.goto(`${cave.url}/example/table/fish1`);
  await logIn(page, "alice");
  await page.waitForURL(/\/example\/table\/fish1\b/);
  assert.deepEqual(await shown(page), { table: "fish1", rows: [1, 2, 3] });
  const token = await tokenOf(browser, cave.url, "bob");
  const computer = await computerWith(cleanup, cave, token);
  assert.equal(((await computer.call("call", "get_tokens")) as unknown[]).length, 1);
  assert.equal((await computer.attempt("get", [`${cave.url}/example/table/fish1`])).status, 403);
  assert.equal(await computer.call("status", `${cave.url}/healthz`), 404);
});

for (const gateway of ["nginx", "caddy"] as const)
  test(`${gateway} gives a service its own cookie and no other`, {
    skip: withoutCave() || withoutProxy(gateway),
    timeout: TIMEOUT,
  }, async (t) => {
    const cleanup = t.after.bind(t);
    const cave = await deployCave(cleanup, { gateway });
    await cave.service.stop();
    const got: (string | undefined)[] = [];
    const port = Number(new URL(cave.service.url).port);
    const echo = createServer(({ headers }, response) => {
      got.push(headers.cookie);
      response.end();
    }).listen(port, "127.0.0.1");
    cleanup(async () => echo.close());
    await once(echo, "listening");
    const others = "__Host-tiled_session=secret; tiled_csrf=x";
    for (const cookie of [
      others,
      `${others}; middle_auth_token=`,
      `${others}; middle_auth_token=own; last=y`,
    ]) {
      const request = send(`${cave.url}/example/me`, {
        ca: AUTHORITY_CERT,
        agent: false,
        headers: { cookie },
      });
      request.end();
      const [response] = await once(request, "response");
      response.resume();
    }
    assert.deepEqual(got, [undefined, undefined, "middle_auth_token=own"]);
  });
