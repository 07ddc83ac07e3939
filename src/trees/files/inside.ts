/**
 * Opens what is inside of a folder, and nothing else: no path that is given here comes from a request, and symbolic links
 * are followed nowhere, also not where one is put into a path while it is walked (`steps.ts`).
 */
import { isUtf8 } from "node:buffer";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, readdir } from "node:fs/promises";
import { Failure } from "../../errors.ts";
import { Semaphore } from "../../lib/semaphore.ts";
import { attempt, type FilePath, type Steps } from "./steps.ts";

/** What tells two versions of a file apart. */
export type Mark = string;

export interface OpenedFile {
  readonly handle: Pick<FileHandle, "read" | "stat" | "close">;
  readonly size: number;
  readonly mark: Mark;
}

/** A name in a folder, and what it is. */
export interface Found {
  /** Undefined where it is not UTF-8. */
  readonly name: string | undefined;
  readonly kind: "folder" | "file" | "link" | "other";
}

export interface OpenedFolder {
  readonly mark: Mark;
  /** When it was changed last, in milliseconds since 1970. */
  readonly changedAt: number;
  names(): Promise<readonly Found[]>;
  close(): Promise<void>;
}

/** Of all trees together, in this thread: a way down needs two descriptors for a moment, an open file one for as long as it is read. */
const MOST_OPEN = { ways: 32, files: 96 };
/** How long a caller waits for others to close theirs; milliseconds. */
const TIMEOUT = 10_000;

function semaphore(permits: number): Semaphore {
  const onTimeout = () => new Failure("data_busy", { headers: { "retry-after": "1" } });
  return new Semaphore({ permits, timeout: TIMEOUT, onTimeout });
}

const ways = semaphore(MOST_OPEN.ways);
const files = semaphore(MOST_OPEN.files);

/** Nothing waits for a way or a file while it has one of the same kind. */
export class Inside {
  /** A real path. */
  readonly root: string;
  readonly #steps: Steps;

  constructor(root: string, steps: Steps) {
    this.root = root;
    this.#steps = steps;
  }

  /** Undefined: there is no such file, it is no plain file, or it may not be read. The caller closes it. */
  async file(place: FilePath): Promise<OpenedFile | undefined> {
    const end = await files.acquire();
    try {
      // Without waiting: opening a pipe would.
      const handle = await this.#open(place, constants.O_RDONLY | constants.O_NONBLOCK);
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

  async folder(place: FilePath): Promise<OpenedFolder | undefined> {
    const end = await files.acquire();
    try {
      const handle = await this.#open(place, constants.O_RDONLY | constants.O_DIRECTORY);
      if (handle === undefined) {
        end();
        return undefined;
      }
      const stats = await handle.stat({ bigint: true });
      return {
        mark: markOf(stats),
        changedAt: Number(stats.mtimeMs > stats.ctimeMs ? stats.mtimeMs : stats.ctimeMs),
        names: async () => (await attempt(() => namesIn(this.#steps.pathOf(handle, place)))) ?? [],
        close: () => handle.close().finally(end),
      };
    } catch (error) {
      end();
      throw error;
    }
  }

  #open(place: FilePath, flags: number): Promise<FileHandle | undefined> {
    return ways.run(() => this.#steps.open(place, flags));
  }

  /** Undefined: nothing is there. */
  async mark(place: FilePath): Promise<Mark | undefined> {
    const stats = await ways.run(() => this.#steps.lstat(place));
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

export function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Mark {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
