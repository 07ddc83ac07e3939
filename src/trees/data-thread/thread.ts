/**
 * The main thread's side of the data thread: starts it at the first job, and again after it ended. Jobs that were unfinished
 * then fail and may be repeated.
 */
import { Worker } from "node:worker_threads";
import { Failure } from "../../errors.ts";
import { entryUrl } from "../../lib/entry.ts";
import { type Chunks, type DataReader, inlineReader, type Job, plainJob } from "../encoding/jobs.ts";
import type { CsvScan } from "../files/csv-scan.ts";
import { type FromReader, fromPlain, type ScanWish, type ToReader } from "./messages.ts";

/** Heap limits of the thread in MB; data buffers are outside the heap and have a budget. */
const HEAP_MB = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32 };

interface Waiting {
  chunk(bytes: Uint8Array): void;
  /** The answer is complete; with the result, if the job was a scan. */
  end(scan?: CsvScan): void;
  fail(error: Error): void;
}

/** Reads data on a worker thread; an idle one does not keep the process alive. */
export class DataThread implements DataReader {
  readonly #log: (message: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closed = false;

  /** `log` gets the reason if the thread ends unexpectedly. */
  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  read(job: Job): Chunks {
    const plain = plainJob(job);
    if (plain === null) return inlineReader.read(job);
    const id = ++this.#lastId;
    const answer = new Answer(
      (message) => this.#say(message),
      id,
      () => this.#forget(id),
    );
    this.#begin({ kind: "read", id, job: plain }, answer);
    return answer;
  }

  /**
   * Scans a CSV file.
   *
   * @throws {CsvProblem} The file is not a table.
   */
  scan(wish: ScanWish): Promise<CsvScan> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const end = (scan?: CsvScan) => (scan === undefined ? reject(ended()) : resolve(scan));
      this.#begin({ kind: "scan", id, wish }, { chunk: () => undefined, end, fail: reject });
    });
  }

  /** Ends the thread immediately; pending jobs are abandoned. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #begin(message: ToReader, waiting: Waiting): void {
    if (this.#closed) {
      waiting.fail(ended());
      return;
    }
    this.#waiting.set(message.id, waiting);
    this.#worker ??= this.#start();
    if (this.#waiting.size === 1) this.#worker.ref();
    this.#worker.postMessage(message);
  }

  #say(message: ToReader): void {
    if (this.#waiting.has(message.id)) this.#worker?.postMessage(message);
  }

  #forget(id: number): void {
    this.#waiting.delete(id);
    // An idle thread does not keep the process alive.
    if (this.#waiting.size === 0) this.#worker?.unref();
  }

  #start(): Worker {
    const worker = new Worker(entryUrl("src/trees/data-thread/worker"), { resourceLimits: HEAP_MB });
    worker.on("message", (message: FromReader) => this.#take(message));
    worker.on("error", (error) => this.#log(`The thread that reads data failed: ${error.message}`));
    worker.on("exit", () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const waiting of this.#waiting.values()) waiting.fail(ended());
      this.#waiting.clear();
    });
    return worker;
  }

  #take(message: FromReader): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    if (message.kind === "chunk") {
      waiting.chunk(message.bytes);
      return;
    }
    this.#forget(message.id);
    if (message.kind === "failed") waiting.fail(fromPlain(message.error));
    else waiting.end(message.kind === "scanned" ? message.scan : undefined);
  }
}

function ended(): Failure {
  return new Failure("data_unavailable", { headers: { "retry-after": "1" } });
}

/** Received chunks that were not taken yet; the thread sends at most one window ahead. */
class Answer implements Chunks, Waiting {
  readonly #say: (message: ToReader) => void;
  readonly #id: number;
  readonly #forget: () => void;
  readonly #ready: Uint8Array[] = [];
  #state: "under way" | "over" | Error = "under way";
  #next: { resolve(chunk: Uint8Array | undefined): void; reject(error: Error): void } | null = null;

  constructor(say: (message: ToReader) => void, id: number, forget: () => void) {
    this.#say = say;
    this.#id = id;
    this.#forget = forget;
  }

  next(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const chunk = this.#ready.shift();
      if (chunk !== undefined) resolve(this.#taken(chunk));
      else if (this.#state === "under way") this.#next = { resolve, reject };
      else if (this.#state === "over") resolve(undefined);
      else reject(this.#state);
    });
  }

  cancel(): void {
    this.#ready.length = 0;
    if (this.#state !== "under way") return;
    this.#say({ kind: "cancel", id: this.#id });
    this.#forget();
    this.end();
  }

  chunk(bytes: Uint8Array): void {
    if (this.#next === null) this.#ready.push(bytes);
    else this.#next.resolve(this.#taken(bytes));
    this.#next = null;
  }

  end(): void {
    this.#state = "over";
    this.#next?.resolve(undefined);
    this.#next = null;
  }

  fail(error: Error): void {
    this.#state = error;
    this.#next?.reject(error);
    this.#next = null;
  }

  #taken(chunk: Uint8Array): Uint8Array {
    this.#say({ kind: "taken", id: this.#id, bytes: chunk.length });
    return chunk;
  }
}
