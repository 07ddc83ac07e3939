/**
 * Logins on disk, in the same files as the Python client's, so that both languages share them. Python truncates a file before it
 * writes it; this store replaces files, and reads an empty one again.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type StoredTokens, storedTokensOf, type TokenStore } from "../store.ts";
import { cacheFolder, tokenFolderName } from "./folders.ts";
import { isError, underLockFile } from "./lock-file.ts";

/** In the order in which they are written. */
const NAMES = ["refresh_token", "access_token", "id_token"] as const;
/** Bytes. */
const LIMIT = 65_536;
/** How often an empty file is read again, and milliseconds between. */
const AGAIN = { times: 10, pause: 20 };

/**
 * The store of `fromUri` in Node, shared with the Python client. `folder`: default `$TILED_CACHE_DIR`, else the user's cache
 * folder for Tiled, e.g. `~/.cache/tiled`. Fails with the system's own errors if it cannot be written.
 *
 * @example
 * ```ts
 * import { FileStore, fromUri } from "tiled-auth/client";
 *
 * const context = await fromUri("https://tiled.example.org", { store: new FileStore("/var/lib/my-service/tiled") });
 * ```
 */
export class FileStore implements TokenStore {
  readonly folder: string;

  constructor(folder: string = cacheFolder()) {
    this.folder = folder;
  }

  async get(apiUri: string): Promise<StoredTokens | null> {
    const folder = this.#folderOf(apiUri);
    const texts = await Promise.all(NAMES.map((name) => readToken(join(folder, name))));
    return storedTokensOf(Object.fromEntries(NAMES.map((name, index) => [name, texts[index]])));
  }

  async set(apiUri: string, tokens: StoredTokens): Promise<void> {
    const folder = this.#folderOf(apiUri);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of NAMES) {
      const token = tokens[name];
      if (token === undefined) await remove(join(folder, name));
      else await replace(folder, name, token);
    }
  }

  async clear(apiUri: string): Promise<void> {
    const folder = this.#folderOf(apiUri);
    for (const name of ["access_token", "refresh_token", "id_token"]) await remove(join(folder, name));
  }

  async lock<T>(apiUri: string, work: () => Promise<T>): Promise<T> {
    const folder = this.#folderOf(apiUri);
    // If it cannot be created, writing the tokens will fail with the reason.
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => {});
    return await underLockFile(join(folder, "lock"), work);
  }

  #folderOf(apiUri: string): string {
    return join(this.folder, "tokens", tokenFolderName(apiUri));
  }
}

async function readToken(path: string): Promise<string | null> {
  for (let time = 0; ; time++) {
    const text = await read(path);
    if (text === null) return null;
    if (text !== "" || time === AGAIN.times) return text.trim();
    await delay(AGAIN.pause);
  }
}

async function read(path: string): Promise<string | null> {
  try {
    const file = await open(path, "r");
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(LIMIT), 0, LIMIT, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isError(error, "ENOENT")) return null;
    throw error;
  }
}

async function replace(folder: string, name: string, token: string): Promise<void> {
  const beside = join(folder, `.${name}.${randomBytes(8).toString("hex")}`);
  try {
    await writeFile(beside, token, { flag: "wx", mode: 0o600 });
    await rename(beside, join(folder, name));
  } catch (error) {
    await remove(beside);
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isError(error, "ENOENT")) throw error;
  });
}
