/**
 * Adds the caller's credentials to requests, to the API's own origin only, and handles 401: another stored token, a refresh, a
 * new login. It reacts to answers and never reads the local clock.
 */
import { detailOf } from "./answer.ts";
import { CannotRefreshAuthentication } from "./errors.ts";
import type { Login } from "./login.ts";
import { answered, JSON_BODY, type Parts } from "./parts.ts";
import { type Prepared, prepare } from "./request.ts";
import { refresh } from "./session.ts";
import type { StoredTokens } from "./store.ts";
import { repeatFor, type Sent } from "./transport.ts";
import { orAborted, type Signal } from "./wait.ts";

/** With a stale token, with one that another program stored, with a refreshed one. */
const TRIES = 3;

export interface DocumentRequest<T> {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly signal?: Signal;
  /** Whether the person may be asked to log in again. Default: true. */
  readonly asks?: boolean;
  /** Checks the document; another one fails with ServerUnavailable. */
  readonly fits?: (document: unknown) => document is T;
}

export class Authorized {
  /** Null: anonymous, or with a key. */
  login: Login | null = null;
  /** Logs in again, once for all waiting requests; null without a prompt. */
  onEnded: (() => Promise<unknown>) | null = null;
  readonly #parts: Parts;
  readonly #origin: string;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#origin = new URL(parts.apiUri).origin;
  }

  async send(input: string | URL | Request, init?: RequestInit, asks = true): Promise<Sent> {
    const request = await prepare(input, init, this.#parts.apiUri);
    const { url, headers } = request;
    if (url.origin !== this.#origin) return await this.#once(request);
    for (const [name, value] of Object.entries(this.#parts.headers))
      if (!headers.has(name)) headers.set(name, value);
    // The caller's own credentials are not refreshed.
    if (headers.has("authorization")) return await this.#once(request);
    if (this.#parts.apiKey !== null) headers.set("authorization", `Apikey ${this.#parts.apiKey}`);
    return await (this.login === null ? this.#once(request) : this.#withLogin(this.login, request, asks));
  }

  /** A request of the client's own; resolves to the document. */
  async document<T = unknown>(
    path: string,
    { method, query, json, signal, asks, fits }: DocumentRequest<T> = {},
  ): Promise<T> {
    const url = new URL(path, this.#parts.apiUri);
    url.search = new URLSearchParams(query).toString();
    const init = {
      method: method ?? "GET",
      headers: { accept: "application/json", ...(json !== undefined && JSON_BODY) },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(signal && { signal }),
    };
    const sent = await this.send(url, init, asks);
    const answer = answered(sent, url.href, { timeout: this.#parts.transport.timeout, signal });
    const document = await answer.document();
    if (fits?.(document) === false) throw answer.notOurs();
    return document as T;
  }

  async renew(login: Login, stale: string | null | undefined, signal?: Signal): Promise<StoredTokens> {
    // An aborted request does not end the refresh, which others may wait for.
    return await orAborted(
      login.renew(stale, (refreshToken) => refresh(this.#parts, refreshToken)),
      signal,
    );
  }

  async #withLogin(login: Login, request: Prepared, asks: boolean): Promise<Sent> {
    const { headers, again, signal } = request;
    let access = (login.tokens ?? (await login.load()))?.access_token;
    for (let tries = 1; ; tries++) {
      if (access !== undefined) {
        headers.set("authorization", `Bearer ${access}`);
        const sent = await this.#once(request);
        const { response } = sent;
        if (response.status !== 401 || !again || tries === TRIES) return sent;
        if (await this.#lacksScope(response, signal)) return sent;
        void response.body?.cancel().catch(() => {});
      }
      access = await this.#another(login, access, signal, asks);
    }
  }

  async #another(login: Login, stale: string | undefined, signal: Signal, asks: boolean) {
    const { onEnded } = this;
    try {
      return (await this.renew(login, stale, signal)).access_token;
    } catch (error) {
      if (!(error instanceof CannotRefreshAuthentication)) throw error;
      // Logged in again, or out, while the request was on its way.
      if (this.login !== login && this.login?.tokens) return this.login.tokens.access_token;
      if (this.login === null || onEnded === null || !asks) throw error;
      await orAborted(onEnded(), signal);
      return this.login?.tokens?.access_token;
    }
  }

  /** A missing scope is a 401 in this API; another token would not help. */
  async #lacksScope(response: Response, signal: Signal): Promise<boolean> {
    const reading = { timeout: this.#parts.transport.timeout, signal };
    const detail = await detailOf(response.clone(), reading);
    return typeof detail === "string" && detail.startsWith("Not enough permissions");
  }

  async #once({ url, method, headers, init, again, signal }: Prepared): Promise<Sent> {
    return await this.#parts.transport.send({
      url: url.href,
      init: { ...init, headers },
      repeat: again ? repeatFor(method) : "never",
      signal,
    });
  }
}
