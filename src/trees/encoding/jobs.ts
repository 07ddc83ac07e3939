/**
 * What is to be read for an answer, and who reads it: this thread where it is little, else the one of `thread/data-thread.ts`. A reader
 * gives chunk after chunk, each when the one before is taken.
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

export type Job =
  | (ArrayWish & { readonly data: ArrayData })
  | (TableWish & { readonly data: Pick<TableData, "frames" | "source"> });

/** The same for another thread. */
export interface PlainJob {
  readonly wish: ArrayWish | TableWish;
  readonly source: DataSource;
}

export interface Chunks {
  /** Undefined: that was all. Not called again before it has answered. */
  next(): Promise<Uint8Array | undefined>;
  /** Nothing more is wanted; harmless at any time. */
  cancel(): void;
}

export interface DataReader {
  read(job: Job): Chunks;
}

export function bodyOf(job: Job): Body {
  return job.kind === "array"
    ? arrayBody(job.data, job.selection, job.format)
    : frameBody(job.data.frames(job.partition, job.columns), job.format);
}

export function plainJob(job: Job): PlainJob | null {
  const { source } = job.data;
  if (source === null) return null;
  const wish: ArrayWish | TableWish =
    job.kind === "array"
      ? { kind: job.kind, selection: job.selection, format: job.format }
      : { kind: job.kind, partition: job.partition, columns: job.columns, format: job.format };
  return { wish, source };
}

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
