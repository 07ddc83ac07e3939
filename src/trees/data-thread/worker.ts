/**
 * The worker thread that reads and encodes data, so that large answers do not delay logins. It knows no callers: access is
 * decided before (`http/tree/body.ts`). `thread.ts` starts it.
 */
import { type MessagePort, parentPort } from "node:worker_threads";
import { bodyOf } from "../encoding/jobs.ts";
import { type FromReader, type ToReader, toPlain, WINDOW_BYTES } from "./messages.ts";
import { Sources } from "./sources.ts";

interface Task {
  /** Bytes that may still be sent. */
  credit: number;
  cancelled: boolean;
  wake: (() => void) | null;
}

function serve(port: MessagePort): void {
  const sources = new Sources();
  const tasks = new Map<number, Task>();
  const say = (message: FromReader, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

  const read = async (id: number, { wish, source }: Extract<ToReader, { kind: "read" }>["job"]) => {
    const task: Task = { credit: WINDOW_BYTES, cancelled: false, wake: null };
    tasks.set(id, task);
    try {
      for await (const chunk of bodyOf(await sources.job(wish, source))) {
        while (task.credit <= 0 && !task.cancelled) {
          await new Promise<void>((resolve) => {
            task.wake = resolve;
          });
        }
        if (task.cancelled) return;
        task.credit -= chunk.length;
        // A copy, because the chunk may be part of a larger buffer.
        const bytes = new Uint8Array(chunk);
        say({ kind: "chunk", id, bytes }, [bytes.buffer]);
      }
      say({ kind: "end", id });
    } finally {
      tasks.delete(id);
    }
  };

  const work = async (message: Extract<ToReader, { kind: "read" | "scan" }>) => {
    const { id } = message;
    try {
      if (message.kind === "read") await read(id, message.job);
      else say({ kind: "scanned", id, scan: await sources.scan(message.wish) });
    } catch (error) {
      say({ kind: "failed", id, error: toPlain(error) });
    }
  };

  port.on("message", (message: ToReader) => {
    if (message.kind === "read" || message.kind === "scan") {
      void work(message);
      return;
    }
    const task = tasks.get(message.id);
    if (task === undefined) return;
    if (message.kind === "cancel") task.cancelled = true;
    else task.credit += message.bytes;
    task.wake?.();
    task.wake = null;
  });
}

if (parentPort !== null) serve(parentPort);
