/**
 * The configuration of docs/tutorial/first-server.md loads at each step, its errors are those that the page shows, and its examples
 * for the shell and for TypeScript print what it says. So does `tiled init`.
 */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { load } from "../config/support.ts";
import { temporaryFolder } from "../support/folders.ts";
import { installInto } from "../support/installed.ts";
import { TILED } from "../support/ours.ts";
import { run, startServer } from "../support/process.ts";
import { assertConsole } from "./console.ts";

const page = await readFile(new URL("../../docs/tutorial/first-server.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) => text);
const env = {
  ALICE_PASSWORD: "correct-horse",
  BOB_PASSWORD: "battery-staple",
  SECRET_KEY: "5ce1f0a97b3d2846".repeat(2),
};

test("each step's configuration loads without a warning", () => {
  assert.equal(blocks.length, 2);
  for (const steps of [blocks.slice(0, 1), blocks]) assert.deepEqual(load(steps.join(""), env).warnings, []);
});

test("the error on the page is the one that the check prints", () => {
  const [shown = ""] = /^config\.yml:\d+: (.*)$/m.exec(page)?.slice(1) ?? [];
  assert.throws(
    () => load(blocks[0] ?? "", {}),
    (error: Error) => error.message.includes(shown),
  );
});

test("init writes a configuration and its secrets, and prints commands that run", {
  timeout: 60_000,
}, async (t) => {
  const [, file = "", secrets = ""] = /`\.\/tiled init (\S+)` asks.*?`(\S+\.env)`/s.exec(page) ?? [];
  const cwd = await temporaryFolder(t.after.bind(t));
  const answers = { cwd, env: { TILED_FORCE_PROMPT: "1" }, input: "\n".repeat(5) };
  const written = await run([...TILED, "init", file], answers);
  assert.equal(written.code, 0, written.stderr);
  assert.equal(written.stderr.match(/\?\n/g)?.length, 5);
  assert.match(await readFile(join(cwd, secrets), "utf8"), /^\w+_PASSWORD=\S+$/m);
  assert.match(written.stdout, new RegExp(` config check ${file}\n.* serve config ${file}\n`));
  const checked = await run([...TILED, "config", "check", file], { cwd });
  assert.equal(checked.code, 0, checked.stderr);
});

test("the demo, in the shell and in TypeScript", { timeout: 120_000 }, async (t) => {
  const last = t.after.bind(t);
  const demo = [...TILED, "serve", "demo", "--port", "0"];
  const { url, output } = await startServer(last, demo, /is ready: (http:\S+)/);
  const [, alice = ""] = /^ *alice +(\S+)/m.exec(output()) ?? [];
  const home = await assertConsole(last, page, {
    shownUrl: "http://127.0.0.1:8000",
    url,
    passwords: { alice },
  });
  const folder = await temporaryFolder(last);
  await installInto(folder);
  const [, code = ""] = /^```ts\n(.*?)^```/ms.exec(page) ?? [];
  await writeFile(join(folder, "hello.ts"), code.replace("http://127.0.0.1:8000", url));
  const env = { HOME: home, XDG_CACHE_HOME: undefined, TILED_CACHE_DIR: undefined, TILED_API_KEY: undefined };
  const { stdout, stderr } = await run([process.execPath, "hello.ts"], { cwd: folder, env });
  assert.equal(stdout, "alice\n100\n", stderr);
});
