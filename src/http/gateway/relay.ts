/**
 * Joins two WebSockets: messages pass both ways at the speed of the slower side, and closing one closes the other with the
 * same code (RFC 6455, section 7.4).
 */
import type { RawData, WebSocket } from "ws";
import type { Message } from "./first-message.ts";

/** Bytes that may be buffered for the slower side. */
const HIGH = 1_048_576;

export const GOING_AWAY = 1012;
const BAD_GATEWAY = 1014;
const NO_CODE = 1005;

export class Relay {
  readonly #client: WebSocket;
  readonly #upstream: WebSocket;
  #withheld: ((data: RawData) => boolean) | undefined;

  /** Both are open and paused, so that nothing is lost. `early`: messages that the client has already sent. */
  constructor(
    client: WebSocket,
    upstream: WebSocket,
    early: readonly Message[],
    onEnd: (code: number) => void,
  ) {
    this.#client = client;
    this.#upstream = upstream;
    for (const { data, binary } of early) upstream.send(data, { binary });
    pass(client, upstream, (data) => this.#isWithheld(data));
    pass(upstream, client, () => false);
    upstream.on("error", () => undefined);
    upstream.on("close", (code, reason) => end(client, code, reason, BAD_GATEWAY));
    client.on("close", (code, reason) => {
      end(upstream, code, reason, GOING_AWAY);
      onEnd(code);
    });
    client.resume();
    upstream.resume();
  }

  /** Withholds the caller's first message if it matches. */
  withholdFirst(isSuch: (data: RawData) => boolean): void {
    this.#withheld = isSuch;
  }

  #isWithheld(data: RawData): boolean {
    const isSuch = this.#withheld;
    this.#withheld = undefined;
    return isSuch?.(data) === true;
  }

  end(code: number, reason: string): void {
    this.#client.close(code, reason);
    this.#upstream.close(1000);
  }
}

function pass(from: WebSocket, to: WebSocket, isWithheld: (data: RawData) => boolean): void {
  from.on("message", (data: RawData, binary: boolean) => {
    if (to.readyState !== to.OPEN || isWithheld(data)) return;
    to.send(data, { binary }, () => {
      if (from.isPaused && to.bufferedAmount < HIGH) from.resume();
    });
    if (to.bufferedAmount >= HIGH) from.pause();
  });
}

/** `otherwise`: for a connection that broke off without a close frame. */
function end(socket: WebSocket, code: number, reason: Buffer, otherwise: number): void {
  if (socket.isPaused) socket.resume();
  if (code === NO_CODE) socket.close();
  else socket.close(maySend(code) ? code : otherwise, maySend(code) ? reason : "");
}

function maySend(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
