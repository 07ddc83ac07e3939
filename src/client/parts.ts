/**
 * The parts of a context, and its requests without a login: the about document, logins, refreshes. `authorized.ts` sends the
 * others.
 */
import { type ApiAddress, apiAddressOf } from "./address.ts";
import { detailOf, documentOf, notOurs, type Reading, refusalOf } from "./answer.ts";
import { isAbout } from "./documents.ts";
import { MemoryStore, type TokenStore } from "./store.ts";
import { type Repeat, type RetryOptions, type Sent, Transport } from "./transport.ts";
import type { Signal } from "./wait.ts";
import type { ServerInfo } from "./wire.ts";

export interface ConnectOptions {
  /** Instead of a login. In Node `TILED_API_KEY` is the default; `null` is none. */
  readonly apiKey?: string | null | undefined;
  /** Sent with each request to the API's own origin. As in `fetch`, a redirect takes them along, so put no secret in them. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Keeps logins in the store and takes them from it. Default: true. */
  readonly rememberMe?: boolean | undefined;
  /** Default: on disk in Node, in memory elsewhere. */
  readonly store?: TokenStore | undefined;
  /** Aborts connecting and the login that belongs to it. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds up to the headers of an answer. Default: 30000. */
  readonly timeout?: number | undefined;
  /** Default: 10 attempts within 45000 milliseconds. In Node `TILED_RETRY_ATTEMPTS` and `TILED_RETRY_TIMEOUT` count. */
  readonly retry?: RetryOptions | false | undefined;
  /** Instead of the platform's `fetch`. */
  readonly fetch?: typeof fetch | undefined;
}

export interface Parts {
  readonly apiUri: string;
  readonly serverInfo: ServerInfo;
  readonly apiKey: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly transport: Transport;
  readonly store: TokenStore;
  readonly rememberMe: boolean;
}

export interface Question {
  /** Below the API's address, or a whole URL. */
  readonly path: string;
  readonly method?: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly repeat: Repeat;
  readonly signal?: Signal;
}

export interface Answered {
  readonly status: number;
  document(): Promise<unknown>;
  refusal(): Promise<Error>;
  /** Reads a refused answer's `detail`. */
  detail(): Promise<unknown>;
  /** Error for a document of the wrong form. */
  notOurs(): Error;
}

const PARTS = new WeakMap<object, Parts>();

/** For functions that take a context. */
export function partsOf(context: object): Parts {
  const parts = PARTS.get(context);
  if (parts === undefined) throw new TypeError("Not a context.");
  return parts;
}

export function register(context: object, parts: Parts): void {
  PARTS.set(context, parts);
}

export function transportOf({ fetch, timeout, retry }: ConnectOptions): Transport {
  return new Transport({
    fetch: fetch ?? globalThis.fetch,
    timeout: timeout ?? 30_000,
    retry: retry ?? {},
  });
}

/** Asks for the about document. */
export async function connect(
  uri: string | URL,
  options: ConnectOptions,
): Promise<{ readonly parts: Parts; readonly nodePathParts: readonly string[] }> {
  const address = apiAddressOf(uri);
  const { apiUri, nodePathParts } = address;
  const known = {
    apiUri,
    apiKey: keyOf(address, options),
    headers: { ...options.headers },
    transport: transportOf(options),
    store: options.store ?? new MemoryStore(),
    rememberMe: options.rememberMe ?? true,
  };
  const answer = await ask(known, { path: "", repeat: "always", signal: options.signal });
  const document = await answer.document();
  if (!isAbout(document)) throw answer.notOurs();
  return { parts: { ...known, serverInfo: document }, nodePathParts };
}

/** Sends no credentials except those in the question. A request with a body follows no redirect. */
export async function ask(
  { apiUri, headers, transport }: Pick<Parts, "apiUri" | "headers" | "transport">,
  { path, method, json, form, repeat, signal }: Question,
): Promise<Answered> {
  const url = new URL(path, apiUri);
  const own = url.origin === new URL(apiUri).origin ? headers : {};
  const body = form === undefined ? json && JSON.stringify(json) : new URLSearchParams(form);
  const init: RequestInit = {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { ...own, accept: "application/json", ...(json !== undefined && JSON_BODY) },
    credentials: "omit",
    cache: "no-store",
    ...(body === undefined ? {} : { body: body as string | URLSearchParams, redirect: "manual" }),
  };
  const sent = await transport.send({ url: url.href, init, repeat, signal });
  return answered(sent, url.href, { timeout: transport.timeout, signal });
}

export function answered(sent: Sent, url: string, reading: Reading): Answered {
  const { response, attempts } = sent;
  return {
    status: response.status,
    document: () => documentOf(sent, url, reading),
    refusal: () => refusalOf(sent, url, reading),
    detail: () => detailOf(response, reading),
    notOurs: () => notOurs(url, attempts, response),
  };
}

export const JSON_BODY = { "content-type": "application/json" };

function keyOf(address: ApiAddress, { apiKey }: ConnectOptions): string | null {
  if (address.apiKey !== null && apiKey)
    throw new TypeError("Pass the API key in the address or as an option, not both.");
  const key = address.apiKey ?? (apiKey || null);
  if (key !== null && !/^[\x21-\x7e]+$/.test(key))
    throw new TypeError("Invalid API key: it contains characters that a header cannot carry.");
  return key;
}
