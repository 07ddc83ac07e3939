/**
 * Requests to one server behind this one, over connections that are kept. The path and the body pass as they are; fields
 * are chosen in `headers.ts`, the answer's way back is in `passage.ts`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Dispatcher, Pool } from "undici";
import type { Upstream } from "../../domain/model/upstream.ts";
import { Failure } from "../../errors.ts";
import type { Links } from "../links.ts";
import type { Expiry } from "./expiry.ts";
import { requestHeaders } from "./headers.ts";
import { IdleWatch } from "./idle.ts";
import { useOf } from "./introduce.ts";
import { Passage } from "./passage.ts";
import { type Guest, Room } from "./room.ts";
import { sealedClients, type TappedOptions, tappedClients } from "./tap.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Below what servers keep an idle connection for (uvicorn: 5 s), so that they are not the first to close it. */
const KEEP_ALIVE_MS = 4_000;
const MAX_HEADERS = 65_536;
/** Seconds. */
const RETRY_AFTER = "5";
/** Beside those of callers: for what the server says of itself and of its routes. */
const OWN_CONNECTIONS = 2;
/** Requests that wait, for each one that can be under way. */
const WAITING = 4;
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export interface Passing {
  /** Below the upstream's URL, as it came, without credentials. */
  readonly target: string;
  /** Our own words, names and values in turn. */
  readonly fields: readonly string[];
  /** They say who asks. */
  readonly personal: boolean;
  /** Its page may do on our origin what our own may. */
  readonly trusted: boolean;
  /** Whose place it takes. */
  readonly guest: Guest;
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
  readonly #room: Room;

  constructor(upstream: Upstream, links: Pick<Links, "origin" | "path" | "shortened">) {
    const { origin, host, pathname, protocol } = new URL(upstream.url);
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
      // Looked after here, as not every body comes by that way.
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADERS,
      factory: protocol === "http:" ? tappedClients(connectTimeout) : sealedClients,
    });
    this.#idle = new IdleWatch(upstream.timeout);
    const places = upstream.maxConnections;
    this.#room = new Room({ places, waiting: places * WAITING, waitMs: timeout });
  }

  /** Answers the request; what goes wrong before the answer has begun is sent as a `Failure`. */
  forward(
    request: FastifyRequest,
    reply: FastifyReply,
    { target, fields, personal, trusted, guest, expiry }: Passing,
  ): void {
    const { raw } = request;
    const headers = requestHeaders(raw.rawHeaders, raw.headers.connection, {
      socket: false,
      reading: useOf(request.method) === "read",
    });
    const passage = new Passage(request, reply, {
      idle: this.#idle,
      repeatable: REPEATABLE.has(request.method) && !hasBody(raw.headers),
      relocate: (location) => this.#relocate(location, request),
      personal,
      trusted,
      expiry,
      dispatch: (handler, onLine) => {
        const options: TappedOptions = {
          path: this.#base + target,
          method: request.method as Dispatcher.HttpMethod,
          headers: headers.concat(fields),
          body: hasBody(raw.headers) ? raw : null,
          onLine,
        };
        this.#pool.dispatch(options, handler);
      },
    });
    const refuse = () => {
      // The rest of its body is not read any more.
      if (!raw.complete) reply.header("connection", "close");
      reply.send(new Failure("upstream_busy", { headers: { "retry-after": RETRY_AFTER } }));
    };
    const waiting = this.#room.enter(guest, { begin: (place) => passage.begin(place), giveUp: refuse });
    if (waiting === "full") refuse();
    else if (waiting !== null) reply.raw.once("close", () => waiting.leave());
  }

  /** A document of its own, asked for without anybody's credentials. Throws what `failureOf` tells apart. */
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

  /** Redirects of a server that knows only its own name lead to ours. */
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
