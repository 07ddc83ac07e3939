/**
 * Sends a request with a time limit for the answer's headers, and repeats it if that is safe (RFC 9110 §9.2.2), with growing
 * pauses. Knows nothing about credentials.
 */
import { withoutQuery } from "./address.ts";
import { ServerUnavailable } from "./errors.ts";
import { pause, type Signal } from "./wait.ts";

export interface RetryOptions {
  /** Maximum number of times that a request is sent. */
  readonly attempts?: number | undefined;
  /** Milliseconds after the first attempt; no other begins later. */
  readonly timeout?: number | undefined;
}

export interface TransportOptions {
  readonly fetch: typeof fetch;
  /** Milliseconds up to the headers of an answer. */
  readonly timeout: number;
  readonly retry: RetryOptions | false;
}

/**
 * `always`: on failed connections, 429 and 5xx but 501. `unprocessed`: only if the server did not process it. `password`: the
 * same, but never on 429. `never`: a body that cannot be sent twice.
 */
export type Repeat = "always" | "unprocessed" | "password" | "never";

export interface Sending {
  readonly url: string;
  readonly init: RequestInit;
  readonly repeat: Repeat;
  readonly signal?: Signal;
}

export interface Sent {
  readonly response: Response;
  readonly attempts: number;
}

/** Certificates that cannot be trusted, and servers without TLS: another attempt would fail alike. */
export const UNTRUSTED: RegExp = /^(CERT_|ERR_TLS_CERT|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_)/;

/** Milliseconds. A timer of more fires at once. */
const LONGEST = 2 ** 31 - 1;

export class Transport {
  /** Milliseconds. */
  readonly timeout: number;
  readonly #fetch: typeof fetch;
  readonly #attempts: number;
  readonly #retryTime: number;

  constructor({ fetch, timeout, retry }: TransportOptions) {
    this.#fetch = fetch;
    this.timeout = Math.min(timeout, LONGEST);
    this.#attempts = retry === false ? 1 : (retry.attempts ?? 10);
    this.#retryTime = retry === false ? 0 : (retry.timeout ?? 45_000);
  }

  /** Any status resolves, also that of the last attempt. Fails with ServerUnavailable, or with the signal's reason. */
  async send(sending: Sending): Promise<Sent> {
    const { url, init, repeat, signal } = sending;
    const until = performance.now() + this.#retryTime;
    for (let attempts = 1; ; attempts++) {
      signal?.throwIfAborted();
      let wait: number | null;
      try {
        const response = await this.#once(url, init, signal);
        wait = repeatsAnswer(repeat, response) ? this.#pauseAfter(attempts, until, response) : null;
        if (wait === null) return { response, attempts };
        void response.body?.cancel().catch(() => {});
      } catch (error) {
        signal?.throwIfAborted();
        wait = repeatsFailure(repeat, error) ? this.#pauseAfter(attempts, until) : null;
        if (wait === null) throw unreachable(url, attempts, error);
      }
      await pause(wait, signal);
    }
  }

  async #once(url: string, init: RequestInit, signal: Signal): Promise<Response> {
    const limit = new AbortController();
    const timer = setTimeout(
      () => limit.abort(new DOMException(`No answer within ${this.timeout} ms.`, "TimeoutError")),
      this.timeout,
    );
    try {
      const either = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
      // Called as a plain function: a browser's `fetch` refuses another `this`.
      const send = this.#fetch;
      return await send(url, { ...init, signal: either });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Milliseconds; null: no other attempt. */
  #pauseAfter(attempts: number, until: number, response?: Response): number | null {
    if (attempts >= this.#attempts) return null;
    const asked = (response && retryAfterOf(response)) ?? 0;
    const grown = Math.min(5000, 100 * 2 ** attempts) * (0.5 + Math.random() / 2);
    const wait = Math.max(asked * 1000, grown);
    return performance.now() + wait > until ? null : wait;
  }
}

/** Seconds, from a number or a date (RFC 9110 §10.2.3). */
export function retryAfterOf({ headers }: Response): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

export function repeatFor(method: string): Repeat {
  return /^(GET|HEAD|OPTIONS|PUT|DELETE)$/.test(method) ? "always" : "unprocessed";
}

function repeatsAnswer(repeat: Repeat, response: Response): boolean {
  const { status } = response;
  if (repeat === "never" || status < 429) return false;
  if (repeat === "always") return status === 429 || (status >= 500 && status !== 501);
  if (!response.headers.has("retry-after")) return false;
  return status === 503 || (status === 429 && repeat === "unprocessed");
}

function repeatsFailure(repeat: Repeat, error: unknown): boolean {
  const code = codeOf(error) ?? "";
  // Refused: nothing was sent.
  if (repeat !== "always") return repeat !== "never" && code === "ECONNREFUSED";
  return !UNTRUSTED.test(code);
}

/** Of the deepest cause that has one. Only Node reports it. */
export function codeOf(error: unknown): string | null {
  let code: string | null = null;
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ("code" in cause && typeof cause.code === "string") code = cause.code;
  return code;
}

export function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "TimeoutError";
}

export function tooSlow(url: string, attempts: number, cause: unknown): ServerUnavailable {
  const place = withoutQuery(url);
  return new ServerUnavailable(`${place} did not answer in time.`, { url: place, attempts, cause });
}

function unreachable(url: string, attempts: number, cause: unknown): ServerUnavailable {
  if (isTimeout(cause)) return tooSlow(url, attempts, cause);
  const place = withoutQuery(url);
  return new ServerUnavailable(`${place} cannot be reached.`, { url: place, attempts, cause });
}
