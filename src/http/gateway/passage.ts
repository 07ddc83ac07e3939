/**
 * One answer on its way from a server behind this one to the caller, as a stream: nothing is kept but what the caller has
 * not taken yet. The end of either side is the end of the other, and an answer that broke off never looks like a whole one.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Dispatcher } from "undici";
import { Failure } from "../../errors.ts";
import { elapsed } from "../after.ts";
import type { Expiry } from "./expiry.ts";
import { failureOf, isStale } from "./failures.ts";
import { answerHeaders } from "./headers.ts";
import type { IdleWatch, Watched } from "./idle.ts";
import type { Place } from "./room.ts";
import type { Line, Sink } from "./tap.ts";

export interface PassageOptions {
  readonly idle: IdleWatch;
  /** Asking twice does no harm. */
  readonly repeatable: boolean;
  readonly relocate: (location: string) => string;
  readonly personal: boolean;
  readonly trusted: boolean;
  readonly expiry: Expiry;
  readonly dispatch: (handler: Dispatcher.DispatchHandler, onLine: (line: Line) => void) => void;
}

/** Bytes that may wait for the caller. */
const HIGH = 262_144;
/** From this size on, bodies go past the HTTP client. */
const LARGE = 1_048_576;

/** An event stream (HTML, section 9.2). */
const EVENTS = /^text\/event-stream(?:$|;)/i;
/** Their answers end with their fields. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

export class Passage implements Dispatcher.DispatchHandler, Sink, Watched {
  touched = 0;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #options: PassageOptions;
  #controller: Dispatcher.DispatchController | undefined;
  #line: Line | undefined;
  /** Bytes of a large body that are still to come. */
  #left = 0;
  #state: "waiting" | "begun" | "over" = "waiting";
  #repeated = false;
  #heldUp = false;
  #failed = false;
  #place: Place | undefined;
  /** By the caller's connection, when the watch last looked. */
  #bytesRead = 0;

  constructor(request: FastifyRequest, reply: FastifyReply, options: PassageOptions) {
    this.#request = request;
    this.#reply = reply;
    this.#options = options;
  }

  /** `place`: it is left once the server behind has no more to do with the request. */
  begin(place: Place): void {
    const { raw } = this.#reply;
    this.#place = place;
    // Who it was may have taken a while to find out.
    if (raw.destroyed) {
      this.#state = "over";
      place.leave();
      return;
    }
    if (!this.#request.raw.complete) this.#options.idle.add(this);
    raw.once("close", () => {
      this.#options.idle.delete(this);
      if (raw.writableFinished) return;
      this.#state = "over";
      this.#controller?.abort(new Error("the caller is gone"));
    });
    this.#dispatch();
  }

  #dispatch(): void {
    this.#options.dispatch(this, (line) => {
      this.#line = line;
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#state === "over") controller.abort(new Error("the caller is gone"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    { "content-length": length, "content-type": type }: Readonly<Record<string, unknown>>,
    statusText?: string,
  ): void {
    if (status < 200 || this.#state === "over") return;
    this.#failed = status >= 500;
    const fields = Array.isArray(controller.rawHeaders) ? controller.rawHeaders : [];
    const { raw } = this.#reply;
    try {
      const timing = `gateway;dur=${elapsed(this.#request).toFixed(1)}`;
      const ours = { ...this.#reply.getHeaders(), "server-timing": timing };
      const headers = answerHeaders(fields, { ours, ...this.#options, noContent: status === 204 });
      // Until its body is read to the end, the connection is no good for another request (RFC 9112, section 9.3).
      if (!this.#request.raw.complete) headers.push("connection", "close");
      this.#reply.hijack();
      this.#state = "begun";
      raw.writeHead(status, statusText ?? "", headers);
    } catch (error) {
      controller.abort(error as Error);
      return;
    }
    this.#options.idle.add(this);
    if (EVENTS.test(String(type))) this.#endWithCredential();
    const whole = this.#request.method === "GET" && (status === 200 || status === 206);
    if (whole && Number(length) >= LARGE) {
      this.#left = Number(length);
      // What is taken goes to the connection itself, behind the head.
      raw.flushHeaders();
      this.#line?.open(this);
    }
  }

  /** Such an answer has no end of its own. */
  #endWithCredential(): void {
    const { raw } = this.#reply;
    const { expiry } = this.#options;
    const { caller } = this.#request;
    const end = () => void raw.destroy();
    const [stop, leave] = [expiry.watch(caller, end), expiry.follow(caller, end)];
    raw.once("close", () => {
      stop();
      leave();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { raw } = this.#reply;
    this.touched = this.#options.idle.now;
    this.#left -= chunk.length;
    if (raw.write(chunk) || raw.writableLength < HIGH) return;
    controller.pause();
    this.#heldUp = true;
    raw.once("drain", () => {
      this.#heldUp = false;
      this.touched = this.#options.idle.now;
      controller.resume();
    });
  }

  onResponseEnd(): void {
    // Servers cut a connection after an error of theirs, perhaps when another request is on it already.
    if (this.#failed) this.#line?.drop();
    this.#place?.leave();
    this.#end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const again = this.#state === "waiting" && this.#options.repeatable && !this.#repeated && isStale(error);
    if (again) {
      this.#repeated = true;
      this.#dispatch();
      return;
    }
    this.#place?.leave();
    if (this.#state === "over") return;
    if (this.#state === "begun") {
      // The length of what is not sent, or must not be (RFC 9110, section 6.4.1), which the HTTP client waits for.
      if (BODILESS.has(this.#reply.raw.statusCode)) {
        this.#end();
        return;
      }
      this.#state = "over";
      this.#request.log.warn({ err: error }, "The answer of the server behind this one broke off.");
      this.#reply.raw.destroy();
      return;
    }
    this.#state = "over";
    // What is left of its body nobody reads any more.
    if (!this.#request.raw.complete) this.#reply.header("connection", "close");
    this.#reply.send(failureOf(error));
  }

  isReady(): boolean {
    return this.#state === "begun" && this.#controller?.paused === false && this.#reply.raw.socket !== null;
  }

  /** The rest of a large body, straight to the caller's connection: the head and what came with it are there already. */
  take(bytes: Uint8Array): boolean {
    const { socket } = this.#reply.raw;
    if (socket === null || this.#state !== "begun") return false;
    this.touched = this.#options.idle.now;
    const wanted = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= wanted.length;
    socket.write(wanted, this.#onTaken);
    if (this.#left === 0) {
      this.#end();
      this.#line?.drop();
      return false;
    }
    // Written at once: the bytes are the system's now.
    this.#heldUp = socket.writableLength > 0;
    return !this.#heldUp;
  }

  readonly #onTaken = (): void => {
    if (!this.#heldUp) return;
    this.#heldUp = false;
    this.touched = this.#options.idle.now;
    this.#line?.resume();
  };

  hasMoved(): boolean {
    const { complete, socket } = this.#request.raw;
    if (complete || socket.bytesRead === this.#bytesRead) return false;
    this.#bytesRead = socket.bytesRead;
    return true;
  }

  isHeldUp(): boolean {
    return this.#heldUp || this.#state === "over";
  }

  onSilence(): void {
    if (this.#state === "over") this.#reply.raw.destroy();
    else if (this.#isCallerSilent()) this.#controller?.abort(new Failure("request_timeout"));
    else this.#controller?.abort(new DOMException("Nothing has come for too long.", "TimeoutError"));
  }

  /** It has not sent all of its body. A server that does not take it is found out by the HTTP client. */
  #isCallerSilent(): boolean {
    return this.#state === "waiting" && !this.#request.raw.complete;
  }

  #end(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#reply.raw.end();
  }
}
