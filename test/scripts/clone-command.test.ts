/** `./tiled` of a clone, in a copy of one whose built command is a small program that says how it was run. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/folders.ts";
import { run } from "../support/process.ts";

const SCRIPT = fileURLToPath(new URL("../../tiled", import.meta.url));

const BUILT = `if (process.argv[2] === "wait") {
  process.on("SIGINT", () => process.exit(7));
  setInterval(() => {}, 1000);
}
if (process.argv[2] === "fail") process.exitCode = 3;
const { argv, argv0: node, pid } = process;
console.log(JSON.stringify({ args: argv.slice(2), cwd: process.cwd(), pid, node }));
`;

/** The times of the files are those of a clone that was built after the checkout. */
async function clone(t: TestContext) {
  const outside = await temporaryFolder((last) => t.after(last));
  const folder = join(outside, "a clone");
  for (const part of ["src/lib", "migrations", "dist/src", "node_modules/.bin"])
    await mkdir(join(folder, part), { recursive: true });
  await copyFile(SCRIPT, join(folder, "tiled"));
  const files = {
    "package.json": '{"type": "module"}',
    "package-lock.json": "{}",
    "src/lib/x.ts": "",
    "migrations/1.ts": "",
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    await utimes(join(folder, name), 1000, 1000);
  }
  await writeFile(join(folder, "dist/src/bin.js"), BUILT);
  await utimes(join(folder, "dist/src/bin.js"), 2000, 2000);
  await symlink(process.execPath, join(folder, "node_modules/.bin/node"));
  return { outside, folder, script: join(folder, "tiled") };
}

test("runs the built command with the clone's own Node, in the folder of the caller, through links", async (t) => {
  const { outside, folder, script } = await clone(t);
  await mkdir(join(outside, "bin"));
  await symlink("../a clone/tiled", join(outside, "bin/inner"));
  await symlink("inner", join(outside, "bin/tiled"));
  for (const command of [script, join(outside, "bin/tiled"), "./bin/tiled"]) {
    const { code, stdout, stderr } = await run([command, "config", "check", "a  b", "$HOME", ""], {
      cwd: outside,
    });
    assert.deepEqual([code, stderr], [0, ""], command);
    const { args, cwd, node } = JSON.parse(stdout);
    assert.deepEqual(args, ["config", "check", "a  b", "$HOME", ""]);
    assert.equal(cwd, outside);
    assert.equal(node, join(folder, "node_modules/.bin/node"));
  }
});

test("the exit code is the command's, and a signal reaches it, since it is the same process", async (t) => {
  const { script } = await clone(t);
  assert.equal((await run([script, "fail"])).code, 3);

  const child = spawn(script, ["wait"], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  assert.equal(JSON.parse(String(line)).pid, child.pid);
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "exit"), [7, null]);
});

test("says what is missing, and runs nothing", async (t) => {
  const { folder, script } = await clone(t);
  await rm(join(folder, "dist"), { recursive: true });
  const unbuilt = await run([script, "--version"]);
  assert.deepEqual([unbuilt.code, unbuilt.stdout], [1, ""]);
  assert.match(unbuilt.stderr, /^error: This clone has not been built\.\nhint: .* && npm run build\n$/);

  await rm(join(folder, "node_modules"), { recursive: true });
  const bare = await run([script, "--version"]);
  assert.deepEqual([bare.code, bare.stdout], [1, ""]);
  assert.match(bare.stderr, /^error: The packages of this clone are not installed\.\nhint: .* && npm ci\n$/);
});

test("a build that is older than the sources runs, with a warning", async (t) => {
  const { folder, script } = await clone(t);
  for (const [file, cure] of [
    ["src/lib/x.ts", "npm run build"],
    ["migrations/1.ts", "npm run build"],
    ["package-lock.json", "npm ci"],
  ] as const) {
    await utimes(join(folder, file), 3000, 3000);
    const { code, stdout, stderr } = await run([script, "--version"]);
    assert.deepEqual([code, JSON.parse(stdout).args], [0, ["--version"]]);
    assert.equal(stderr, `warning: ${file} is newer than the build.\nhint: run: cd "${folder}" && ${cure}\n`);
    await utimes(join(folder, file), 1000, 1000);
  }
});
