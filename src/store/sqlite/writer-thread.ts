/**
 * The main thread's side of the writer: sends the commands that have gathered in one message and returns each answer to its
 * caller. If the thread ends, its unanswered commands fail and the next command starts a new thread.
 */
import { Worker } from "node:worker_threads";
import type { Failure } from "../../errors.ts";
import { entryUrl } from "../../lib/entry.ts";
import { fromPlain, toPlain, unavailable, uncertain } from "../base/errors.ts";
import { News } from "../base/news.ts";
import type { CommandArgs, CommandName, CommandResult } from "../commands/commands.ts";
import { tellChange, tellFailure } from "../commands/effects.ts";
import { packArgs, unpackResult } from "./wire.ts";
import type { FromWriter, PackedAnswer, PackedRequest, ToWriter, WriterData } from "./writer-worker.ts";

interface Waiting {
  readonly name: CommandName;
  readonly args: unknown;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

type Log = (level: "info" | "warn" | "error", message: string) => void;

const LARGEST_BATCH = 256;
/** Commands that are sent without waiting for more: a commit shared by so many costs each little. */
const ENOUGH = 16;

/** Young generation in MB. Commands leave little garbage: a larger one costs an idle server memory and is no faster. */
const YOUNG_MB = 2;

/** Runs commands in the writer's thread. */
export class WriterThread {
  readonly #path: string;
  readonly #busyTimeout: number | undefined;
  readonly #log: Log;
  readonly #onForeign: () => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #unsent: PackedRequest[] = [];
  #gathering = false;
  #latestBatch = 0;
  #lastId = 0;
  #closed = false;
  #idle: (() => void) | undefined;
  readonly news: News;
  /** The latest answer of this thread; undefined before the first. */
  #version: string | undefined;
  #askedAt: number | undefined;

  /** `onForeign`: called once another program may have changed the database. */
  constructor(path: string, log: Log, busyTimeout?: number, onForeign: () => void = () => {}) {
    this.#path = path;
    this.#busyTimeout = busyTimeout;
    this.#log = log;
    this.#onForeign = onForeign;
    this.news = new News((askedAt) => this.#ask(askedAt));
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
      this.#waiting.set(id, { name, args, resolve, reject });
      this.#unsent.push([id, name, packArgs(name, args)]);
      if (this.#unsent.length === 1 && this.#unanswered === 0) this.#gather();
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

  /** Commands that the thread has. */
  get #unanswered(): number {
    return this.#waiting.size - this.#unsent.length;
  }

  /**
   * Sends once a turn of the event loop brings no further command, since the requests of many clients arrive over a few turns.
   * Fewer messages wake the threads less often, and fewer commits write less. After a batch of one, as from a single client,
   * the next is sent without waiting for a turn.
   */
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    const look = (before: number) => {
      const { length } = this.#unsent;
      if (length > before && length < ENOUGH) {
        setImmediate(look, length);
        return;
      }
      this.#gathering = false;
      this.#sendNext();
    };
    setImmediate(look, this.#latestBatch > 1 ? 0 : this.#unsent.length);
  }

  /** Commands also gather while the thread has others. */
  #sendNext(): void {
    if (this.#unsent.length > 0 && this.#unanswered === 0) this.#send();
  }

  #send(): void {
    const batch = this.#unsent;
    this.#unsent = [];
    this.#latestBatch = batch.length;
    this.#worker ??= this.#start();
    try {
      this.#worker.postMessage(batch satisfies ToWriter);
    } catch {
      // One command cannot be cloned; sending each alone keeps it from failing the others.
      for (const request of batch) this.#sendAlone(this.#worker, request);
    }
  }

  #sendAlone(worker: Worker, request: PackedRequest): void {
    try {
      worker.postMessage([request] satisfies ToWriter);
    } catch (error) {
      this.#settle([request[0], null, toPlain(error)]);
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
    worker.on("message", (message: FromWriter) => {
      if ("version" in message) this.#answered(message.version);
      else {
        for (const answer of message) this.#settle(answer);
        this.#gather();
      }
    });
    worker.on("error", (error) => this.#log("error", `The database's writer failed: ${error.message}`));
    worker.on("exit", () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#version = undefined;
      this.#answered(null);
      this.#failAll(uncertain("the database's writer ended"));
      this.#sendNext();
    });
    return worker;
  }

  #settle(answer: PackedAnswer): void {
    const [id] = answer;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting !== undefined) this.#finish(waiting, answer);
    if (this.#waiting.size > 0) return;
    // An idle writer does not keep the process alive.
    this.#worker?.unref();
    this.#idle?.();
  }

  #finish({ name, args, resolve, reject }: Waiting, [, packed, failure]: PackedAnswer): void {
    if (failure === undefined) {
      const result = unpackResult(name, packed);
      tellChange(this.news, name, args as never, result as never);
      resolve(result);
      return;
    }
    const error = fromPlain(failure);
    tellFailure(this.news, name, error);
    reject(error);
  }

  /** Asks the thread whether another program has changed the database. Keeps no process alive. */
  #ask(askedAt: number): void {
    if (this.#closed) {
      this.news.unanswered();
      return;
    }
    this.#worker ??= this.#start();
    if (this.#waiting.size === 0) this.#worker.unref();
    this.#askedAt = askedAt;
    this.#worker.postMessage("version?" satisfies ToWriter);
  }

  #answered(version: string | null): void {
    const askedAt = this.#askedAt;
    this.#askedAt = undefined;
    if (askedAt === undefined) return;
    if (version === null) {
      this.news.unanswered();
      return;
    }
    // What was read before the first answer may have been changed before the question.
    if (version !== this.#version) {
      this.#version = version;
      this.#onForeign();
      this.news.beginEra();
    }
    this.news.answered(askedAt);
  }

  #failAll(failure: Failure): void {
    const unsent = new Set(this.#unsent.map(([id]) => id));
    for (const [id, waiting] of this.#waiting) {
      if (unsent.has(id)) continue;
      this.#waiting.delete(id);
      tellFailure(this.news, waiting.name, failure);
      waiting.reject(failure);
    }
    if (this.#waiting.size === 0) this.#idle?.();
  }
}
