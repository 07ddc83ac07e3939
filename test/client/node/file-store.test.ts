/** Logins on disk: the Python client's files, their modes, half-written ones, and the lock among processes. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FileStore } from "../../../src/client/node/file-store.ts";
import { cacheFolder, profileFolders, tokenFolderName } from "../../../src/client/node/folders.ts";
import { underLockFile } from "../../../src/client/node/lock-file.ts";
import { temporaryFolder } from "../../support/folders.ts";

const API = "http://h:8000/api/v1/";
const NAME = "http%3A%2F%2Fh%3A8000%2Fapi%2Fv1%2F";
const TOKENS = { access_token: "access", refresh_token: "refresh" };

async function scene(t: TestContext): Promise<{ store: FileStore; folder: string }> {
  const cache = join(await temporaryFolder(t.after.bind(t)), "cache");
  return { store: new FileStore(cache), folder: join(cache, "tokens", NAME) };
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test("the files are Python's, readable by their owner only", async (t) => {
  const { store, folder } = await scene(t);
  assert.equal(await store.get(API), null);
  await store.set(API, { ...TOKENS, id_token: "id" });
  assert.deepEqual((await readdir(folder)).sort(), ["access_token", "id_token", "refresh_token"]);
  assert.equal(await readFile(join(folder, "access_token"), "utf8"), "access");
  assert.deepEqual([await modeOf(folder), await modeOf(join(folder, "refresh_token"))], [0o700, 0o600]);
  assert.deepEqual(await store.get(API), { ...TOKENS, id_token: "id" });
  await store.set(API, TOKENS);
  assert.deepEqual(await store.get(API), TOKENS);
  await store.clear(API);
  await store.clear(API);
  assert.deepEqual(await readdir(folder), []);
});

test("a file that Python is just writing is read again", async (t) => {
  const { store, folder } = await scene(t);
  await store.set(API, TOKENS);
  await writeFile(join(folder, "access_token"), "");
  const got = store.get(API);
  await writeFile(join(folder, "access_token"), "new");
  assert.deepEqual(await got, { ...TOKENS, access_token: "new" });
  await writeFile(join(folder, "access_token"), "");
  assert.deepEqual(await store.get(API), { refresh_token: "refresh" });
  await writeFile(join(folder, "access_token"), "two words");
  assert.deepEqual(await store.get(API), { refresh_token: "refresh" });
});

test("one at a time has the lock, which goes with the work", async (t) => {
  const { store, folder } = await scene(t);
  let inside = 0;
  const work = async () => {
    inside += 1;
    assert.equal(inside, 1);
    await new Promise(setImmediate);
    assert.ok((await readdir(folder)).includes("lock"));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => store.lock(API, work)));
  const failure = new Error("failed");
  await assert.rejects(
    store.lock(API, () => Promise.reject(failure)),
    (error) => error === failure,
  );
  assert.deepEqual(await readdir(folder), []);
});

test("a lock of a process that ended, an old one, and one that is held too long", async (t) => {
  const { folder } = await scene(t);
  await mkdir(folder, { recursive: true });
  const path = join(folder, "lock");
  const never = { patience: 1e9, lifetime: 30_000 };
  await writeFile(path, `4194305 ${hostname()} x`);
  assert.equal(await underLockFile(path, async () => "ended", never), "ended");
  await writeFile(path, `1 elsewhere.example x`);
  const old = new Date(Date.now() - 31_000);
  await utimes(path, old, old);
  assert.equal(await underLockFile(path, async () => "old", never), "old");
  const held = `${process.pid} ${hostname()} x`;
  await writeFile(path, held);
  assert.equal(await underLockFile(path, async () => "without", { ...never, patience: 0 }), "without");
  assert.equal(await readFile(path, "utf8"), held);
  assert.equal(await underLockFile("/nowhere/lock", async () => "no folder"), "no folder");
});

test("folders by platform, as Python's platformdirs has them", () => {
  const linux = { env: {}, platform: "linux", home: "/home/ann" } as const;
  assert.equal(cacheFolder(linux), "/home/ann/.cache/tiled");
  assert.equal(cacheFolder({ ...linux, env: { XDG_CACHE_HOME: "/c" } }), "/c/tiled");
  assert.equal(cacheFolder({ ...linux, env: { TILED_CACHE_DIR: "/t", XDG_CACHE_HOME: "/c" } }), "/t");
  assert.equal(cacheFolder({ ...linux, platform: "darwin" }), "/home/ann/Library/Caches/tiled");
  const site = ["/etc/tiled/profiles", "/etc/xdg/tiled/profiles"];
  assert.deepEqual(profileFolders(linux), [...site, "/home/ann/.config/tiled/profiles"]);
  const xdg = profileFolders({ ...linux, env: { XDG_CONFIG_HOME: "/x" } });
  assert.deepEqual(xdg, [...site, "/home/ann/.config/tiled/profiles", "/x/tiled/profiles"]);
  const own = profileFolders({ ...linux, env: { TILED_SITE_PROFILES: "/s", TILED_PROFILES: "/p" } });
  assert.deepEqual(own, ["/s", "/p"]);
  const dirs = profileFolders({ ...linux, env: { XDG_CONFIG_DIRS: "/d:/e" } });
  assert.equal(dirs[1], "/d/tiled/profiles");
  assert.equal(tokenFolderName(API), NAME);
  assert.equal(tokenFolderName("http://h/a'(b)*!~ c/"), "http%3A%2F%2Fh%2Fa%27%28b%29%2A%21~+c%2F");
});
