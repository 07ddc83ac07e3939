/**
 * Reading from an open file: all of what is asked for, or a failure that says that the file has changed.
 */
import { Failure } from "../../errors.ts";
import type { Inside, Mark, OpenedFile } from "./inside.ts";
import { markOf } from "./inside.ts";
import type { FilePath } from "./steps.ts";

export async function readAt(file: OpenedFile, position: number, into: Uint8Array): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw changed();
    done += bytesRead;
  }
}

/** The first bytes of a file, as far as it has them. */
export async function readStart(file: OpenedFile, most: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.min(most, file.size));
  await readAt(file, 0, bytes);
  return bytes;
}

/**
 * Reads a file that was seen before. What was read counts only if the file was that version before and after: else half
 * of the answer might be of another one.
 */
export async function reading<Result>(
  inside: Inside,
  place: FilePath,
  mark: Mark,
  read: (file: OpenedFile) => Promise<Result>,
): Promise<Result> {
  const file = await inside.file(place);
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

/** The same for what is read some at a time: the end fails where the file has changed, so that no half looks like a whole. */
export async function* readingParts<Part>(
  inside: Inside,
  place: FilePath,
  mark: Mark,
  read: (file: OpenedFile) => AsyncGenerator<Part>,
): AsyncGenerator<Part> {
  const file = await inside.file(place);
  if (file === undefined) throw changed();
  try {
    if (file.mark !== mark) throw changed();
    const isSame = async () => markOf(await file.handle.stat({ bigint: true })) === mark;
    try {
      yield* read(file);
    } catch (error) {
      // Half of a new version may be anything.
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
