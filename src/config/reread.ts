/**
 * Reads a configuration again for a running server, in a thread: a configuration with ten thousand members takes a second of
 * processor time, and requests would wait for it. `load.ts` reads; `start/cave-reload.ts` decides when, and uses the result.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { entryUrl } from "../lib/entry.ts";
import type { ConfigFrom } from "./context.ts";
import type { ConfigSource, Reread } from "./model.ts";

const LONGEST_MS = 60_000;
const HEAP_MB = { maxOldGenerationSizeMb: 512 };

export function rereading(from: ConfigFrom): ConfigSource["read"] {
  return async (signal) => {
    const worker = new Worker(entryUrl("src/config/reread-worker"), {
      workerData: from,
      resourceLimits: HEAP_MB,
    });
    // A stop of the server does not wait for it.
    worker.unref();
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
      const [read] = await once(worker, "message", { signal: limit });
      return read as Reread;
    } finally {
      await worker.terminate();
    }
  };
}
