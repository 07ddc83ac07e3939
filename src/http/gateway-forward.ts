/**
 * One request to a server behind this one and its answer on the way back, as streams: nothing is kept but what the slower
 * side has not taken yet. The path, the body and the answer pass as they are; fields are chosen in `gateway-headers.ts`.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Dispatcher, Pool } from "undici";
import { Failure } from "../errors.ts";
import { answerHeaders, requestHeaders } from "./gateway-headers.ts";
import type { Upstream } from "./gateway-mounts.ts";
import type { Links } from "./links.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Below what servers keep an idle connection for (uvicorn: 5 s), so that they are not the first to close it. */
const KEEP_ALIVE_MS = 4_000;
const MAX_HEADERS = 65_536;

export interface Passing {
  /** Below the upstream's URL, as it came, without credentials. */
  readonly target: string;
  /** Our own words, names and values in turn. */
  readonly fields: readonly string[];
}

export interface Read {
  readonly status: number;
  readonly text: string;
}

export class Forwarder {
  readonly upstream: Upstream;
  readonly #links: Pick<Links, "origin" | "path">;
  readonly #pool: Pool;
  /** The path of the upstream's URL: "" or "/base". */
  readonly #base: string;
  readonly #itself: RegExp;

  constructor(upstream: Upstream, links: Pick<Links, "origin" | "path">) {
    const { origin, host, pathname } = new URL(upstream.url);
    const timeout = upstream.timeout * 1000;
    this.upstream = upstream;
    this.#links = links;
    this.#base = pathname.replace(/\/$/, "");
    this.#itself = new RegExp(`^https?://${escaped(host)}(?=[/?#]|$)`, "i");
    this.#pool = new Pool(origin, {
      connections: null,
      pipelining: 1,
      connectTimeout: Math.min(timeout, CONNECT_TIMEOUT_MS),
      headersTimeout: timeout,
      bodyTimeout: timeout,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADERS,
    });
  }

  /** Answers the request; what goes wrong before the answer has begun is sent as a `Failure`. */
  forward(request: FastifyRequest, reply: FastifyReply, { target, fields }: Passing): void {
    const { raw } = request;
    const headers = requestHeaders(raw.rawHeaders, raw.headers.connection, { socket: false });
    const exchange = new Exchange(request, reply, {
      dispatch: (handler) => {
        this.#pool.dispatch(
          {
            path: this.#base + target,
            method: request.method as Dispatcher.HttpMethod,
            headers: headers.concat(fields),
            body: hasBody(raw.headers) ? raw : null,
          },
          handler,
        );
      },
      relocate: (location) => this.#relocate(location, request),
    });
    exchange.begin();
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
    await this.#pool.destroy();
  }

  /** Redirects of a server that knows only its own name lead to ours. */
  #relocate(location: string, request: FastifyRequest): string {
    const found = this.#itself.exec(location);
    if (found === null) return location;
    const rest = location.slice(found[0].length);
    const inner = this.#base !== "" && isUnder(rest, this.#base) ? rest.slice(this.#base.length) : rest;
    const path = this.#links.path(request);
    return this.#links.origin(request) + (path !== "" && !isUnder(inner, path) ? path : "") + inner;
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function isUnder(target: string, path: string): boolean {
  return target.startsWith(path) && /^(?:[/?#]|$)/.test(target.slice(path.length));
}

function hasBody(headers: FastifyRequest["raw"]["headers"]): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

interface ExchangeOptions {
  readonly dispatch: (handler: Dispatcher.DispatchHandler) => void;
  readonly relocate: (location: string) => string;
}

const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #options: ExchangeOptions;
  #controller: Dispatcher.DispatchController | undefined;
  #begun = false;
  #gone = false;
  #repeated = false;

  constructor(request: FastifyRequest, reply: FastifyReply, options: ExchangeOptions) {
    this.#request = request;
    this.#reply = reply;
    this.#options = options;
  }

  begin(): void {
    const { raw } = this.#reply;
    raw.once("close", () => {
      if (raw.writableFinished) return;
      this.#gone = true;
      this.#controller?.abort(new Error("the caller is gone"));
    });
    this.#dispatch();
  }

  #dispatch(): void {
    this.#options.dispatch(this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#gone) controller.abort(new Error("the caller is gone"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (status < 200 || this.#gone) return;
    const fields = Array.isArray(controller.rawHeaders) ? controller.rawHeaders : [];
    const { raw } = this.#reply;
    try {
      const ours = { ...this.#reply.getHeaders(), "server-timing": `gateway;dur=${this.#elapsed()}` };
      const headers = answerHeaders(fields, { ours, relocate: this.#options.relocate });
      // Until its body is read to the end, the connection is no good for another request (RFC 9112, section 9.3).
      if (!this.#request.raw.complete) headers.push("connection", "close");
      this.#reply.hijack();
      this.#begun = true;
      raw.writeHead(status, statusText ?? "", headers);
    } catch (error) {
      controller.abort(error as Error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { raw } = this.#reply;
    if (raw.write(chunk)) return;
    controller.pause();
    raw.once("drain", () => controller.resume());
  }

  onResponseEnd(): void {
    this.#reply.raw.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#gone) return;
    if (this.#begun) {
      this.#request.log.warn({ err: error }, "The answer of the server behind this one broke off.");
      this.#reply.raw.destroy();
      return;
    }
    const code = codeOf(error);
    // It may have closed an idle connection at the very moment that we used it again.
    const stale = code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE";
    const { method, headers } = this.#request.raw;
    if (stale && !this.#repeated && REPEATABLE.has(method ?? "") && !hasBody(headers)) {
      this.#repeated = true;
      this.#dispatch();
      return;
    }
    // What is left of its body nobody reads any more.
    if (!this.#request.raw.complete) this.#reply.header("connection", "close");
    this.#reply.send(failureOf(error));
  }

  #elapsed(): string {
    return this.#reply.elapsedTime.toFixed(1);
  }
}

function codeOf(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return String(typeof code === "string" ? code : name);
}

const TOO_SLOW: ReadonlySet<string> = new Set([
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "ETIMEDOUT",
  "TimeoutError",
]);

/** What this server's HTTP client would not send. */
const UNFIT: ReadonlySet<string> = new Set([
  "UND_ERR_INVALID_ARG",
  "UND_ERR_NOT_SUPPORTED",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
]);

/** The text says what it means for the caller, and nothing of where the server is; the cause is logged. */
export function failureOf(error: unknown): Failure {
  const code = codeOf(error);
  if (UNFIT.has(code)) return new Failure("bad_request", { log: "not fit to be passed on", cause: error });
  if (TOO_SLOW.has(code)) {
    return new Failure("gateway_timeout", {
      detail:
        "The data service behind this server did not answer in time. Try again later; logins are not affected.",
      cause: error,
    });
  }
  return new Failure("bad_gateway", {
    detail:
      "The data service behind this server cannot be reached, or broke off. Try again later; logins are not affected.",
    cause: error,
  });
}
