/**
 * `tiled login` in a browser, with the server's own codes. In a process of its own, since it replaces timers.
 */
import assert from "node:assert/strict";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { connection } from "../../../src/cli/client/connection.ts";
import { main } from "../../../src/cli/program.ts";
import { Browser } from "../../support/browser.ts";
import { withoutPauses } from "../../support/client.ts";
import { scene } from "../../support/device-login.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { TestTerminal, tiled } from "../../support/terminal.ts";
import { type Answer, about, scripted } from "./scripted-server.ts";

const CODE = /\b([0-9A-F]{4}-[0-9A-F]{4})\b/;
const ADDRESS = /https:\/\/provider\.example\/auth\?\S+/;
const LOGIN = ["login", "--provider", "orcid"];

interface Look {
  readonly env?: Record<string, string>;
  readonly columns?: number;
  readonly terminal?: boolean;
  readonly colours?: boolean;
}

/** A server that listens, and a computer whose browser is a script that notes the address. */
async function place(t: TestContext) {
  const { t: app, orcid } = await scene();
  t.after(async () => {
    // An interrupted request leaves a connection open that the end of a process would close.
    const closing = setInterval(() => app.app.server.closeAllConnections(), 20);
    await app.close();
    clearInterval(closing);
  });
  const url = await app.app.listen({ host: "127.0.0.1", port: 0 });
  withoutPauses(t);
  const home = await temporaryFolder(t.after.bind(t));
  await writeFile(
    `${home}/browser`,
    `#!/bin/sh\necho "$@" > ${home}/opened.part\nmv ${home}/opened.part ${home}/opened\n`,
  );
  await chmod(`${home}/browser`, 0o755);
  const at = ({ env, ...look }: Look = {}) =>
    new TestTerminal({ HOME: home, BROWSER: `${home}/browser --tab`, ...env }, "", look);
  return { app, orcid, url, home, at };
}

/** Runs `tiled login`, and the person enters the code once it is shown. */
async function enter(p: Awaited<ReturnType<typeof place>>, terminal: TestTerminal, options: string[] = []) {
  const ended = main([...LOGIN, "--url", p.url, ...options], terminal);
  const shown = () => stripVTControlCharacters(terminal.stderr);
  assert.ok(await eventually(20, async () => /Waiting/.test(shown())), terminal.stderr);
  const [, code = ""] = CODE.exec(shown()) ?? [];
  const browser = new Browser(p.app);
  const form = await browser.open(p.orcid.signIn(ADDRESS.exec(shown())?.[0] ?? "", "0000-0001"));
  await browser.submit(form, { user_code: code });
  return { code: await ended, shown: shown() };
}

test("without a terminal the code and the address are plain text", async (t) => {
  const p = await place(t);
  const terminal = p.at();
  const { code, shown } = await enter(p, terminal);
  assert.deepEqual([code, terminal.stdout], [0, "You have logged in as 0000-0001.\n"]);
  assert.equal(terminal.stderr, shown);
  assert.match(
    shown,
    /^Code: \S{9}\nOpen this address.*:\nhttps:\S+\nWaiting\. The code expires in 15:00 minutes\.\n/,
  );
  assert.doesNotMatch(shown, /[▀▄█]/);
  assert.ok(!(await readdir(p.home)).includes("opened"));
  const whoami = p.at();
  assert.equal(await main(["whoami"], whoami), 0);
  assert.equal(whoami.stdout, "0000-0001\n");
});

test("a terminal shows the code first, a QR code and the time left, and opens the browser", async (t) => {
  const p = await place(t);
  const terminal = p.at({ terminal: true, colours: true });
  const { code, shown } = await enter(p, terminal);
  assert.equal(code, 0);
  const places = [CODE, ADDRESS, /[▀▄█]{5}/, /Code \S{9}, 15:00 left/].map((pattern) =>
    shown.search(pattern),
  );
  assert.ok(
    places.every((place, index) => place > (places[index - 1] ?? -1)),
    shown,
  );
  // Nothing of the line is left.
  assert.ok(terminal.stderr.includes("browser\r\u001b[K"));
  assert.ok(await eventually(10, async () => (await readdir(p.home)).includes("opened")));
  assert.equal(await readFile(`${p.home}/opened`, "utf8"), `--tab ${ADDRESS.exec(shown)?.[0]}\n`);
});

test("no QR code on a narrow terminal; no browser over SSH or with --no-browser", async (t) => {
  const p = await place(t);
  const narrow = await enter(p, p.at({ terminal: true, columns: 59, env: { SSH_CONNECTION: "a 1 b 22" } }));
  assert.deepEqual(
    [narrow.code, /[▀▄█]/.test(narrow.shown), /browser was opened/.test(narrow.shown)],
    [0, false, false],
  );
  const without = await enter(p, p.at({ terminal: true }), ["--no-browser"]);
  assert.deepEqual([without.code, /[▀▄█]{5}/.test(without.shown)], [0, true]);
  assert.ok(!(await readdir(p.home)).includes("opened"));
});

