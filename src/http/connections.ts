/**
 * The open connections of a server, so that a stop can tell those that carry a request from those that do not. Node
 * closes idle connections by itself, but not half-open ones: never a byte, half a TLS handshake, half a header.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export class Connections {
  readonly #open = new Set<Socket>();
  /** TLS only: connections whose handshake is not done, by the peer's address. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #requests = new Map<Socket, number>();
  #draining = false;

  /** `server`: http or https; before it listens. */
  constructor(server: Server) {
    const tls = "setSecureContext" in server;
    server.on("connection", (socket: Socket) => (tls ? this.#handshake(socket) : this.#opened(socket)));
    server.on("secureConnection", (socket: Socket) => {
      this.#handshakes.delete(peer(socket));
      this.#opened(socket);
    });
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      this.#requests.set(socket, (this.#requests.get(socket) ?? 0) + 1);
      response.once("close", () => this.#answered(socket));
    });
  }

  /** Closes what carries no request now, and the rest as soon as its answer is sent. */
  drain(): void {
    this.#draining = true;
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const socket of this.#open) if (!this.#requests.has(socket)) socket.destroy();
  }

  /** Closes all, whatever they carry; how many requests that cut off. */
  destroy(): number {
    let requests = 0;
    for (const count of this.#requests.values()) requests += count;
    for (const socket of [...this.#handshakes.values(), ...this.#open]) socket.destroy();
    return requests;
  }

  #handshake(socket: Socket): void {
    const key = peer(socket);
    this.#handshakes.set(key, socket);
    socket.once("close", () => {
      if (this.#handshakes.get(key) === socket) this.#handshakes.delete(key);
    });
  }

  #opened(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#requests.delete(socket);
    });
    // The listening socket may accept one more while it closes.
    if (this.#draining) socket.destroy();
  }

  #answered(socket: Socket): void {
    const left = (this.#requests.get(socket) ?? 1) - 1;
    if (left > 0) {
      this.#requests.set(socket, left);
      return;
    }
    this.#requests.delete(socket);
    if (this.#draining) socket.destroySoon();
  }
}

function peer(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
