/** The thread that reads a configuration again and ends. `reread.ts` starts it. */
import { parentPort, workerData } from "node:worker_threads";
import type { ConfigFrom } from "./context.ts";
import { readAgain } from "./load.ts";

parentPort?.postMessage(readAgain(workerData as ConfigFrom));