test("Ctrl-C ends the polling, and leaves the old login alone", async (t) => {
  const p = await place(t);
  await enter(p, p.at());
  const [folder = ""] = await readdir(`${p.home}/.cache/tiled/tokens`);
  const token = () => readFile(`${p.home}/.cache/tiled/tokens/${folder}/refresh_token`, "utf8");
  const old = await token();
  const terminal = p.at({ terminal: true });
  const ended = main([...LOGIN, "--no-browser"], terminal);
  assert.ok(await eventually(20, async () => /left/.test(terminal.stderr)));
  terminal.events.emit("SIGINT");
  assert.equal(await ended, 130);
  assert.equal(terminal.stdout, "");
  assert.ok(terminal.stderr.endsWith("browser\r\u001b[K"));
  assert.equal(await token(), old);
  assert.ok(await eventually(10, async () => terminal.exits.length > 0));
  assert.deepEqual(terminal.exits, [130]);
});

test("without a terminal the provider has to be named, and only login shows a code", async (t) => {
  const p = await place(t);
  const terminal = p.at();
  assert.equal(await main(["login", "--url", p.url], terminal), 4);
  assert.match(terminal.stderr, /--provider orcid, --provider other/);
  const needed = connection({ url: p.url }, p.at(), "login");
  await assert.rejects(needed, { name: "OperatorError", exitCode: 4 });
});

/** Unsigned, with this session. */
function idToken(sid: string): string {
  return `x.${Buffer.from(JSON.stringify({ sid })).toString("base64url")}.x`;
}

/** A server that takes the tokens of a provider, here at the same address. */
async function proxied(t: TestContext, sessions: string[]) {
  const answers: Record<string, Answer> = {
    "POST /device": {
      body: { device_code: "d", user_code: "U-1", verification_uri: "https://p.example/me" },
    },
    "GET /end": { body: "" },
    "GET /auth/whoami": { body: { uuid: "u-u", identities: [{ id: "ann", provider: "oidc" }] } },
  };
  const server = await scripted(t, answers);
  const { url } = server;
  const links = { refresh_session: `${url}/token`, logout: `${url}/end` };
  const provider = {
    provider: "oidc",
    mode: "external",
    links: { auth_endpoint: `${url}/device`, token_endpoint: `${url}/token`, client_id: "cli" },
    confirmation_message: "Hello {id}.",
  };
  answers["GET /"] = about(provider, links);
  return {
    ...server,
    ended: () => server.asked.filter(({ what }) => what === "GET /end").map(({ query }) => query),
    next: () => {
      answers["POST /token"] = {
        body: { access_token: "a", refresh_token: "r", id_token: idToken(sessions.shift() ?? "") },
      };
    },
  };
}

test("at a provider: its own code and logout, and no end of a session that goes on", async (t) => {
  const p = await proxied(t, ["one", "one", "two"]);
  withoutPauses(t);
  const HOME = await temporaryFolder(t.after.bind(t));
  const login = async (...options: string[]) => {
    p.next();
    return await tiled(["login", p.url, ...options], { HOME });
  };
  const first = await login();
  assert.deepEqual([first.code, first.stdout], [0, "Hello external user.\n"]);
  assert.match(first.stderr, /^Code: U-1\n.*\nhttps:\/\/p\.example\/me\n/);
  const second = await login("--json");
  assert.deepEqual(JSON.parse(second.stdout), {
    api: `${p.url}/api/v1/`,
    principal: "u-u",
    identity: { id: "ann", provider: "oidc" },
  });
  // The same session at the provider.
  assert.deepEqual(p.ended(), []);
  assert.equal((await login()).code, 0);
  assert.deepEqual(p.ended(), [`?id_token_hint=${idToken("one")}&client_id=cli`]);
  assert.equal((await tiled(["logout"], { HOME })).code, 0);
  assert.equal(p.ended()[1], `?id_token_hint=${idToken("two")}&client_id=cli`);
  const [folder = ""] = await readdir(`${HOME}/.cache/tiled/tokens`);
  assert.deepEqual(await readdir(`${HOME}/.cache/tiled/tokens/${folder}`), []);
});

test("a login in the browser that is denied, or that runs out", async (t) => {
  const start = { authorization_uri: "https://p.example/me", device_code: "d", user_code: "U-1" };
  withoutPauses(t);
  for (const [error, message] of [
    ["access_denied", /error: The login was refused\./],
    ["expired_token", /error: The code expired before it was entered\./],
  ] as const) {
    const { url } = await scripted(t, {
      "GET /": about({ mode: "external" }),
      "POST /auth/provider/lab/authorize": { body: start },
      "POST /auth/provider/lab/token": { status: 400, body: { detail: { error } } },
    });
    const HOME = await temporaryFolder(t.after.bind(t));
    const { code, stdout, stderr } = await tiled(["login", url], { HOME });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, message);
    assert.deepEqual(await readdir(HOME), []);
  }
});
