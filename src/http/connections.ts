/**
 * The open connections of a server, so that a stop can tell busy ones from idle ones. Node closes idle connections itself, but
 * not half-open ones: no byte yet, half a TLS handshake, half a header. `pipelines.ts` queues requests on one connection,
 * `unread-answers.ts` closes connections whose peer stops reading.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";

export interface Connection {
  /** Requests that are being answered. */
  requests: number;
  /** Begins the next request that waits on this connection; null if none waits. */
  next: (() => void) | null;
}

export class Connections {
  readonly #open = new Map<Socket, Connection>();
  /** TLS only: connections during their handshake, by the peer's address. */
  readonly #handshakes = new Map<string, Socket>();
  #draining = false;

  /** `server`: http or https, not listening yet. */
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

  /** To call for every request, before anything asynchronous. */
  requestBegan(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined) connection.requests += 1;
  }

  /** The answer was sent or cut off. */
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

  /** Closes idle connections now and busy ones after their answer. */
  drain(): void {
    this.#draining = true;
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const [socket, { requests }] of this.#open) if (requests === 0) socket.destroy();
  }

  /** Closes all connections; returns how many requests that cut off. */
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
    // Node keeps the address once it is read, so the log and the audit table have it even if the client hangs up at once.
    peer(socket);
    socket.once("close", () => this.#open.delete(socket));
    // The listening socket may accept one more while it closes.
    if (this.#draining) socket.destroy();
  }
}

function peer(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
