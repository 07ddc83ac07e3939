/** Detects clients of WebSockets that are gone (RFC 6455, section 5.5.2). */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";

/** Unanswered pings that end a stream: one may be late on a bad line or in a stalled process. */
const UNANSWERED = 2;

/** Byte counts of a connection. */
interface Seen {
  readonly received: number;
  /** Bytes in our buffer. */
  readonly waiting: number;
  readonly taken: number;
}

export class Heartbeat {
  readonly #client: WebSocket;
  readonly #socket: Socket;
  #last: Seen;
  #unanswered = 0;

  constructor(client: WebSocket, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    this.#last = this.#look();
  }

  /** Call it at regular intervals: it closes the connection of a client that is gone. */
  beat(): void {
    const last = this.#last;
    this.#last = this.#look();
    if (this.#client.isPaused || isAlive(last, this.#last)) this.#unanswered = 0;
    if (this.#unanswered === UNANSWERED) {
      this.#client.terminate();
      return;
    }
    this.#unanswered += 1;
    this.#client.ping();
  }

  #look(): Seen {
    const { bytesRead: received, bytesWritten, writableLength: waiting } = this.#socket;
    return { received, waiting, taken: bytesWritten - waiting };
  }
}

/**
 * The client sent something, perhaps part of a long message before its pong, or read something before the ping. Bytes that
 * only the system's buffers took prove nothing, so reading counts only if something had to wait.
 */
function isAlive(last: Seen, now: Seen): boolean {
  return now.received > last.received || (last.waiting > 0 && now.taken > last.taken);
}
