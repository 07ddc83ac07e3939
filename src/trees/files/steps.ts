/**
 * The way from a folder down to what is in it, name by name. Where the system shows open files as paths (Linux, /proc), each
 * step starts from the folder that the last one has opened, so that nothing that is moved or linked meanwhile leads
 * elsewhere. Elsewhere the whole path is opened and then compared with what stands there, which a very lucky rename beats.
 */
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, realpath } from "node:fs/promises";
import { join } from "node:path";

/** Names below a root, as they were found there. */
export type FilePath = readonly string[];

export interface Steps {
  /** Undefined: there is nothing of the kind, or it may not be opened. No link is followed. */
  open(place: FilePath, flags: number): Promise<FileHandle | undefined>;
  lstat(place: FilePath): Promise<BigIntStats | undefined>;
  /** Of a folder that is open. */
  pathOf(folder: FileHandle, place: FilePath): string;
}

const DESCRIPTORS = "/proc/self/fd";
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;

/** `root`: a real path, without links. */
export async function stepsFrom(root: string): Promise<Steps> {
  return (await attempt(() => lstat(DESCRIPTORS))) === undefined ? pathSteps(root) : descriptorSteps(root);
}

export function descriptorSteps(root: string): Steps {
  const pathOf = (folder: FileHandle) => `${DESCRIPTORS}/${folder.fd}`;
  /** Calls with the path of the last name, while the folder that it is in is open. */
  const walk = async <Result>(
    place: FilePath,
    then: (path: string) => Promise<Result>,
  ): Promise<Result | undefined> => {
    if (!place.every(isName)) return undefined;
    let folder = await attempt(() => open(root, FOLDER | constants.O_NOFOLLOW));
    try {
      for (const name of place.slice(0, -1)) {
        const above: FileHandle | undefined = folder;
        if (above === undefined) return undefined;
        folder = await attempt(() => open(`${pathOf(above)}/${name}`, FOLDER | constants.O_NOFOLLOW));
        await above.close();
      }
      const last = folder;
      return last && (await attempt(() => then(`${pathOf(last)}/${place.at(-1) ?? "."}`)));
    } finally {
      await folder?.close();
    }
  };
  return {
    open: (place, flags) => walk(place, (path) => open(path, flags | constants.O_NOFOLLOW)),
    lstat: (place) => walk(place, (path) => lstat(path, { bigint: true })),
    pathOf,
  };
}

export function pathSteps(root: string): Steps {
  const pathTo = (place: FilePath) => join(root, ...place);
  const isReal = async (path: string) => (await attempt(() => realpath(path))) === path;
  return {
    open: async (place, flags) => {
      const path = pathTo(place);
      if (!place.every(isName) || !(await isReal(path))) return undefined;
      // Undefined on Windows.
      const handle = await attempt(() => open(path, flags | (constants.O_NOFOLLOW ?? 0)));
      if (handle === undefined) return undefined;
      const opened = await handle.stat({ bigint: true });
      const there = await attempt(() => lstat(path, { bigint: true }));
      if ((await isReal(path)) && there?.dev === opened.dev && there.ino === opened.ino) return handle;
      await handle.close();
      return undefined;
    },
    lstat: async (place) => {
      const path = pathTo(place);
      return place.every(isName) && (await isReal(path))
        ? attempt(() => lstat(path, { bigint: true }))
        : undefined;
    },
    pathOf: (_folder, place) => pathTo(place),
  };
}

/** Names come from folders' own lists; this makes sure of it. */
function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
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

export async function attempt<Result>(action: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Error && "code" in error && ABSENT.has(String(error.code))) return undefined;
    throw error;
  }
}
