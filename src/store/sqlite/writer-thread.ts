/**
 * The main thread's side of the writer: collects the commands of one turn of the event loop into a few messages and returns each
 * answer to its caller. If the thread ends, its unanswered commands fail and the next command starts a new thread.
 */
import { Worker } from "node:worker_threads";
import type { Failure } from "../../errors.ts";
import { entryUrl } from "../../lib/entry.ts";
import { fromPlain, toPlain, unavailable, uncertain } from "../base/errors.ts";
import type { CommandArgs, CommandName, CommandResult } from "../commands/commands.ts";
import type { WriteAnswer, WriteRequest } from "./writer.ts";
import type { ToWriter, WriterData } from "./writer-worker.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

type Log = (level: "info" | "warn" | "error", message: string) => void;

const LARGEST_BATCH = 256;
/** Number of commands that are sent without waiting for more, so that the writer works while others arrive. */
const ENOUGH = 8;

/** Young generation in MB. Commands leave little garbage: a larger one costs an idle server memory and is no faster. */
const YOUNG_MB = 2;

/** Runs commands in the writer's thread. */
export class WriterThread {
  readonly #path: string;
  readonly #busyTimeout: number | undefined;
  readonly #log: Log;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #unsent: WriteRequest[] = [];
  #lastId = 0;
  #closed = false;
  #idle: (() => void) | undefined;

  constructor(path: string, log: Log, busyTimeout?: number) {
    this.#path = path;
    this.#busyTimeout = busyTimeout;
    this.#log = log;
    // Started now, so that the first command does not have to wait.
    this.#worker = this.#start();
    this.#worker.unref();
  }

  write<N extends CommandName>(name: N, args: CommandArgs<N>): Promise<CommandResult<N>> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#closed) {
        reject(unavailable("The store is closed."));
        return;
      }
      const id = ++this.#lastId;
      if (this.#waiting.size === 0) this.#worker?.ref();
      this.#waiting.set(id, { resolve, reject });
      const unsent = this.#unsent.push({ id, name, args });
      if (unsent === ENOUGH) this.#send();
      else if (unsent === 1) setImmediate(() => this.#send());
    }) as Promise<CommandResult<N>>;
  }

  /** Waits for earlier commands, then ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    worker.ref();
    worker.postMessage(null satisfies ToWriter);
    await ended;
  }

  #send(): void {
    if (this.#unsent.length === 0) return;
    const batch = this.#unsent;
    this.#unsent = [];
    this.#worker ??= this.#start();
    try {
      this.#worker.postMessage(batch satisfies ToWriter);
    } catch {
      // One command cannot be cloned; sending each alone keeps it from failing the others.
      for (const request of batch) this.#sendAlone(this.#worker, request);
    }
  }

  #sendAlone(worker: Worker, request: WriteRequest): void {
    try {
      worker.postMessage([request] satisfies ToWriter);
    } catch (error) {
      this.#settle({ id: request.id, ok: false, error: toPlain(error) });
    }
  }

  #start(): Worker {
    const workerData: WriterData = {
      path: this.#path,
      busyTimeout: this.#busyTimeout,
      largestBatch: LARGEST_BATCH,
    };
    const worker = new Worker(entryUrl("src/store/sqlite/writer-worker"), {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    worker.on("message", (answers: readonly WriteAnswer[]) => {
      for (const answer of answers) this.#settle(answer);
    });
    worker.on("error", (error) => this.#log("error", `The database's writer failed: ${error.message}`));
    worker.on("exit", () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#failAll(uncertain("the database's writer ended"));
    });
    return worker;
  }

  #settle(answer: WriteAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.value);
    else waiting?.reject(fromPlain(answer.error));
    if (this.#waiting.size > 0) return;
    // An idle writer does not keep the process alive.
    this.#worker?.unref();
    this.#idle?.();
  }

  #failAll(failure: Failure): void {
    const unsent = new Set(this.#unsent.map(({ id }) => id));
    for (const [id, waiting] of this.#waiting) {
      if (unsent.has(id)) continue;
      this.#waiting.delete(id);
      waiting.reject(failure);
    }
    if (this.#waiting.size === 0) this.#idle?.();
  }
}
