/**
 * The thread that owns SQLite's writing connection: runs all waiting commands as one batch and answers them together. Started by
 * `writer-thread.ts`.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { Compiler } from "../base/statement.ts";
import { Checkpoints } from "./checkpoint.ts";
import { SqliteFile } from "./file.ts";
import { SqliteWriter, type WriteRequest } from "./writer.ts";

/** Message from the main thread: commands, or null to end. */
export type ToWriter = readonly WriteRequest[] | null;

/** Start-up data of the thread. */
export interface WriterData {
  readonly path: string;
  readonly busyTimeout: number | undefined;
  /** Most commands in one transaction; limits how long the first of them waits. */
  readonly largestBatch: number;
}

function serve(port: MessagePort, { path, busyTimeout, largestBatch }: WriterData): void {
  const file = new SqliteFile(path, "writer", busyTimeout);
  const writer = new SqliteWriter(file, new Compiler("sqlite"));
  const waiting: WriteRequest[] = [];
  let running = false;
  let ending = false;
  const checkpoints = new Checkpoints(
    () => file.current,
    () => running,
  );

  const take = (message: ToWriter) => {
    if (message === null) ending = true;
    else waiting.push(...message);
  };

  const run = async () => {
    while (waiting.length > 0) {
      port.postMessage(await writer.run(waiting.splice(0, largestBatch)));
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        take(next.message);
      }
    }
  };

  port.on("message", async (message: ToWriter) => {
    take(message);
    if (running) return;
    running = true;
    await run();
    running = false;
    checkpoints.changed();
    if (!ending) return;
    checkpoints.last();
    file.discard();
    port.close();
  });
}

if (parentPort !== null) serve(parentPort, workerData as WriterData);
