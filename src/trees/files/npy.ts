/**
 * A .npy file as an array. Only the parts of the file that a selection touches are read, from front to back.
 */
import type { ArrayData } from "../model/contract.ts";
import { copyRun, type Run, runsOf } from "../model/gather.ts";
import { countOf, type Selection } from "../model/selection.ts";
import { chunksOf } from "./chunks.ts";
import type { Inside, OpenedFile } from "./inside.ts";
import { HEADER_BYTES, type NpyHeader, parseHeader, type Unreadable } from "./npy-header.ts";
import { readAt, reading, readStart } from "./reading.ts";
import type { FilePath } from "./steps.ts";

/** Most headers need far less. */
const USUAL_HEADER = 4096;

/** Opens a .npy file as an array, or returns why it cannot be read. The caller closes `file`. */
export async function openNpy(
  inside: Inside,
  path: FilePath,
  file: OpenedFile,
): Promise<ArrayData | Unreadable> {
  let header = parseHeader(await readStart(file, USUAL_HEADER));
  if (typeof header === "string" && file.size > USUAL_HEADER)
    header = parseHeader(await readStart(file, HEADER_BYTES));
  if (typeof header === "string") return header;
  const { shape, dataType, start, order } = header;
  const bytes = shape.reduce((product, length) => product * length, dataType.itemsize);
  if (!Number.isSafeInteger(bytes)) return "its header describes an impossible size";
  if (file.size < start + bytes) return "it is shorter than its header says";
  const found = header;
  return {
    dataType,
    shape,
    chunks: chunksOf(shape, dataType.itemsize, order),
    dims: null,
    source: { kind: "npy", root: inside.root, path, mark: file.mark },
    scattered: order === "F" && shape.filter((length) => length > 1).length > 1,
    read: (selection) =>
      reading({ inside, path, mark: file.mark }, (opened) => readSelection(opened, found, selection)),
  };
}

const SMALLEST_WINDOW = 64 * 1024;
const LARGEST_WINDOW = 1024 * 1024;

async function readSelection(file: OpenedFile, header: NpyHeader, selection: Selection): Promise<Uint8Array> {
  const { itemsize } = header.dataType;
  const target = new Uint8Array(countOf(selection) * itemsize);
  const window = new Window(file, header);
  for (const run of runsOf(header.shape, selection, header.order)) {
    if (run.step === 1 && run.toStep === 1 && run.count * itemsize >= SMALLEST_WINDOW) {
      const part = target.subarray(run.to * itemsize, (run.to + run.count) * itemsize);
      await readAt(file, header.start + run.from * itemsize, part);
    } else await window.copy(run, target);
  }
  return target;
}

/** A part of the file in memory, which moves forward with the runs. */
class Window {
  readonly #file: OpenedFile;
  readonly #header: NpyHeader;
  readonly #elements: number;
  #first = 0;
  #bytes: Uint8Array = new Uint8Array();

  constructor(file: OpenedFile, header: NpyHeader) {
    this.#file = file;
    this.#header = header;
    this.#elements = header.shape.reduce((product, length) => product * length, 1);
  }

  async copy({ from, step, count, to, toStep }: Run, target: Uint8Array): Promise<void> {
    const { itemsize } = this.#header.dataType;
    for (let done = 0; done < count; ) {
      const at = from + done * step;
      const end = this.#first + this.#bytes.length / itemsize;
      if (at < this.#first || at >= end) {
        await this.#move(at, (count - done - 1) * step + 1);
        continue;
      }
      const here = Math.min(count - done, Math.ceil((end - at) / step));
      const run = { from: at, step, count: here, to: to + done * toStep, toStep };
      copyRun(this.#bytes, this.#first, run, itemsize, target);
      done += here;
    }
  }

  /** `span`: at least how many elements from there on will be used. */
  async #move(first: number, span: number): Promise<void> {
    const { start, dataType } = this.#header;
    const wanted = Math.min(Math.max(span * dataType.itemsize, SMALLEST_WINDOW), LARGEST_WINDOW);
    const elements = Math.min(Math.max(1, Math.floor(wanted / dataType.itemsize)), this.#elements - first);
    const bytes = new Uint8Array(elements * dataType.itemsize);
    await readAt(this.#file, start + first * dataType.itemsize, bytes);
    this.#first = first;
    this.#bytes = bytes;
  }
}
