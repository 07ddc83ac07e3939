/**
 * Limits pipelining (RFC 9112, section 9.3.2), that is requests sent before earlier ones are answered: of one connection a
 * few are answered at a time, some more wait, and a connection with even more is closed. Node alone would begin all at once.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { Failure } from "../errors.ts";
import { JSON_TYPE, toJson } from "./answer.ts";
import type { Connection, Connections } from "./connections.ts";

interface PipelineLimits {
  /** Requests of one connection that are being answered. */
  readonly atOnce: number;
  /** Further ones that wait for them. */
  readonly waiting: number;
}

const LIMITS: PipelineLimits = { atOnce: 8, waiting: 64 };

/** Seconds. */
const RETRY_AFTER = "1";

type Waiting = readonly [request: IncomingMessage, response: ServerResponse];

/** To call when the server has its listener, which has to tell `connections` about each request. */
export function limitPipelines(server: Server, connections: Connections, limits = LIMITS): void {
  const listeners = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  const begin: RequestListener = (request, response) => {
    for (const listener of listeners) listener(request, response);
  };
  const queues = new WeakMap<Connection, Queue>();
  server.on("request", (request, response) => {
    const connection = connections.of(request.socket);
    if (connection === undefined || (connection.requests < limits.atOnce && connection.next === null)) {
      begin(request, response);
      return;
    }
    const queue = queues.get(connection) ?? new Queue(connection, limits, begin);
    queues.set(connection, queue);
    queue.add([request, response]);
  });
}

class Queue {
  readonly #connection: Connection;
  readonly #limits: PipelineLimits;
  readonly #begin: RequestListener;
  #waiting: Waiting[] = [];
  #refused = false;

  constructor(connection: Connection, limits: PipelineLimits, begin: RequestListener) {
    this.#connection = connection;
    this.#limits = limits;
    this.#begin = begin;
  }

  add(waiting: Waiting): void {
    this.#connection.next = this.#next;
    if (!this.#refused) {
      this.#waiting.push(waiting);
      if (this.#waiting.length > this.#limits.waiting) this.#refuse();
    }
    // Node reads on after each answer and would collect more requests.
    if (this.#refused) waiting[0].socket.pause();
  }

  readonly #next = (): void => {
    while (this.#waiting.length > 0 && this.#connection.requests < this.#limits.atOnce) {
      const [request, response] = this.#waiting.shift() as Waiting;
      this.#begin(request, response);
    }
    if (this.#waiting.length === 0 && !this.#refused) this.#connection.next = null;
  };

  /** Answers the first request that waits, since answers keep the order of requests. */
  #refuse(): void {
    const response = this.#waiting[0]?.[1];
    this.#waiting = [];
    this.#refused = true;
    const { status, detail } = new Failure("too_many_pipelined");
    const body = toJson({ detail });
    response
      ?.writeHead(status, {
        "content-type": JSON_TYPE,
        "content-length": Buffer.byteLength(body),
        "retry-after": RETRY_AFTER,
        connection: "close",
      })
      .end(body);
  }
}
