/**
 * A connection to one server and its caller. `authorized.ts` sends its requests and `login.ts` keeps its tokens, which come from
 * `password-grant.ts` and `device-code-grant.ts`.
 */
import { baseOf, segmentOf } from "./address.ts";
import { Admin } from "./admin.ts";
import { Authorized } from "./authorized.ts";
import { isCaller, isKey, isLogin } from "./documents.ts";
import { CannotPrompt, CannotRefreshAuthentication, NoKeysHere } from "./errors.ts";
import { createKey, type NewKeyOptions, revokeKey, type SignalOption } from "./keys.ts";
import { Login } from "./login.ts";
import { type ConnectOptions, connect, type Parts, register } from "./parts.ts";
import { revoke } from "./session.ts";
import { MemoryStore, type StoredTokens } from "./store.ts";
import { orAborted } from "./wait.ts";
import type { ApiKey, NewApiKey, Principal, Provider, ServerInfo, Tokens } from "./wire.ts";

/**
 * Asks the person for a login and returns its tokens, e.g. from `passwordGrant` or `deviceCodeGrant`. It must not
 * call `context.fetch`, which may wait for it.
 */
export type Prompt = (
  context: Context,
  providers: readonly Provider[],
  options: { readonly signal: AbortSignal },
) => Promise<Tokens>;

export interface ContextOptions extends ConnectOptions {
  /** Called for a login, and again, once for all waiting requests, after that login has ended. */
  readonly prompt?: Prompt | undefined;
}

export interface AuthenticateOptions extends SignalOption {
  readonly prompt?: Prompt | undefined;
  readonly rememberMe?: boolean | undefined;
}

const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/**
 * Made by `fromUri`, or without a login by `Context.fromAnyUri`.
 *
 * @example
 * ```ts
 * import { fromUri } from "tiled-auth/client";
 *
 * const context = await fromUri("https://tiled.example.org");
 * const response = await context.fetch("metadata/");
 * console.log(response.status, await context.whoami());
 * const { secret } = await context.createApiKey({ expiresIn: "7d", scopes: ["read:metadata"] });
 * await context.revokeApiKey(secret);
 * await context.logout();
 * ```
 */
export class Context {
  /** For administrators. */
  readonly admin: Admin;
  readonly #parts: Parts;
  readonly #authorized: Authorized;
  readonly #fallback: Prompt | undefined;
  #prompt: Prompt | undefined;
  #rememberMe: boolean;
  #asking: Promise<unknown> | null = null;

  /**
   * Connects with one request, for the about document, without a login. Fails with ServerUnavailable or RequestRefused, and
   * with TypeError for an invalid address.
   *
   * @example
   * ```ts
   * import { Context } from "tiled-auth/client";
   *
   * const { context, nodePathParts } = await Context.fromAnyUri("https://tiled.example.org/api/v1/metadata/a/b");
   * console.log(context.serverInfo.authentication.required, nodePathParts);
   * ```
   */
  static async fromAnyUri(
    uri: string | URL,
    options: ContextOptions = {},
  ): Promise<{ readonly context: Context; readonly nodePathParts: readonly string[] }> {
    const { parts, nodePathParts } = await connect(uri, options);
    return { context: new Context(parts, options.prompt), nodePathParts };
  }

