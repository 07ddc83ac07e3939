/**
 * The data to read for an answer, and where it is read: on this thread if it is little, else on the data thread
 * (`data-thread/thread.ts`). A reader delivers one chunk at a time, when asked for it.
 */

import type { ArrayData, DataSource, TableData } from "../model/contract.ts";
import type { Selection } from "../model/selection.ts";
import { type ArrayFormat, arrayBody, type Body, type FrameFormat, frameBody } from "./body.ts";

interface ArrayWish {
  readonly kind: "array";
  readonly selection: Selection;
  readonly format: ArrayFormat;
}

interface TableWish {
  readonly kind: "table";
  readonly partition: number | null;
  readonly columns: readonly string[] | null;
  readonly format: FrameFormat;
}

/** A selection of an array or rows of a table, and the format to encode them in. */
export type Job =
  | (ArrayWish & { readonly data: ArrayData })
  | (TableWish & { readonly data: Pick<TableData, "frames" | "source"> });

/** A job in plain values, for another thread. */
export interface PlainJob {
  readonly wish: ArrayWish | TableWish;
  readonly source: DataSource;
}

export interface Chunks {
  /** The next chunk; undefined: the end. Not called again before it has resolved. */
  next(): Promise<Uint8Array | undefined>;
  /** Stops reading; may be called at any time. */
  cancel(): void;
}

/** Reads jobs on some thread. */
export interface DataReader {
  read(job: Job): Chunks;
}

/** Reads and encodes a job on this thread. */
export function bodyOf(job: Job): Body {
  return job.kind === "array"
    ? arrayBody(job.data, job.selection, job.format)
    : frameBody(job.data.frames(job.partition, job.columns), job.format);
}

/** The job in plain values; null: only this thread can read it. */
export function plainJob(job: Job): PlainJob | null {
  const { source } = job.data;
  if (source === null) return null;
  const wish: ArrayWish | TableWish =
    job.kind === "array"
      ? { kind: job.kind, selection: job.selection, format: job.format }
      : { kind: job.kind, partition: job.partition, columns: job.columns, format: job.format };
  return { wish, source };
}

/** Reads on this thread. */
export const inlineReader: DataReader = {
  read: (job) => {
    const body = bodyOf(job);
    let cancelled = false;
    return {
      next: async () => {
        if (cancelled) return undefined;
        const { done, value } = await body.next();
        return done === true ? undefined : value;
      },
      cancel: () => {
        cancelled = true;
        void body.return(undefined).catch(() => undefined);
      },
    };
  },
};
