/**
 * Opens what is inside of a folder, and nothing else: no path that is given here comes from a request, symbolic links are
 * followed nowhere, and what was opened is compared with what stands at its place, so that no exchange in between helps.
 */
import { isUtf8 } from "node:buffer";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** What tells two versions of a file apart. */
export type Mark = string;

export interface OpenedFile {
  readonly handle: FileHandle;
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

/** Names below the root, as they were found there. */
export type Place = readonly string[];

export class Inside {
  readonly #root: string;

  /** `root`: a real path, without links. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Undefined: there is no such file, it is no plain file, or it may not be read. The caller closes it. */
  async file(place: Place): Promise<OpenedFile | undefined> {
    // Without waiting: opening a pipe would.
    const opened = await this.#open(place, constants.O_RDONLY | constants.O_NONBLOCK);
    if (opened === undefined) return undefined;
    const { handle, stats } = opened;
    if (stats.isFile()) return { handle, size: Number(stats.size), mark: markOf(stats) };
    await handle.close();
    return undefined;
  }

  async folder(place: Place): Promise<OpenedFolder | undefined> {
    const opened = await this.#open(place, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0));
    if (opened === undefined) return undefined;
    const { handle, stats } = opened;
    return {
      mark: markOf(stats),
      changedAt: Number(stats.mtimeMs > stats.ctimeMs ? stats.mtimeMs : stats.ctimeMs),
      names: () => this.#names(handle, place),
      close: () => handle.close(),
    };
  }

  /** Undefined: nothing is there. */
  async mark(place: Place): Promise<Mark | undefined> {
    const stats = await attempt(() => lstat(this.#path(place), { bigint: true }));
    return stats && markOf(stats);
  }

  #path(place: Place): string {
    return join(this.#root, ...place);
  }

  async #open(
    place: Place,
    flags: number,
  ): Promise<{ readonly handle: FileHandle; readonly stats: BigIntStats } | undefined> {
    const path = this.#path(place);
    const handle = await attempt(() => open(path, flags | (constants.O_NOFOLLOW ?? 0)));
    if (handle === undefined) return undefined;
    const stats = await handle.stat({ bigint: true });
    if (await this.#standsAt(path, stats)) return { handle, stats };
    await handle.close();
    return undefined;
  }

  /** `open` looks at the last name only; a link may stand anywhere before it, if only for a moment. */
  async #standsAt(path: string, opened: BigIntStats): Promise<boolean> {
    if ((await attempt(() => realpath(path))) !== path) return false;
    const there = await attempt(() => lstat(path, { bigint: true }));
    return there !== undefined && there.dev === opened.dev && there.ino === opened.ino;
  }

  /** By what was opened where the system can do that, else by the path. */
  async #names(handle: FileHandle, place: Place): Promise<readonly Found[]> {
    const options = { withFileTypes: true, encoding: "buffer" } as const;
    const through = process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : this.#path(place);
    const entries =
      (await attempt(() => readdir(through, options))) ?? (await readdir(this.#path(place), options));
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
}

export function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Mark {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

/** What says that there is nothing to be had, and not that something is broken. */
const ABSENT: ReadonlySet<string> = new Set([
  "EACCES",
  "ELOOP",
  "EMLINK",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
  "ENXIO",
  "EPERM",
]);

async function attempt<Result>(action: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Error && "code" in error && ABSENT.has(String(error.code))) return undefined;
    throw error;
  }
}
