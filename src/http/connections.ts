/**
 * The open connections of a server, so that a stop can tell those that carry a request from those that do not. Node
 * closes idle connections by itself, but not half-open ones: never a byte, half a TLS handshake, half a header. Requests that
 * wait on their connection are `pipelines.ts`'s, answers that are not read `unread-answers.ts`'s.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";

export interface Connection {
  /** Those that are being answered. */
  requests: number;
  /** Begins the next request that waits on this connection, if any; set where there are such. */
  next: (() => void) | null;
}

export class Connections {
  readonly #open = new Map<Socket, Connection>();
  /** TLS only: connections whose handshake is not done, by the peer's address. */
  readonly #handshakes = new Map<string, Socket>();
  #draining = false;

  /** `server`: http or https; before it listens. */
  constructor(server: Server) {
    const tls = "setSecureContext" in server;
    server.on("connection", (socket: Socket) => (tls ? this.#handshake(socket) : this.#opened(socket)));
    server.on("secureConnection", (socket: Socket) => {
      this.#handshakes.delete(peer(socket));
      this.#opened(socket);
    });
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Call it for every request, before anything is waited for. */
  requestBegan(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined) connection.requests += 1;
  }

  /** Its answer is sent, or cut off. */
  requestEnded(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.requests -= 1;
    if (connection.next !== null && !socket.destroyed) connection.next();
    if (this.#draining && connection.requests === 0) socket.destroySoon();
  }

  of(socket: Socket): Connection | undefined {
    return this.#open.get(socket);
  }

  sockets(): Iterable<Socket> {
    return this.#open.keys();
  }

  /** Closes what carries no request now, and the rest as soon as its answer is sent. */
  drain(): void {
    this.#draining = true;
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const [socket, { requests }] of this.#open) if (requests === 0) socket.destroy();
  }

  /** Closes all, whatever they carry; how many requests that cut off. */
  destroy(): number {
    let cutOff = 0;
    for (const { requests } of this.#open.values()) cutOff += requests;
    for (const socket of [...this.#handshakes.values(), ...this.#open.keys()]) socket.destroy();
    return cutOff;
  }

  #handshake(socket: Socket): void {
    const key = peer(socket);
    this.#handshakes.set(key, socket);
    socket.once("close", () => {
      if (this.#handshakes.get(key) === socket) this.#handshakes.delete(key);
    });
  }

  #opened(socket: Socket): void {
    this.#open.set(socket, { requests: 0, next: null });
    // Node remembers what it was asked for: who hangs up at once is in the log and the audit table all the same.
    peer(socket);
    socket.once("close", () => this.#open.delete(socket));
    // The listening socket may accept one more while it closes.
    if (this.#draining) socket.destroy();
  }
}

function peer(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
