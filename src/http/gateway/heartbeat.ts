/** Whether the client of an open WebSocket is still there (RFC 6455, section 5.5.2). */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";

/** So many pings in a row without a sign of life end a stream: one may be late, on a bad line or in a stalled process. */
const UNANSWERED = 2;

/** Bytes of a connection. */
interface Seen {
  readonly received: number;
  /** Still here, since the client's side takes no more. */
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

  /** Called at regular intervals: a client that is gone is cut off. */
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
 * It says something, be it a part of a long message that its pong is behind, or takes something, which the ping is
 * behind. What the system alone has taken says nothing, so that only counts where something had to wait.
 */
function isAlive(last: Seen, now: Seen): boolean {
  return now.received > last.received || (last.waiting > 0 && now.taken > last.taken);
}
