/**
 * Sends data while reading them, within two limits: one for each answer, and one for all answers in progress. Small answers are
 * read on this thread and sent as a whole with an ETag. Reading stops when the client disconnects.
 */
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isKnown } from "../../domain/model/caller.ts";
import { addressBlock } from "../../domain/throttling/throttle.ts";
import { Failure } from "../../errors.ts";
import { Budget, type Holder } from "../../lib/budget.ts";
import { type Chunks, type DataReader, inlineReader, type Job } from "../../trees/encoding/jobs.ts";
import type { MediaType } from "../../trees/search/formats.ts";
import type { Proxies } from "../proxies.ts";
import { dataHeaders, sendData } from "./data.ts";

/** The reader, and the budget that all answers in progress share. */
export interface DataDeps {
  readonly reader: DataReader;
  readonly budget: Budget;
  readonly holder: (request: FastifyRequest) => Holder;
}

/** Budget for all answers in progress, in bytes. */
const PROCESS_BYTES = 256 * 1024 * 1024;
/** Cost of each streamed answer: chunks read and waiting to be sent. */
const STREAM_BYTES = 1024 * 1024;
/** Higher for a CSV file, which stays open meanwhile and is read in larger pieces. */
const CSV_BYTES = 4 * STREAM_BYTES;
/** Answers up to this size are sent as a whole. */
const WHOLE_BYTES = 1024 * 1024;
/** Smaller reads stay on this thread and are free; handing them over would cost more. */
const INLINE_BYTES = 64 * 1024;
/** Binary data, which are only copied, stay on this thread up to this size. They count. */
const COPIED_BYTES = 256 * 1024;

/** Seconds. */
const RETRY_AFTER = "2";

/**
 * Creates the budget of the process.
 *
 * @param bytes Size of the budget.
 * @param timeout How long a request waits for its share, in milliseconds; then 503.
 */
export function dataBudget(bytes = PROCESS_BYTES, timeout = 10_000): Budget {
  return new Budget({
    bytes,
    timeout,
    waiting: { each: 32, all: 128 },
    refusal: () => new Failure("data_busy", { headers: { "retry-after": RETRY_AFTER } }),
  });
}

/** Whose share of the budget a request takes: the principal's, or without a credential the address's. */
export function holderOf(request: FastifyRequest, proxies: Proxies): Holder {
  const { caller } = request;
  if (isKnown(caller)) return { key: caller.principal.uuid, known: true };
  const known = caller.kind !== "anonymous";
  return { key: known ? caller.kind : addressBlock(proxies.read(request).address), known };
}

export interface Costs {
  /** Upper bound of the bytes to read or write. */
  readonly bytes: number;
  /** Bytes held in memory besides the chunks. */
  readonly held: number;
  /** Bytes of the answer, if known. */
  readonly length: number | null;
}

export async function sendBody(
  { reader, budget, holder }: DataDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  mediaType: MediaType,
  job: Job,
  costs: Costs,
): Promise<FastifyReply> {
  if (costs.bytes <= INLINE_BYTES) {
    const whole = await upTo(inlineReader.read(job), Number.POSITIVE_INFINITY);
    return sendData(request, reply, mediaType, joined(whole.parts));
  }
  const release = await budget.take(streamBytes(job) + costs.held, holder(request));
  if (reply.raw.destroyed) {
    release();
    return reply.send();
  }
  const chunks = (isCopied(job) && costs.bytes <= COPIED_BYTES ? inlineReader : reader).read(job);
  const end = () => {
    chunks.cancel();
    release();
  };
  // The client may disconnect before anything is sent.
  reply.raw.once("close", end);
  let begun: Read;
  try {
    begun = await upTo(chunks, costs.length === null || costs.length <= WHOLE_BYTES ? WHOLE_BYTES : 0);
  } catch (error) {
    end();
    throw error;
  }
  if (begun.over) {
    // The budget is released when the answer has been sent (`close`).
    chunks.cancel();
    return sendData(request, reply, mediaType, joined(begun.parts));
  }
  reply.headers(dataHeaders(request, mediaType));
  if (costs.length !== null) reply.header("content-length", costs.length);
  // The client wants the headers only.
  if (request.method === "HEAD") {
    end();
    return reply.send(Readable.from([]));
  }
  return reply.send(streamOf(begun.parts, chunks, end));
}

function isCopied(job: Job): boolean {
  return job.kind === "array" && job.format === "bytes";
}

function streamBytes({ data: { source } }: Job): number {
  return source?.kind === "csv" ? CSV_BYTES : STREAM_BYTES;
}

interface Read {
  readonly parts: readonly Uint8Array[];
  readonly over: boolean;
}

/** Reads until the end, or until there are more than `most` bytes. */
async function upTo(chunks: Chunks, most: number): Promise<Read> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = await chunks.next();
    if (chunk === undefined) return { parts, over: true };
    parts.push(chunk);
    length += chunk.length;
    if (length > most) return { parts, over: false };
  }
}

function joined(parts: readonly Uint8Array[]): Buffer {
  const [first, second] = parts;
  if (first === undefined || second !== undefined) return Buffer.concat(parts);
  return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
}

function streamOf(parts: readonly Uint8Array[], chunks: Chunks, end: () => void): Readable {
  const waiting = [...parts];
  return new Readable({
    highWaterMark: 256 * 1024,
    read() {
      const first = waiting.shift();
      if (first !== undefined) {
        this.push(first);
        return;
      }
      chunks.next().then(
        (chunk) => this.push(chunk ?? null),
        (error: unknown) => this.destroy(error as Error),
      );
    },
    destroy(error, done) {
      end();
      done(error);
    },
  });
}
