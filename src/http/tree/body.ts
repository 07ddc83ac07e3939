/**
 * Sends data while they are being read, within two limits: one for each answer, and one for all answers under way. Small answers
 * are read on this thread and sent as a whole, with an ETag. Reading stops when the caller does.
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

export interface DataDeps {
  readonly reader: DataReader;
  readonly budget: Budget;
  readonly holder: (request: FastifyRequest) => Holder;
}

/** Of all answers of the process that are under way, in bytes. */
const PROCESS_BYTES = 256 * 1024 * 1024;
/** What each answer counts for: chunks that were read and wait to be sent. */
const STREAM_BYTES = 1024 * 1024;
/** More for a CSV file, which stays open meanwhile and is read in larger pieces. */
const CSV_BYTES = 4 * STREAM_BYTES;
/** An answer of at most so many bytes is sent as a whole. */
const WHOLE_BYTES = 1024 * 1024;
/** Smaller reads stay on this thread and count for nothing: handing them over would cost more. */
const INLINE_BYTES = 64 * 1024;
/** Elements as they are stay on this thread up to a larger size, as nothing is done but to copy them. They count. */
const COPIED_BYTES = 256 * 1024;

/** Seconds. */
const RETRY_AFTER = "2";

export function dataBudget(bytes = PROCESS_BYTES, timeout = 10_000): Budget {
  return new Budget({
    bytes,
    timeout,
    waiting: { each: 32, all: 128 },
    refusal: () => new Failure("data_busy", { headers: { "retry-after": RETRY_AFTER } }),
  });
}

/** Callers with a credential by their principal, others by their address. */
export function holderOf(request: FastifyRequest, proxies: Proxies): Holder {
  const { caller } = request;
  if (isKnown(caller)) return { key: caller.principal.uuid, known: true };
  const known = caller.kind !== "anonymous";
  return { key: known ? caller.kind : addressBlock(proxies.read(request).address), known };
}

export interface Costs {
  /** Bytes that are read or written, more rather than less. */
  readonly bytes: number;
  /** Held in memory beside the chunks. */
  readonly held: number;
  /** Bytes of the answer, where that is known. */
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
  // The caller may be gone before anything is sent.
  reply.raw.once("close", end);
  let begun: Read;
  try {
    begun = await upTo(chunks, costs.length === null || costs.length <= WHOLE_BYTES ? WHOLE_BYTES : 0);
  } catch (error) {
    end();
    throw error;
  }
  if (begun.over) {
    // It counts until it has been taken.
    chunks.cancel();
    return sendData(request, reply, mediaType, joined(begun.parts));
  }
  reply.headers(dataHeaders(request, mediaType));
  if (costs.length !== null) reply.header("content-length", costs.length);
  // Only its headers are wanted.
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

/** Until there is nothing more, or more than `most` bytes. */
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
