/**
 * The messages between the main thread (`thread.ts`) and the data thread (`worker.ts`), including errors as plain values.
 */
import { Failure, type FailureCode, type FailureOptions } from "../../errors.ts";
import type { PlainJob } from "../encoding/jobs.ts";
import { CsvProblem } from "../files/csv-parser.ts";
import type { CsvScan } from "../files/csv-scan.ts";

/** A version of a CSV file to scan. */
export interface ScanWish {
  /** A real path, without links. */
  readonly root: string;
  readonly path: readonly string[];
  readonly mark: string;
}

export type ToReader =
  | { readonly kind: "read"; readonly id: number; readonly job: PlainJob }
  | { readonly kind: "scan"; readonly id: number; readonly wish: ScanWish }
  /** This many bytes were taken, so as many more may be sent. */
  | { readonly kind: "taken"; readonly id: number; readonly bytes: number }
  | { readonly kind: "cancel"; readonly id: number };

export type FromReader =
  | { readonly kind: "chunk"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "end"; readonly id: number }
  | { readonly kind: "scanned"; readonly id: number; readonly scan: CsvScan }
  | { readonly kind: "failed"; readonly id: number; readonly error: PlainError };

/** Bytes of one answer that may be sent ahead. */
export const WINDOW_BYTES = 512 * 1024;

/** An error as a plain value. */
export type PlainError =
  | { readonly kind: "failure"; readonly code: FailureCode; readonly options: FailureOptions }
  | { readonly kind: "csv"; readonly message: string }
  | {
      readonly kind: "other";
      readonly message: string;
      readonly code: string | null;
      readonly stack: string;
    };

/** Converts an error for the other thread, without its `cause`. */
export function toPlain(error: unknown): PlainError {
  if (error instanceof Failure) {
    const { code, detail, headers, message } = error;
    return { kind: "failure", code, options: { detail, headers, log: message } };
  }
  if (error instanceof CsvProblem) return { kind: "csv", message: error.message };
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const code = (error as { readonly code?: unknown } | null)?.code;
  return { kind: "other", message, stack, code: typeof code === "string" ? code : null };
}

/** Restores an error from the other thread. */
export function fromPlain(error: PlainError): Error {
  switch (error.kind) {
    case "failure":
      return new Failure(error.code, error.options);
    case "csv":
      return new CsvProblem(error.message);
    case "other": {
      const { message, stack, code } = error;
      return Object.assign(new Error(message), { stack }, code === null ? {} : { code });
    }
  }
}
