/**
 * Creates a file atomically: writes it under a temporary name in the same folder, mode 0600, syncs it to the disk and renames
 * it. An existing file is replaced only on request.
 */
import { randomBytes } from "node:crypto";
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { OperatorError } from "../../errors.ts";
import { codeOf, messageOf } from "./errors.ts";

/** A file that is being written. */
export interface NewFile {
  /** Path to write to. */
  readonly temporary: string;
  /** Renames the file to its final path. `replace` overwrites an existing file; without it that file is an OperatorError. */
  publish(replace: boolean): void;
  /** Deletes a file that was not published. */
  remove(): void;
}

/** Begins a new file. Throws an OperatorError if its folder is not writable. */
export function newFile(path: string): NewFile {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.partial`;
  try {
    closeSync(openSync(temporary, "wx", 0o600));
  } catch (error) {
    throw new OperatorError(`The file ${path} cannot be written: ${messageOf(error)}.`);
  }
  return {
    temporary,
    publish: (replace) => {
      sync(temporary);
      if (replace) renameSync(temporary, path);
      else moveTo(temporary, path);
      sync(dirname(path));
    },
    remove: () => {
      for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(temporary + end, { force: true });
    },
  };
}

/** Linking fails if the path exists, even if another process creates it at the same moment. */
function moveTo(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
    rmSync(temporary);
  } catch (error) {
    if (codeOf(error) === "EEXIST" || existsSync(path)) throw taken(path);
    // The file system has no hard links.
    renameSync(temporary, path);
  }
}

/** Error for a path that exists. */
export function taken(path: string): OperatorError {
  return new OperatorError(`${path} already exists. Use --force to replace it.`);
}

function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether two paths name the same file. */
export function isSameFile(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}

/** Keeps the owner of a file that root restores for a service's user. */
export function giveTo(path: string, owner: Pick<Stats, "uid" | "gid">): void {
  if (process.getuid?.() === 0) chownSync(path, owner.uid, owner.gid);
}
