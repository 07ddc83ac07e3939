/**
 * Sends requests to one server behind this one over kept-alive connections. Path and body pass unchanged; `headers.ts`
 * chooses the fields, `answer-stream.ts` returns the answer.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Dispatcher, Pool } from "undici";
import type { Upstream } from "../../domain/model/upstream.ts";
import { Failure } from "../../errors.ts";
import type { Links } from "../links.ts";
import { AnswerStream } from "./answer-stream.ts";
import { type DispatchOptions, reportingClients } from "./connection.ts";
import type { Expiry } from "./expiry.ts";
import { isReading, requestHeaders } from "./headers.ts";
import { IdleWatch } from "./idle.ts";
import { ConcurrencyLimiter, type Requester } from "./limiter.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Shorter than servers keep idle connections (uvicorn: 5 s), so that they are not the first to close them. */
const KEEP_ALIVE_MS = 4_000;
const MAX_HEADERS = 65_536;
/** Seconds. */
const RETRY_AFTER = "5";
/** Connections beside the callers' for the about and OpenAPI documents. */
const OWN_CONNECTIONS = 2;
/** Waiting requests per concurrent one. */
const WAITING = 4;

export interface Forwarding {
  /** Path and query below the upstream's URL, unchanged but for credentials. */
  readonly target: string;
  /** Fields that we add: names and values in turn. */
  readonly fields: readonly string[];
  /** The fields identify the caller. */
  readonly personal: boolean;
  /** The page may do on our origin what our own pages may. */
  readonly trusted: boolean;
  /** Whose slot the request takes. */
  readonly requester: Requester;
  readonly expiry: Expiry;
}

export interface Read {
  readonly status: number;
  readonly text: string;
}

export class Forwarder {
  readonly #links: Pick<Links, "origin" | "path" | "shortened">;
  readonly #pool: Pool;
  /** The path of the upstream's URL: "" or "/base". */
  readonly #base: string;
  readonly #itself: RegExp;
  readonly #idle: IdleWatch;
  readonly #room: ConcurrencyLimiter;

  constructor(upstream: Upstream, links: Pick<Links, "origin" | "path" | "shortened">) {
    const { origin, host, pathname } = new URL(upstream.url);
    const timeout = upstream.timeout * 1000;
    const connectTimeout = Math.min(timeout, CONNECT_TIMEOUT_MS);
    this.#links = links;
    this.#base = pathname.replace(/\/$/, "");
    this.#itself = new RegExp(`^(?:https?:)?//${escaped(host)}(?=[/?#]|$)`, "i");
    this.#pool = new Pool(origin, {
      connections: upstream.maxConnections + OWN_CONNECTIONS,
      pipelining: 1,
      connectTimeout,
      headersTimeout: timeout,
      // Done by IdleWatch, which also sees whether the caller reads.
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADERS,
      factory: reportingClients,
    });
    this.#idle = new IdleWatch(upstream.timeout);
    const slots = upstream.maxConnections;
    this.#room = new ConcurrencyLimiter({ slots, waiting: slots * WAITING, waitMs: timeout });
  }

  /** Answers the request. Errors before the answer has begun are sent as a `Failure`. */
  forward(
    request: FastifyRequest,
    reply: FastifyReply,
    { target, fields, personal, trusted, requester, expiry }: Forwarding,
  ): void {
    const { raw } = request;
    const headers = requestHeaders(raw.rawHeaders, raw.headers.connection, {
      socket: false,
      reading: isReading(request.method),
    });
    const stream = new AnswerStream(request, reply, {
      idle: this.#idle,
      repeatable: isReading(request.method) && !hasBody(raw.headers),
      relocate: (location) => this.#relocate(location, request),
      personal,
      trusted,
      expiry,
      dispatch: (handler, onConnection) => {
        const options: DispatchOptions = {
          path: this.#base + target,
          method: request.method as Dispatcher.HttpMethod,
          headers: headers.concat(fields),
          body: hasBody(raw.headers) ? raw : null,
          onConnection,
        };
        this.#pool.dispatch(options, handler);
      },
    });
    const refuse = () => {
      // The rest of its body will not be read.
      if (!raw.complete) reply.header("connection", "close");
      reply.send(new Failure("upstream_busy", { headers: { "retry-after": RETRY_AFTER } }));
    };
    const waiting = this.#room.enter(requester, { begin: (slot) => stream.begin(slot), giveUp: refuse });
    if (waiting === "full") refuse();
    else if (waiting !== null) reply.raw.once("close", () => waiting.leave());
  }

  /** Fetches a document of the upstream's own, without credentials. Throws errors for `failureOf`. */
  async read(target: string, limits: { readonly timeoutMs: number; readonly bytes: number }): Promise<Read> {
    const { statusCode, body } = await this.#pool.request({
      path: this.#base + target,
      method: "GET",
      headers: { accept: "application/json" },
      headersTimeout: limits.timeoutMs,
      bodyTimeout: limits.timeoutMs,
      signal: AbortSignal.timeout(limits.timeoutMs),
    });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limits.bytes) throw new Error("The document is too long.");
      chunks.push(chunk);
    }
    return { status: statusCode, text: Buffer.concat(chunks).toString("utf8") };
  }

  async close(): Promise<void> {
    this.#idle.close();
    await this.#pool.destroy();
  }

  /** Rewrites redirects to the upstream's own name to ours. */
  #relocate(location: string, request: FastifyRequest): string {
    const found = this.#itself.exec(location);
    if (found === null) return location;
    const rest = location.slice(found[0].length);
    const inner = this.#base !== "" && isUnder(rest, this.#base) ? rest.slice(this.#base.length) : rest;
    const path = this.#links.path(request);
    const ours = this.#links.origin(request) + (path !== "" && !isUnder(inner, path) ? path : "") + inner;
    return this.#links.shortened(request, ours);
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function isUnder(target: string, path: string): boolean {
  return target.startsWith(path) && /^(?:[/?#]|$)/.test(target.slice(path.length));
}

export function hasBody(headers: FastifyRequest["raw"]["headers"]): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}
