/**
 * Answers with a body: JSON or msgpack as the `Accept` header asks, with `ETag` and 304 (RFC 9110, section 13.1.2).
 * Errors are in `errors.ts`.
 */
import { hash } from "node:crypto";
import { Encoder } from "@msgpack/msgpack";
import type { FastifyReply, FastifyRequest } from "fastify";

export const JSON_TYPE = "application/json";
const MSGPACK_TYPE = "application/x-msgpack";

/** An answer's body in one format. */
export interface Encoded {
  readonly body: string | Uint8Array;
  readonly etag: string;
}

export interface AnswerOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** For answers with a token, a key or personal data. */
  readonly noStore?: boolean;
}

export type Format = "json" | "msgpack";

export function encode(value: unknown, format: Format): Encoded {
  if (format === "json") return withEtag(toJson(value));
  return withEtag(new Encoder({ ignoreUndefined: true }).encode(toSeconds(value)));
}

/** A value that is encoded at most once per format, so that frequent answers are cheap. */
export class Document {
  readonly #value: unknown;
  #json: Encoded | undefined;
  #msgpack: Encoded | undefined;

  constructor(value: unknown) {
    this.#value = value;
  }

  json(): Encoded {
    this.#json ??= encode(this.#value, "json");
    return this.#json;
  }

  msgpack(): Encoded {
    this.#msgpack ??= encode(this.#value, "msgpack");
    return this.#msgpack;
  }
}

/** Sends a document in the format that the client prefers; a plain value is encoded on the spot. */
export function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  value: unknown,
  options: AnswerOptions = {},
): FastifyReply {
  const document = value instanceof Document ? value : new Document(value);
  const format = formatFor(request);
  const encoded = format === "msgpack" ? document.msgpack() : document.json();
  return answerEncoded(request, reply, encoded, format, options);
}

/** The format that the client prefers. */
export function formatFor(request: FastifyRequest): Format {
  return prefersMsgpack(request.headers.accept) ? "msgpack" : "json";
}

/** Sends what was encoded in the format that the client prefers. */
export function answerEncoded(
  request: FastifyRequest,
  reply: FastifyReply,
  encoded: Encoded,
  format: Format,
  options: AnswerOptions = {},
): FastifyReply {
  return send(request, reply, encoded, format === "msgpack" ? MSGPACK_TYPE : JSON_TYPE, options);
}

/** Sends bytes of a media type that was negotiated elsewhere. */
export function answerBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  bytes: Uint8Array | string,
  mediaType: string,
  options: AnswerOptions = {},
): FastifyReply {
  return send(request, reply, withEtag(bytes), mediaType, options);
}

/** JSON whatever the client accepts, without ETag; the value holds no dates. For tokens and health. */
export function answerJson(reply: FastifyReply, value: unknown, status = 200): FastifyReply {
  return reply
    .code(status)
    .header("cache-control", "no-store")
    .header("content-type", JSON_TYPE)
    .send(JSON.stringify(value));
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  encoded: Encoded,
  mediaType: string,
  options: AnswerOptions,
): FastifyReply {
  if (options.headers) reply.headers(options.headers);
  if (options.noStore) reply.header("cache-control", "no-store");
  reply.header("etag", encoded.etag);
  const known = request.headers["if-none-match"];
  if (
    known !== undefined &&
    (request.method === "GET" || request.method === "HEAD") &&
    names(known, encoded.etag)
  ) {
    return reply.code(304).send();
  }
  return reply.header("content-type", mediaType).serializer(asItIs).send(encoded.body);
}

/** Without a serializer of ours Fastify takes the type apart, to add a charset to JSON (`headers.ts` removes it elsewhere). */
function asItIs(body: string): string {
  return body;
}

function withEtag(body: string | Uint8Array): Encoded {
  return { body, etag: `"${hash("sha1", body, "hex")}"` };
}

function names(header: string, etag: string): boolean {
  if (header === etag || header === "*") return true;
  return header.split(",").some((item) => item.trim().replace(/^W\//, "") === etag);
}

/** Whether a browser shows the answer to a person. */
export function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? "").includes("text/html");
}

/** Whether the first of our formats in `Accept` is msgpack; JSON is the default. */
function prefersMsgpack(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  if (accept === MSGPACK_TYPE) return true;
  for (const item of accept.split(",")) {
    const type = item.split(";", 1)[0]?.trim();
    if (type === MSGPACK_TYPE) return true;
    if (type === JSON_TYPE || type === "*/*") return false;
  }
  return false;
}

/** ISO 8601 in UTC, second resolution, `+00:00`. */
function isoTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}+00:00`;
}

export function toJson(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key: string, given: unknown) {
    const raw = this[key];
    return raw instanceof Date ? isoTime(raw) : given;
  });
}

/** Cuts dates to whole seconds, so that both formats agree. */
function toSeconds(value: unknown): unknown {
  if (value instanceof Date) return new Date(Math.floor(value.getTime() / 1000) * 1000);
  if (Array.isArray(value)) return value.map(toSeconds);
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toSeconds(item)]));
}
