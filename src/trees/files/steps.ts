/**
 * Opens a path below a root name by name. Where the system shows open files as paths (/proc on Linux), each step starts from
 * the folder opened in the step before, so a rename or a symbolic link made meanwhile leads nowhere else. On other systems the
 * whole path is opened and then compared with the file at that path; only an exactly timed rename could get past that.
 */
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, realpath } from "node:fs/promises";
import { join } from "node:path";

/** Names from a root down to a file or folder, as read from the folders themselves. */
export type FilePath = readonly string[];

export interface Steps {
  /** Opens without following links. Undefined: there is no such file, or it may not be opened. */
  open(names: FilePath, flags: number): Promise<FileHandle | undefined>;
  lstat(names: FilePath): Promise<BigIntStats | undefined>;
  /** The path of an open folder, for calls that accept no descriptor. */
  pathOf(folder: FileHandle, names: FilePath): string;
}

const DESCRIPTORS = "/proc/self/fd";
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;

/** Chooses how paths below `root`, a real path without links, are opened on this system. */
export async function stepsFrom(root: string): Promise<Steps> {
  return (await attempt(() => lstat(DESCRIPTORS))) === undefined ? pathSteps(root) : descriptorSteps(root);
}

/** Opens each step from the descriptor of the folder above it (Linux). */
export function descriptorSteps(root: string): Steps {
  const pathOf = (folder: FileHandle) => `${DESCRIPTORS}/${folder.fd}`;
  /** Calls `then` with the path of the last name while the folder above it is open. */
  const walk = async <Result>(
    names: FilePath,
    then: (path: string) => Promise<Result>,
  ): Promise<Result | undefined> => {
    if (!names.every(isName)) return undefined;
    let folder = await attempt(() => open(root, FOLDER | constants.O_NOFOLLOW));
    try {
      for (const name of names.slice(0, -1)) {
        const above: FileHandle | undefined = folder;
        if (above === undefined) return undefined;
        folder = await attempt(() => open(`${pathOf(above)}/${name}`, FOLDER | constants.O_NOFOLLOW));
        await above.close();
      }
      const last = folder;
      return last && (await attempt(() => then(`${pathOf(last)}/${names.at(-1) ?? "."}`)));
    } finally {
      await folder?.close();
    }
  };
  return {
    open: (names, flags) => walk(names, (path) => open(path, flags | constants.O_NOFOLLOW)),
    lstat: (names) => walk(names, (path) => lstat(path, { bigint: true })),
    pathOf,
  };
}

/** Opens whole paths and checks afterwards that no link was followed (systems without /proc). */
export function pathSteps(root: string): Steps {
  const pathTo = (names: FilePath) => join(root, ...names);
  const isReal = async (path: string) => (await attempt(() => realpath(path))) === path;
  return {
    open: async (names, flags) => {
      const path = pathTo(names);
      if (!names.every(isName) || !(await isReal(path))) return undefined;
      // Undefined on Windows.
      const handle = await attempt(() => open(path, flags | (constants.O_NOFOLLOW ?? 0)));
      if (handle === undefined) return undefined;
      const opened = await handle.stat({ bigint: true });
      const there = await attempt(() => lstat(path, { bigint: true }));
      if ((await isReal(path)) && there?.dev === opened.dev && there.ino === opened.ino) return handle;
      await handle.close();
      return undefined;
    },
    lstat: async (names) => {
      const path = pathTo(names);
      return names.every(isName) && (await isReal(path))
        ? attempt(() => lstat(path, { bigint: true }))
        : undefined;
    },
    pathOf: (_folder, names) => pathTo(names),
  };
}

/** Names come from folder listings; this check is a second line of defence. */
function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}

/** Error codes that mean "not available", as opposed to a failing disk. */
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

/** Runs a file system call. Undefined: the file is not available; other errors are thrown. */
export async function attempt<Result>(action: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Error && "code" in error && ABSENT.has(String(error.code))) return undefined;
    throw error;
  }
}
