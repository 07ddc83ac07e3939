/**
 * Routes requests for WebSockets through the same hooks and checks as all others: each gets a response on the connection that
 * Node has handed over. Requests for other protocols are answered in HTTP/1.1 (RFC 9110, section 7.8).
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ServerResponse as Response } from "../../lib/node-http.ts";
import { isWebSocket } from "./routing.ts";

export interface Handshake {
  readonly socket: Duplex;
  /** Bytes after the request's head. */
  readonly head: Buffer;
}

export class Upgrades {
  readonly #expect: (request: IncomingMessage) => void;
  readonly #handshakes = new WeakMap<IncomingMessage, Handshake>();

  /** Calls `expect` for each WebSocket before its request is routed. */
  constructor(expect: (request: IncomingMessage) => void) {
    this.#expect = expect;
  }

  listen(server: Server): void {
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      const response = new Response(request);
      response.shouldKeepAlive = false;
      try {
        response.assignSocket(socket as Socket);
      } catch {
        // An earlier request on it is unanswered, so the protocol cannot be switched (RFC 9110, section 7.8).
        socket.destroy();
        return;
      }
      if (isWebSocket(request)) {
        this.#expect(request);
        this.#handshakes.set(request, { socket, head });
      }
      // Node has handed the connection over and will not close it.
      response.on("finish", () => (socket as Socket).destroySoon());
      server.emit("request", request, response);
    });
  }

  /** Takes the connection over; undefined if the request asked for no WebSocket. */
  take(request: IncomingMessage, response: ServerResponse): Handshake | undefined {
    const handshake = this.#handshakes.get(request);
    if (handshake === undefined) return undefined;
    this.#handshakes.delete(request);
    response.detachSocket(handshake.socket as Socket);
    return handshake;
  }
}
