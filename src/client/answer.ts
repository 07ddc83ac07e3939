/**
 * Reads the JSON answers to the client's own requests, limited in size and time, and turns refusals into errors. A server may
 * be hostile: messages escape its control characters and leave out input that it repeats.
 */
import { withoutQuery } from "./address.ts";
import { type ErrorFacts, RequestRefused, ServerUnavailable, TooManyRequests } from "./errors.ts";
import { isTimeout, retryAfterOf, type Sent, tooSlow } from "./transport.ts";
import { orAborted, type Signal } from "./wait.ts";

/** Bytes. A page of 300 principals with all their keys fits. */
const BODY_LIMIT = 32 * 1024 * 1024;
/** Bytes of a refusal. */
const REFUSAL_LIMIT = 64 * 1024;
/** Characters of a message. */
const MESSAGE_LIMIT = 500;

export interface Reading {
  /** Milliseconds for the whole body. */
  readonly timeout: number;
  readonly signal?: Signal;
}

/** The document of a successful answer; null for an empty one. */
export async function documentOf(sent: Sent, url: string, reading: Reading): Promise<unknown> {
  const { response, attempts } = sent;
  if (!response.ok) throw await refusalOf(sent, url, reading);
  if (response.status === 204) return null;
  const parsed = await bodyOf(response, BODY_LIMIT, reading).catch((cause: unknown) => {
    reading.signal?.throwIfAborted();
    throw isTimeout(cause) ? tooSlow(url, attempts, cause) : notOurs(url, attempts, response, cause);
  });
  return parsed;
}

export async function refusalOf(sent: Sent, url: string, reading: Reading): Promise<Error> {
  const { response, attempts } = sent;
  const { status } = response;
  const detail = await detailOf(response, reading);
  const requestId = requestIdOf(response);
  const facts: ErrorFacts = { status, detail, requestId, url: withoutQuery(url) };
  const where = requestId === null ? `${status}` : `${status}, request ${requestId}`;
  const message = `${textOf(detail) || phraseOf(status)} (${where})`;
  if (status === 429) return new TooManyRequests(message, { ...facts, retryAfter: retryAfterOf(response) });
  if (status >= 500) return new ServerUnavailable(message, { ...facts, attempts });
  return new RequestRefused(message, facts);
}

/** The `detail` of an error document, without input that the server repeats; null without such a document. */
export async function detailOf(response: Response, reading: Reading): Promise<unknown> {
  try {
    const body = await bodyOf(response, REFUSAL_LIMIT, reading);
    const { detail, error } = (body ?? {}) as { readonly detail?: unknown; readonly error?: unknown };
    return Array.isArray(detail) ? detail.map(withoutInput) : (detail ?? (error && { error }) ?? null);
  } catch {
    reading.signal?.throwIfAborted();
    return null;
  }
}

export function notOurs(url: string, attempts: number, response: Response, cause?: unknown) {
  const place = withoutQuery(url);
  return new ServerUnavailable(`${place} does not answer as a server of Tiled does.`, {
    url: place,
    attempts,
    status: response.status,
    requestId: requestIdOf(response),
    cause,
  });
}

function requestIdOf({ headers }: Response): string | null {
  const id = headers.get("x-tiled-request-id");
  return id !== null && /^[\w-]{1,64}$/.test(id) ? id : null;
}

async function bodyOf(response: Response, limit: number, { timeout, signal }: Reading): Promise<unknown> {
  const reader = response.body?.getReader();
  if (reader === undefined) return null;
  const decoder = new TextDecoder();
  const limits = [AbortSignal.timeout(timeout), ...(signal ? [signal] : [])];
  const either = AbortSignal.any(limits);
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await orAborted(reader.read(), either);
      if (done) break;
      bytes += value.byteLength;
      if (bytes > limit) throw new RangeError(`The answer is longer than ${limit} bytes.`);
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    void reader.cancel().catch(() => {});
    throw error;
  }
  return text === "" ? null : JSON.parse(text);
}

function withoutInput(problem: unknown): unknown {
  const { type, loc, msg } = (problem ?? {}) as Readonly<Record<string, unknown>>;
  return { type, loc, msg };
}

function textOf(detail: unknown): string {
  if (typeof detail === "string") return printable(detail);
  if (!Array.isArray(detail)) return "";
  // Of a `msg` and the names in `loc`, objects cannot always be turned into text.
  const texts = detail.map(({ loc, msg }) => {
    const names = Array.isArray(loc) ? loc.filter((name) => Object(name) !== name) : [];
    return `${names.join(".")}: ${typeof msg === "string" ? msg : "invalid"}`;
  });
  return printable(texts.join("; "));
}

/** Escapes control characters and shortens. */
export function printable(text: string): string {
  const escaped = (character: string) =>
    `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  return text.slice(0, MESSAGE_LIMIT).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

function phraseOf(status: number): string {
  if (status < 400) return "The server sends the request elsewhere; it was not repeated there";
  return status < 500 ? "The server refused the request" : "The server failed";
}
