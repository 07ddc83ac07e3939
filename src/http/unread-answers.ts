/**
 * Closes connections whose peer has stopped reading, since unsent answers take memory. Slow readers stay as long as they take
 * anything.
 */
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Connections } from "./connections.ts";

/** Milliseconds without a byte taken. */
const PATIENCE_MS = 60_000;
const LOOKS = 6;

export function closeUnread(app: FastifyInstance, connections: Connections): void {
  const unread = new UnreadAnswers(PATIENCE_MS);
  const timer = setInterval(() => unread.look(connections.sockets(), performance.now()), PATIENCE_MS / LOOKS);
  timer.unref();
  app.addHook("onClose", async () => clearInterval(timer));
}

interface Seen {
  readonly taken: number;
  readonly queued: number;
  readonly since: number;
}

export class UnreadAnswers {
  readonly #patience: number;
  readonly #seen = new WeakMap<Socket, Seen>();

  constructor(patience: number) {
    this.#patience = patience;
  }

  /** Closes those that took nothing since a look at least `patience` ago. */
  look(sockets: Iterable<Socket>, now: number): void {
    for (const socket of sockets) {
      if (socket.writableLength === 0) {
        this.#seen.delete(socket);
        continue;
      }
      const taken = socket.bytesWritten - socket.writableLength;
      const queued = queuedBy(socket);
      const seen = this.#seen.get(socket);
      if (seen === undefined || seen.taken !== taken || seen.queued !== queued)
        this.#seen.set(socket, { taken, queued, since: now });
      else if (now - seen.since >= this.#patience) socket.destroy();
    }
  }
}

interface Handle {
  readonly writeQueueSize?: number;
  /** For TLS: the connection below it. */
  readonly _parent?: Handle;
}

/** Bytes of the current write that the system has not taken: progress of a long write shows only here. */
function queuedBy(socket: Socket): number {
  const { _handle: handle } = socket as Socket & { readonly _handle?: Handle | null };
  return (handle?._parent ?? handle)?.writeQueueSize ?? 0;
}
