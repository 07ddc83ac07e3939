/**
 * Reads from open files: everything requested, or the failure `changed` if the file is another version by then.
 */
import { Failure } from "../../errors.ts";
import type { Inside, Mark, OpenedFile } from "./inside.ts";
import { markOf } from "./inside.ts";
import type { FilePath } from "./steps.ts";

/** A version of a file that was seen before. */
export interface FileVersion {
  readonly inside: Inside;
  readonly path: FilePath;
  readonly mark: Mark;
}

/**
 * Fills `into` from an offset in bytes.
 *
 * @throws {Failure} `changed` if the file is shorter.
 */
export async function readAt(file: OpenedFile, position: number, into: Uint8Array): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw changed();
    done += bytesRead;
  }
}

/** Reads up to `most` bytes from the beginning of a file. */
export async function readStart(file: OpenedFile, most: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.min(most, file.size));
  await readAt(file, 0, bytes);
  return bytes;
}

/**
 * Reads a known version of a file. The result counts only if the file was that version before and after; otherwise a half of it
 * could come from another one.
 *
 * @throws {Failure} `changed`
 */
export async function reading<Result>(
  { inside, path, mark }: FileVersion,
  read: (file: OpenedFile) => Promise<Result>,
): Promise<Result> {
  const file = await inside.file(path);
  if (file === undefined) throw changed();
  try {
    if (file.mark !== mark) throw changed();
    const result = await read(file);
    if (markOf(await file.handle.stat({ bigint: true })) !== mark) throw changed();
    return result;
  } finally {
    await file.handle.close();
  }
}

/** Like `reading`, in batches: fails at the end if the file has changed, so that an incomplete answer never looks complete. */
export async function* readingParts<Part>(
  { inside, path, mark }: FileVersion,
  read: (file: OpenedFile) => AsyncGenerator<Part>,
): AsyncGenerator<Part> {
  const file = await inside.file(path);
  if (file === undefined) throw changed();
  try {
    if (file.mark !== mark) throw changed();
    const isSame = async () => markOf(await file.handle.stat({ bigint: true })) === mark;
    try {
      yield* read(file);
    } catch (error) {
      // Half of a new version can cause any error.
      throw (await isSame()) ? error : changed();
    }
    if (!(await isSame())) throw changed();
  } finally {
    await file.handle.close();
  }
}

function changed(): Failure {
  return new Failure("changed");
}
