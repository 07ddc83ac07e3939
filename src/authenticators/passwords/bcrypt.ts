/**
 * Checks bcrypt hashes, which only imported accounts have until their next login, in a thread that starts with the first check
 * and ends when it is idle.
 */
import { Worker } from "node:worker_threads";
import { entryUrl } from "../../lib/entry.ts";

export interface BcryptQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

export type BcryptAnswer =
  | { readonly id: number; readonly right: boolean }
  | { readonly id: number; readonly error: string };

const IDLE_MS = 60_000;
const HEAP_MB = { maxOldGenerationSizeMb: 64 };

interface Asked {
  resolve(right: boolean): void;
  reject(error: Error): void;
}

export class BcryptThread {
  readonly #asked = new Map<number, Asked>();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #next = 0;

  check(password: string, hash: string): Promise<boolean> {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    this.#worker.ref();
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#asked.set(id, { resolve, reject });
    this.#worker.postMessage({ id, password, hash } satisfies BcryptQuestion);
    return promise;
  }

  #start(): Worker {
    const worker = new Worker(entryUrl("src/authenticators/passwords/bcrypt-worker"), {
      resourceLimits: HEAP_MB,
    });
    worker.on("message", (answer: BcryptAnswer) => {
      const asked = this.#asked.get(answer.id);
      this.#asked.delete(answer.id);
      if ("right" in answer) asked?.resolve(answer.right);
      else asked?.reject(new Error(`bcrypt failed: ${answer.error}`));
      if (this.#asked.size === 0) this.#rest(worker);
    });
    worker.on("error", (error) => this.#end(worker, error));
    worker.on("exit", () => this.#end(worker, new Error("The thread of bcrypt ended.")));
    return worker;
  }

  /** A process that has nothing else to do ends. */
  #rest(worker: Worker): void {
    worker.unref();
    this.#idle = setTimeout(() => {
      if (this.#worker === worker) this.#worker = undefined;
      void worker.terminate();
    }, IDLE_MS).unref();
  }

  #end(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}
