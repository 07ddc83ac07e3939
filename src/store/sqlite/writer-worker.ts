/**
 * The thread that owns SQLite's writing connection: runs all waiting commands as one batch and answers them together, and tells
 * whether another connection has changed the database. Started by `writer-thread.ts`.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { PlainError } from "../base/errors.ts";
import { Compiler } from "../base/statement.ts";
import type { CommandName } from "../commands/commands.ts";
import { Checkpoints } from "./checkpoint.ts";
import { SqliteFile } from "./file.ts";
import { packResult, unpackArgs } from "./wire.ts";
import { SqliteWriter, type WriteAnswer, type WriteRequest } from "./writer.ts";

/** A command, and its answer, as `wire.ts` packs them. */
export type PackedRequest = readonly [id: number, name: CommandName, args: unknown];
export type PackedAnswer = readonly [id: number, value: unknown, error?: PlainError];

/** Message from the main thread: commands, a question for the version, or null to end. */
export type ToWriter = readonly PackedRequest[] | "version?" | null;

/**
 * Answers to commands, or to the question: a text that changes with each commit of another connection, and with the file itself;
 * null if the file cannot be read.
 */
export type FromWriter = readonly PackedAnswer[] | { readonly version: string | null };

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
    else if (message === "version?") answer({ version: versionOf(file) });
    else for (const [id, name, args] of message) waiting.push({ id, name, args: unpackArgs(name, args) });
  };

  const answer = (message: FromWriter) => port.postMessage(message);

  const run = async () => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, largestBatch);
      answer((await writer.run(batch)).map((one, index) => packed(one, batch[index])));
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        take(next.message);
      }
    }
  };

  port.on("message", async (message: ToWriter) => {
    take(message);
    if (running || message === "version?") return;
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

/** Answers have the order of their requests. */
function packed(answer: WriteAnswer, request: WriteRequest | undefined): PackedAnswer {
  if (!answer.ok) return [answer.id, null, answer.error];
  return [answer.id, request === undefined ? answer.value : packResult(request.name, answer.value)];
}

/** SQLite counts what other connections committed, and never what this one did. */
function versionOf(file: SqliteFile): string | null {
  try {
    const { raw } = file.obtain();
    return raw.inTransaction ? null : `${file.opened} ${raw.pragma("data_version", { simple: true })}`;
  } catch {
    return null;
  }
}

if (parentPort !== null) serve(parentPort, workerData as WriterData);
