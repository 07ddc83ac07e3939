import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { bundle } from "../../scripts/bundle.ts";
import { compileCacheFolder } from "../../src/lib/compile-cache.ts";

const uid = process.getuid?.() ?? 0;

function home(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tiled-auth-home-")));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("compiled code is kept in the user's cache folder, which is made for its owner alone", (t) => {
  const HOME = home(t);
  const folder = compileCacheFolder({ HOME }, uid);
  assert.equal(folder, join(HOME, ".cache/tiled-auth"));
  assert.equal(statSync(folder ?? "").mode & 0o777, 0o700);
});

test("XDG_CACHE_HOME and the cache folder of a systemd unit come first; relative ones do not count", (t) => {
  const HOME = home(t);
  const [user, unit] = [join(HOME, "xdg"), join(HOME, "unit")];
  assert.equal(compileCacheFolder({ HOME, XDG_CACHE_HOME: user }, uid), join(user, "tiled-auth"));
  const env = { HOME, XDG_CACHE_HOME: user, CACHE_DIRECTORY: `${unit}:/other` };
  assert.equal(compileCacheFolder(env, uid), join(unit, "compiled"));
  assert.equal(compileCacheFolder({ HOME, XDG_CACHE_HOME: "xdg" }, uid), join(HOME, ".cache/tiled-auth"));
});

test("a folder that another user can write, owns or can replace is not used", (t) => {
  const HOME = home(t);
  const folder = join(HOME, ".cache/tiled-auth");
  mkdirSync(folder, { recursive: true });
  for (const [path, mode] of [
    [folder, 0o777],
    [folder, 0o770],
    [folder, 0o1777],
    [join(HOME, ".cache"), 0o777],
    [HOME, 0o775],
  ] as const) {
    const before = statSync(path).mode & 0o7777;
    chmodSync(path, mode);
    assert.equal(compileCacheFolder({ HOME }, uid), null, `${path} ${mode.toString(8)}`);
    chmodSync(path, before);
  }
  assert.equal(compileCacheFolder({ HOME }, uid), folder);
  if (uid !== 0) assert.equal(compileCacheFolder({ HOME }, uid + 1), null);
});

test("nothing is made in a folder that another user can write or owns", (t) => {
  const HOME = home(t);
  chmodSync(HOME, 0o777);
  assert.equal(compileCacheFolder({ HOME }, uid), null);
  chmodSync(HOME, 0o700);
  // As for root with the HOME of the user who called sudo.
  if (uid === 0) chownSync(HOME, 65_534, 65_534);
  if (uid === 0) assert.equal(compileCacheFolder({ HOME }, uid), null);
  assert.deepEqual(readdirSync(HOME), []);
});

test("a link counts as the folder that it leads to", (t) => {
  const [HOME, elsewhere] = [home(t), home(t)];
  symlinkSync(elsewhere, join(HOME, ".cache"));
  assert.equal(compileCacheFolder({ HOME }, uid), join(elsewhere, "tiled-auth"));
  chmodSync(elsewhere, 0o777);
  assert.equal(compileCacheFolder({ HOME }, uid), null);
});

test("without a folder that can be made the program starts all the same", () => {
  for (const HOME of ["/proc/none", "", undefined]) assert.equal(compileCacheFolder({ HOME }, uid), null);
  assert.equal(compileCacheFolder({ HOME: "/tmp" }, undefined), null);
});

test("the built command keeps compiled code there, for its threads too; NODE_DISABLE_COMPILE_CACHE stops it", async (t) => {
  const [HOME, root] = [home(t), home(t)];
  copyFileSync("package.json", join(root, "package.json"));
  symlinkSync(resolve("node_modules"), join(root, "node_modules"));
  await bundle({ outdir: join(root, "dist") });
  // A thread inherits the environment, where Node.js finds the folder.
  const atExit = "process.on('exit', () => console.log('threads:', process.env.NODE_COMPILE_CACHE))";
  const run = (env: Record<string, string>) =>
    spawnSync(
      process.execPath,
      [
        "--import",
        `data:text/javascript,${encodeURIComponent(atExit)}`,
        join(root, "dist/src/bin.js"),
        "--version",
      ],
      { encoding: "utf8", env: { PATH: process.env["PATH"], HOME, ...env }, timeout: 30_000 },
    );
  const folder = join(HOME, ".cache/tiled-auth");
  const off = run({ NODE_DISABLE_COMPILE_CACHE: "1" });
  assert.deepEqual([off.status, off.stderr, existsSync(folder)], [0, "", false]);
  const on = run({});
  assert.deepEqual([on.status, on.stderr], [0, ""]);
  assert.ok(on.stdout.includes(`threads: ${folder}\n`), on.stdout);
  const [ofThisNode = ""] = readdirSync(folder);
  assert.ok(readdirSync(join(folder, ofThisNode)).length > 5);
});

test("compiled code is written while the process runs, so that one that is killed leaves it to the next", (t) => {
  const folder = home(t);
  const file = new URL("../../src/lib/compile-cache.ts", import.meta.url).href;
  const program = `
    import module from "node:module";
    module.enableCompileCache(${JSON.stringify(folder)});
    const { saveCompiledCode } = await import(${JSON.stringify(file)});
    saveCompiledCode();
    // process.kill would let Node write it.
    const { spawnSync } = await import("node:child_process");
    spawnSync("kill", ["-9", String(process.pid)]);`;
  const env = { ...process.env, NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: undefined };
  const { signal } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { env });
  assert.equal(signal, "SIGKILL");
  const kept = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  assert.ok(kept.length > 0);
});
