/**
 * Opens files below a folder and nothing else: no path comes from a request, and symbolic links are never followed, not even
 * one created while a path is being walked (`steps.ts`).
 */
import { isUtf8 } from "node:buffer";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, readdir } from "node:fs/promises";
import { Failure } from "../../errors.ts";
import { Semaphore } from "../../lib/semaphore.ts";
import { attempt, type FilePath, type Steps } from "./steps.ts";

/** Identifies a version of a file: device, inode, size and times. */
export type Mark = string;

/** An open file. Its owner closes `handle`. */
export interface OpenedFile {
  readonly handle: Pick<FileHandle, "read" | "stat" | "close">;
  readonly size: number;
  readonly mark: Mark;
}

/** A directory entry. */
export interface Found {
  /** Undefined: the name is not UTF-8. */
  readonly name: string | undefined;
  readonly kind: "folder" | "file" | "link" | "other";
}

export interface OpenedFolder {
  readonly mark: Mark;
  /** Time of the last change, in milliseconds since 1970. */
  readonly changedAt: number;
  names(): Promise<readonly Found[]>;
  close(): Promise<void>;
}

/**
 * Limits for all trees of this thread: walking a path takes two descriptors for a moment, an open file takes one until it is
 * closed.
 */
const MOST_OPEN = { ways: 32, files: 96 };
/** How long a caller waits for a free descriptor, in milliseconds. */
const TIMEOUT = 10_000;

function semaphore(permits: number): Semaphore {
  const onTimeout = () => new Failure("data_busy", { headers: { "retry-after": "1" } });
  return new Semaphore({ permits, timeout: TIMEOUT, onTimeout });
}

const ways = semaphore(MOST_OPEN.ways);
const files = semaphore(MOST_OPEN.files);

/**
 * A folder of the operator's, as the root of all paths. No call waits for a permit while it holds one of the same kind, so
 * calls cannot block each other.
 */
export class Inside {
  /** A real path, without links. */
  readonly root: string;
  readonly #steps: Steps;

  constructor(root: string, steps: Steps) {
    this.root = root;
    this.#steps = steps;
  }

  /** Opens a file; the caller closes it. Undefined: there is no such file, it is not a regular file, or it may not be read. */
  async file(path: FilePath): Promise<OpenedFile | undefined> {
    const end = await files.acquire();
    try {
      // Non-blocking, because opening a pipe would wait for its writer.
      const handle = await this.#open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const stats = await handle?.stat({ bigint: true });
      if (handle === undefined || !stats?.isFile()) {
        await handle?.close();
        end();
        return undefined;
      }
      return {
        handle: {
          read: handle.read.bind(handle),
          stat: handle.stat.bind(handle),
          close: () => handle.close().finally(end),
        },
        size: Number(stats.size),
        mark: markOf(stats),
      };
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Opens a folder; the caller closes it. Undefined: there is no such folder, or it may not be read. */
  async folder(path: FilePath): Promise<OpenedFolder | undefined> {
    const end = await files.acquire();
    try {
      const handle = await this.#open(path, constants.O_RDONLY | constants.O_DIRECTORY);
      if (handle === undefined) {
        end();
        return undefined;
      }
      const stats = await handle.stat({ bigint: true });
      return {
        mark: markOf(stats),
        changedAt: Number(stats.mtimeMs > stats.ctimeMs ? stats.mtimeMs : stats.ctimeMs),
        names: async () => (await attempt(() => namesIn(this.#steps.pathOf(handle, path)))) ?? [],
        close: () => handle.close().finally(end),
      };
    } catch (error) {
      end();
      throw error;
    }
  }

  #open(path: FilePath, flags: number): Promise<FileHandle | undefined> {
    return ways.run(() => this.#steps.open(path, flags));
  }

  /** The current version of a file. Undefined: it does not exist. */
  async mark(path: FilePath): Promise<Mark | undefined> {
    const stats = await ways.run(() => this.#steps.lstat(path));
    return stats && markOf(stats);
  }
}

async function namesIn(path: string): Promise<readonly Found[]> {
  const entries = await readdir(path, { withFileTypes: true, encoding: "buffer" });
  return entries.map((entry) => ({
    name: isUtf8(entry.name) ? entry.name.toString() : undefined,
    kind: entry.isDirectory()
      ? "folder"
      : entry.isFile()
        ? "file"
        : entry.isSymbolicLink()
          ? "link"
          : "other",
  }));
}

/** The version of a file from its `stat`. */
export function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Mark {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
