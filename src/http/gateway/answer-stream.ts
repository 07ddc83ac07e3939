/**
 * Streams one answer of a server behind this one to the caller, and buffers only what the caller has not read yet. If either
 * side ends, so does the other, and an interrupted answer never looks complete.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Dispatcher } from "undici";
import { Failure } from "../../errors.ts";
import { elapsed } from "../after.ts";
import type { Connection } from "./connection.ts";
import type { Expiry } from "./expiry.ts";
import { failureOf, isStale } from "./failures.ts";
import { answerHeaders } from "./headers.ts";
import type { IdleWatch, Watched } from "./idle.ts";
import type { Slot } from "./limiter.ts";

export interface AnswerOptions {
  readonly idle: IdleWatch;
  /** The request may be sent twice. */
  readonly repeatable: boolean;
  readonly relocate: (location: string) => string;
  readonly personal: boolean;
  readonly trusted: boolean;
  readonly expiry: Expiry;
  readonly dispatch: (
    handler: Dispatcher.DispatchHandler,
    onConnection: (connection: Connection) => void,
  ) => void;
}

/** Bytes that may be buffered for the caller. */
const HIGH = 262_144;

/** An event stream (HTML, section 9.2). */
const EVENTS = /^text\/event-stream(?:$|;)/i;
/** Statuses without a body. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

export class AnswerStream implements Dispatcher.DispatchHandler, Watched {
  touched = 0;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #options: AnswerOptions;
  #controller: Dispatcher.DispatchController | undefined;
  #connection: Connection | undefined;
  #state: "waiting" | "begun" | "over" = "waiting";
  #repeated = false;
  #heldUp = false;
  #failed = false;
  #slot: Slot | undefined;
  /** Bytes read from the caller's connection at the last check. */
  #bytesRead = 0;

  constructor(request: FastifyRequest, reply: FastifyReply, options: AnswerOptions) {
    this.#request = request;
    this.#reply = reply;
    this.#options = options;
  }

  /** Leaves the slot once the upstream is done with the request. */
  begin(slot: Slot): void {
    const { raw } = this.#reply;
    this.#slot = slot;
    // Identifying the caller may have taken a while.
    if (raw.destroyed) {
      this.#state = "over";
      slot.leave();
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
    this.#options.dispatch(this, (connection) => {
      this.#connection = connection;
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#state === "over") controller.abort(new Error("the caller is gone"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    { "content-type": type }: Readonly<Record<string, unknown>>,
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
      // The connection cannot be reused until its body is read to the end (RFC 9112, section 9.3).
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
  }

  /** Event streams do not end by themselves. */
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
    // After an error servers close the connection, perhaps when another request is already on it.
    if (this.#failed) this.#connection?.drop();
    this.#slot?.leave();
    this.#end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const again = this.#state === "waiting" && this.#options.repeatable && !this.#repeated && isStale(error);
    if (again) {
      this.#repeated = true;
      this.#dispatch();
      return;
    }
    this.#slot?.leave();
    if (this.#state === "over") return;
    if (this.#state === "begun") {
      // The HTTP client waits for a body that such an answer must not have (RFC 9110, section 6.4.1).
      if (BODILESS.has(this.#reply.raw.statusCode)) {
        this.#end();
        return;
      }
      this.#state = "over";
      this.#request.log.warn({ err: error }, "The upstream's answer broke off.");
      this.#reply.raw.destroy();
      return;
    }
    this.#state = "over";
    // The rest of its body will not be read.
    if (!this.#request.raw.complete) this.#reply.header("connection", "close");
    this.#reply.send(failureOf(error));
  }

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

  /** The caller has not sent all of its body. The HTTP client notices an upstream that does not read it. */
  #isCallerSilent(): boolean {
    return this.#state === "waiting" && !this.#request.raw.complete;
  }

  #end(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#reply.raw.end();
  }
}
