/**
 * Requests for a WebSocket come to the same hooks and refusals as all others: each gets a response of its own on the
 * connection that Node has given up. What asks for any other protocol is answered in HTTP/1.1 (RFC 9110, section 7.8).
 */
import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isWebSocket } from "./routing.ts";

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
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      try {
        response.assignSocket(socket as Socket);
      } catch {
        // An earlier request still waits for its answer there: nobody may switch protocols behind it (RFC 9110, section 7.8).
        socket.destroy();
        return;
      }
      if (isWebSocket(request)) {
        this.#expect(request);
        this.#handshakes.set(request, { socket, head });
      }
      // Node has given the connection up: nobody else would close it if the other side does not.
      response.on("finish", () => (socket as Socket).destroySoon());
      server.emit("request", request, response);
    });
  }

  /** Takes the connection over; undefined where the request asked for no WebSocket. */
  take(request: IncomingMessage, response: ServerResponse): Handshake | undefined {
    const handshake = this.#handshakes.get(request);
    if (handshake === undefined) return undefined;
    this.#handshakes.delete(request);
    response.detachSocket(handshake.socket as Socket);
    return handshake;
  }
}
