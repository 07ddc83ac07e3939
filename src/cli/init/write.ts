/**
 * Puts new files in place, all or none. Each is written beside its place first, private if it holds secrets. Without a pause in
 * between, so that Ctrl-C comes before or after.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { OperatorError } from "../../errors.ts";
import { shownPath } from "../console/shell.ts";

export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly secret: boolean;
}

/** Throws an OperatorError if one of them exists. */
export function refuseExisting(paths: readonly string[]): void {
  const there = paths.filter((path) => existsSync(path)).map(shownPath);
  if (there.length > 0)
    throw new OperatorError(
      `${there.join(" and ")} ${there.length === 1 ? "exists" : "exist"} already.`,
      1,
      "Name another file, or add --force to overwrite it. The secrets in it are lost then.",
    );
}

export function writeAll(files: readonly NewFile[], force: boolean): void {
  if (!force) refuseExisting(files.map(({ path }) => path));
  const temporary: string[] = [];
  const placed: string[] = [];
  try {
    for (const file of files) temporary.push(writtenBeside(file));
    for (const [index, { path }] of files.entries()) {
      const from = temporary[index] ?? "";
      if (force) renameSync(from, path);
      else {
        placeNew(from, path);
        placed.push(path);
      }
    }
  } catch (error) {
    for (const path of placed) rmSync(path, { force: true });
    throw asOperatorError(error);
  } finally {
    for (const path of temporary) rmSync(path, { force: true });
  }
}

function writtenBeside({ path, text, secret }: NewFile): string {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const file = openSync(temporary, "wx", secret ? 0o600 : 0o666);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  return temporary;
}

/** Never over an existing file, which a rename would do. */
function placeNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
    // A file system without links.
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
}

function asOperatorError(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  return new OperatorError(`Nothing was written: ${error.message}.`);
}
