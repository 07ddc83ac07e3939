/**
 * What a start of the command loads before it knows that a verb needs it. Each module costs time at every call, also of
 * completion.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { configurationFile, temporaryFolder } from "../support/folders.ts";
import { run, startServer } from "../support/process.ts";
import { toy } from "../support/toy.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** Prints the modules on stderr as they are loaded. */
const HOOK = `
import { writeSync } from "node:fs";
import { registerHooks } from "node:module";
registerHooks({ load: (url, context, next) => (writeSync(2, url + "\\n"), next(url, context)) });
`;

test("help and the version load commander, the verbs' definitions, and little of Node", async (t) => {
  const hook = join(await temporaryFolder((last) => t.after(last)), "hook.mjs");
  writeFileSync(hook, HOOK);
  for (const flag of ["--help", "--version"]) {
    const program = [process.execPath, "--import", pathToFileURL(hook).href, join(ROOT, "src/bin.ts"), flag];
    const { code, stderr } = await run(program);
    assert.equal(code, 0, stderr);
    const loaded = stderr.trim().split("\n");
    const own = loaded.flatMap((url) => url.split(`${pathToFileURL(ROOT).href}/src/`)[1] ?? []);
    const packages = new Set(
      loaded.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []),
    );
    assert.deepEqual([...packages], ["commander"]);
    assert.deepEqual(
      loaded.filter((url) => /^node:(http|https|tls|net|http2|zlib|worker_threads)$/.test(url)),
      [],
    );
    assert.deepEqual(
      own.filter((path) => /^(app|authenticators|config|http|pages|start|store|trees)\//.test(path)),
      [],
    );
    assert.ok(own.length > 10 && own.length < 60, own.join("\n"));
  }
});

/** Prints at the end whether Node's own HTTP client was loaded. */
const AT_EXIT = `
const client = () => process.moduleLoadList.some((name) => name.endsWith("internal/deps/undici/undici"));
process.on("exit", () => process._rawDebug("HTTP client: " + client()));
`;

test("a server starts without the HTTP client of Node, and the health check asks it without one", async (t) => {
  const cleanup = (last: () => Promise<unknown>) => t.after(last);
  const hook = join(await temporaryFolder(cleanup), "hook.mjs");
  writeFileSync(hook, AT_EXIT);
  const program = [process.execPath, "--import", pathToFileURL(hook).href, join(ROOT, "src/bin.ts")];
  const config = await configurationFile(cleanup, toy());
  const serve = [...program, "serve", "config", config, "--port", "0"];
  const server = await startServer(cleanup, serve, /^ *(http:\S+)$/m);
  const asked = await run([...program, "healthcheck", config, "--port", new URL(server.url).port]);
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stderr, /HTTP client: false/);
  assert.equal(await server.stop(), 0);
  assert.match(server.output(), /HTTP client: false/);
});
