/**
 * Parses the arguments of `fetch`, so that the request can be sent again with other credentials. A stream is sent once; the body
 * of a `Request` is read into memory.
 */
import { httpUrlOf } from "./address.ts";
import type { Signal } from "./wait.ts";

export interface Prepared {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  /** Without headers and signal. */
  readonly init: RequestInit;
  /** Whether it can be sent again. */
  readonly again: boolean;
  readonly signal: Signal;
}

/** Copied from a `Request`, unless `init` has them. */
const COPIED = ["cache", "integrity", "keepalive", "redirect", "referrer", "referrerPolicy"] as const;

export async function prepare(
  input: string | URL | Request,
  init: RequestInit = {},
  apiUri: string,
): Promise<Prepared> {
  const given = input instanceof Request ? input : null;
  const url = given === null ? httpUrlOf(resolved(input as string | URL, apiUri)) : httpUrlOf(given.url);
  const { headers, signal, ...rest } = init;
  const body = init.body ?? (given && (await bodyOf(given)));
  const method = (init.method ?? given?.method ?? "GET").toUpperCase();
  return {
    url,
    method,
    headers: new Headers(headers ?? given?.headers),
    init: { ...copied(given), ...rest, method, credentials: "omit", ...(body !== null && { body }) },
    again: !isStream(body),
    signal: signal ?? given?.signal ?? undefined,
  };
}

/** A path is relative to the API. */
function resolved(input: string | URL, apiUri: string): string | URL {
  return typeof input === "string" && !/^[a-z][a-z0-9+.-]*:/i.test(input) ? new URL(input, apiUri) : input;
}

function copied(given: Request | null): RequestInit {
  if (given === null) return {};
  return Object.fromEntries(COPIED.map((name) => [name, given[name]]).filter(([, value]) => value));
}

async function bodyOf(given: Request): Promise<ArrayBuffer | null> {
  if (given.method === "GET" || given.method === "HEAD") return null;
  const bytes = await given.arrayBuffer();
  return bytes.byteLength === 0 ? null : bytes;
}

function isStream(body: unknown): boolean {
  return (
    typeof body === "object" &&
    body !== null &&
    (body instanceof ReadableStream || Symbol.asyncIterator in body)
  );
}
