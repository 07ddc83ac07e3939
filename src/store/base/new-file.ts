/**
 * A file that appears whole or not at all: written beside its place under another name, mode 0600, synced to the disk, and moved
 * there. Nothing is replaced unless that was asked for.
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

export interface NewFile {
  /** Where the file is to be written. */
  readonly temporary: string;
  /** Moves it to its place; `replace`: over what is there. */
  publish(replace: boolean): void;
  /** Takes away what was written and not moved. */
  remove(): void;
}

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

/** A link is made only where nothing is, also when another process is as fast. */
function moveTo(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
    rmSync(temporary);
  } catch (error) {
    if (codeOf(error) === "EEXIST" || existsSync(path)) throw taken(path);
    // A file system without links.
    renameSync(temporary, path);
  }
}

export function taken(path: string): OperatorError {
  return new OperatorError(`There is a file at ${path} already. --force replaces it.`);
}

function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The same file by two names. */
export function isSameFile(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}

/** Where root restores what a service's user reads. */
export function giveTo(path: string, owner: Pick<Stats, "uid" | "gid">): void {
  if (process.getuid?.() === 0) chownSync(path, owner.uid, owner.gid);
}
