/**
 * Requests for a WebSocket come to the same hooks and refusals as all others: each gets a response of its own on the
 * connection that Node has given up. What asks for any other protocol is answered in HTTP/1.1 (RFC 9110, section 7.8).
 */
import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { isWebSocket } from "./gateway-routing.ts";

export interface Handshake {
  readonly socket: Duplex;
  /** What came behind the request. */
  readonly head: Buffer;
}

export class Upgrades {
  readonly #expect: (request: IncomingMessage) => void;
  readonly #handshakes = new WeakMap<IncomingMessage, Handshake>();

  /** `expect` is told of each WebSocket before its request is. */
  constructor(expect: (request: IncomingMessage) => void) {
    this.#expect = expect;
  }

  listen(server: Server): void {
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      if (isWebSocket(request)) {
        this.#expect(request);
        this.#handshakes.set(request, { socket, head });
      }
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket as Parameters<ServerResponse["assignSocket"]>[0]);
      response.on("finish", () => socket.end());
      server.emit("request", request, response);
    });
  }

  /** Takes the connection over; undefined where the request asked for no WebSocket. */
  take(request: IncomingMessage, response: ServerResponse): Handshake | undefined {
    const handshake = this.#handshakes.get(request);
    if (handshake === undefined) return undefined;
    this.#handshakes.delete(request);
    response.detachSocket(handshake.socket as Parameters<ServerResponse["detachSocket"]>[0]);
    return handshake;
  }
}