  /** @internal */
  constructor(parts: Parts, prompt?: Prompt, fallback?: Prompt) {
    this.#parts = parts;
    this.#authorized = new Authorized(parts);
    this.#fallback = fallback;
    this.#rememberMe = parts.rememberMe;
    this.admin = new Admin(this.#authorized);
    register(this, parts);
    this.#keepPrompt(prompt);
  }

  /**
   * `fetch` with the caller's credentials: any status resolves. Bound, for generated clients. A path is relative to the API.
   * Fails with CannotRefreshAuthentication (the login has ended), ServerUnavailable, or the signal's reason.
   */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
    (await this.#authorized.send(input, init)).response;

  /** The API's address, with a slash at its end. */
  get apiUri(): string {
    return this.#parts.apiUri;
  }

  /** The server's address, which the paths of its OpenAPI document start from; no slash at its end. */
  get baseUrl(): string {
    return baseOf(this.#parts.apiUri);
  }

  /** The about document. */
  get serverInfo(): ServerInfo {
    return this.#parts.serverInfo;
  }

  get apiKey(): string | null {
    return this.#parts.apiKey;
  }

  /** With a login or a key. Only a request shows whether it is still valid. */
  get authenticated(): boolean {
    return this.apiKey !== null || this.tokens !== null;
  }

  /** A frozen copy; null without a login. */
  get tokens(): Readonly<StoredTokens> | null {
    const tokens = this.#authorized.login?.tokens ?? null;
    return tokens && Object.freeze({ ...tokens });
  }

  /**
   * Logs in with the prompt, which is kept for when this login has ended. Fails with CannotPrompt without a prompt, with
   * TypeError if an API key is set, and as the prompt does.
   */
  async authenticate({ prompt, rememberMe, signal }: AuthenticateOptions = {}): Promise<Tokens> {
    this.#refuseKey();
    const ask = prompt ?? this.#prompt ?? this.#fallback;
    const { providers } = this.serverInfo.authentication;
    if (providers.length === 0) throw new CannotPrompt("This server has no logins.");
    if (ask === undefined)
      throw new CannotPrompt("A login is required. Pass `prompt`, tokens or an API key.");
    const asked = ask(this, providers, { signal: signal ?? new AbortController().signal });
    const tokens = await orAborted(asked, signal);
    await this.configureAuth(tokens, { rememberMe });
    this.#keepPrompt(ask);
    return tokens;
  }

  /** The same as `authenticate`. */
  async login(options?: AuthenticateOptions): Promise<Tokens> {
    return await this.authenticate(options);
  }

  /**
   * Uses these tokens, from `passwordGrant`, `deviceCodeGrant` or another program. `rememberMe: false` keeps them in memory
   * and removes those in the store. TypeError if they are not tokens, or an API key is set.
   */
  async configureAuth(
    tokens: Tokens,
    { rememberMe = this.#rememberMe }: { readonly rememberMe?: boolean | undefined } = {},
  ): Promise<void> {
    this.#refuseKey();
    if (!isLogin(tokens)) throw new TypeError("Invalid tokens: access_token and refresh_token are required.");
    const { store, apiUri } = this.#parts;
    this.#rememberMe = rememberMe;
    if (!rememberMe) await store.clear(apiUri);
    const login = Login.of(rememberMe ? store : new MemoryStore(), apiUri);
    await login.keep(tokens);
    this.#authorized.login = login;
  }

  /** Uses the login in the store; false if it is missing or has ended. TypeError if an API key is set. */
  async useCachedTokens({ signal }: SignalOption = {}): Promise<boolean> {
    this.#refuseKey();
    const { store, apiUri, serverInfo } = this.#parts;
    const login = Login.of(store, apiUri);
    if (serverInfo.authentication.links === null || (await login.load()) === null) return false;
    const before = this.#authorized.login;
    this.#authorized.login = login;
    try {
      await this.#authorized.document("auth/whoami", { signal, asks: false });
      return true;
    } catch (error) {
      this.#authorized.login = before === login ? null : before;
      if (error instanceof CannotRefreshAuthentication) return false;
      throw error;
    }
  }

  /** Refreshes now; requests refresh by themselves. Fails with CannotRefreshAuthentication; TypeError if an API key is set. */
  async forceAuthRefresh({ signal }: SignalOption = {}): Promise<Readonly<StoredTokens>> {
    this.#refuseKey();
    const { login } = this.#authorized;
    if (login === null) throw new CannotRefreshAuthentication("There is no login.");
    return Object.freeze({ ...(await this.#authorized.renew(login, null, signal)) });
  }

  /** The caller; null for an anonymous one, and on a server without logins. */
  async whoami({ signal }: SignalOption = {}): Promise<Principal | null> {
    if (this.serverInfo.authentication.links === null) return null;
    return await this.#authorized.document("auth/whoami", { signal, fits: isCaller });
  }

  /** The API key in use. TypeError without one, NoKeysHere on a server without logins. */
  async whichApiKey({ signal }: SignalOption = {}): Promise<ApiKey> {
    if (this.apiKey === null) throw new TypeError("No API key is set.");
    this.#needKeys();
    return await this.#authorized.document("auth/apikey", { signal, fits: isKey });
  }

  /**
   * Ends the login and forgets it. If the server is away, it is forgotten all the same, and the call fails with
   * ServerUnavailable. Does nothing without a login. An API key stays.
   */
  async logout({ signal }: SignalOption = {}): Promise<void> {
    const login = this.#authorized.login ?? Login.of(this.#parts.store, this.apiUri);
    this.#authorized.login = null;
    await login.end((tokens) => revoke(this.#parts, tokens, signal));
  }

  /** Ends one of the caller's own sessions. RequestRefused (404): no such session. */
  async revokeSession(uuid: string, { signal }: SignalOption = {}): Promise<void> {
    const path = `auth/session/revoke/${segmentOf(uuid)}`;
    await this.#authorized.document(path, { method: "DELETE", signal });
  }

  /** Only this answer contains the key's `secret`. NoKeysHere on a server without logins. */
  async createApiKey(options: NewKeyOptions = {}): Promise<NewApiKey> {
    this.#needKeys();
    return await createKey(this.#authorized, "auth/apikey", options);
  }

  /** `key`: the key or its first eight characters. Only those are sent. */
  async revokeApiKey(key: string, options: SignalOption = {}): Promise<void> {
    this.#needKeys();
    await revokeKey(this.#authorized, "auth/apikey", key, options);
  }

  toString(): string {
    return `Context ${this.apiUri} (${this.authenticated ? "authenticated" : "anonymous"})`;
  }

  toJSON(): { readonly apiUri: string; readonly authenticated: boolean } {
    return { apiUri: this.apiUri, authenticated: this.authenticated };
  }

  /** @internal */
  [INSPECT](): string {
    return this.toString();
  }

  #keepPrompt(prompt: Prompt | undefined): void {
    this.#prompt = prompt;
    this.#authorized.onEnded = prompt === undefined ? null : () => this.#askAgain();
  }

  #askAgain(): Promise<unknown> {
    this.#asking ??= this.authenticate().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  #refuseKey(): void {
    if (this.apiKey !== null) throw new TypeError("An API key is set. It cannot be combined with a login.");
  }

  #needKeys(): void {
    if (this.serverInfo.authentication.links === null) throw new NoKeysHere();
  }
}
