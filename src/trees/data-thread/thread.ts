/**
 * The asking side of the thread that reads data: started at the first job, and again after it ended. What it had not finished
 * fails, and can be asked for again.
 */
import { Worker } from "node:worker_threads";
import { Failure } from "../../errors.ts";
import { entryUrl } from "../../lib/entry.ts";
import { type Chunks, type DataReader, inlineReader, type Job, plainJob } from "../encoding/jobs.ts";
import type { CsvScan } from "../files/csv-scan.ts";
import { type FromReader, fromPlain, type ScanWish, type ToReader } from "./messages.ts";

/** Of the thread's own heap; bytes of data are beside it, and budgeted. */
const HEAP_MB = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 32 };

interface Waiting {
  chunk(bytes: Uint8Array): void;
  /** Nothing more comes: all was sent, or what was found out. */
  end(scan?: CsvScan): void;
  fail(error: Error): void;
}

export class DataThread implements DataReader {
  readonly #log: (message: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closed = false;

  /** `log`: why the thread ended, where it should not have. */
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

  /** Fails with a `CsvProblem` where it is no table. */
  scan(wish: ScanWish): Promise<CsvScan> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const end = (scan?: CsvScan) => (scan === undefined ? reject(ended()) : resolve(scan));
      this.#begin({ kind: "scan", id, wish }, { chunk: () => undefined, end, fail: reject });
    });
  }

  /** At once: call it when nothing needs it any more. */
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

/** What came of an answer and was not taken yet: the other thread sends no more than a window of it. */
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
