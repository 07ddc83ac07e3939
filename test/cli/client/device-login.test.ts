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
import { TestTerminal } from "../../support/terminal.ts";

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
  t.after(() => app.close());
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
  const places = [CODE, ADDRESS, /[▀▄█]{5}/, /with \S{9}, 15:00 left/].map((pattern) =>
    shown.search(pattern),
  );
  assert.ok(
    places.every((place, index) => place > (places[index - 1] ?? -1)),
    shown,
  );
  // Nothing of the line is left.
  assert.ok(terminal.stderr.includes("left\r\u001b[K"));
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
  assert.ok(terminal.stderr.endsWith("left\r\u001b[K"));
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
