/**
 * A connection to one server: who is calling, and requests in that name. How requests are sent and logins kept is in
 * `authorized.ts` and `login.ts`; ways to get tokens are in `password-grant.ts` and `device-code-grant.ts`.
 */
import { baseOf } from "./address.ts";
import { Admin } from "./admin.ts";
import { Authorized } from "./authorized.ts";
import { CannotPrompt, CannotRefreshAuthentication, NoKeysHere } from "./errors.ts";
import { createKey, type NewKeyOptions, revokeKey, type SignalOption } from "./keys.ts";
import { Login } from "./login.ts";
import { type ConnectOptions, connect, type Parts, register } from "./parts.ts";
import { isLogin, revoke } from "./session.ts";
import { MemoryStore, type StoredTokens } from "./store.ts";
import { orAborted } from "./wait.ts";
import type { ApiKey, NewApiKey, Principal, Provider, ServerInfo, Tokens } from "./wire.ts";

/**
 * Asks the person for a login and returns its tokens, e.g. from `passwordGrant` or `deviceCodeGrant`. Must not use
 * `context.fetch`, which may be waiting for it.
 */
export type Prompt = (
  context: Context,
  providers: readonly Provider[],
  options: { readonly signal: AbortSignal },
) => Promise<Tokens>;

export interface ContextOptions extends ConnectOptions {
  /** Called where a login is needed, and again, once for all waiting requests, when it has ended. */
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
   * Connects with one request, the about document, and logs nobody in. Fails with ServerUnavailable or RequestRefused;
   * TypeError for what is no address.
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
   * `fetch` in the caller's name: any status resolves. Bound, for generated clients. A path is one of the API's. An ended
   * login fails with CannotRefreshAuthentication, an unreachable server with ServerUnavailable, an abort with its reason.
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

  /** With a login or a key. Whether it is still good, only a request shows. */
  get authenticated(): boolean {
    return this.apiKey !== null || this.tokens !== null;
  }

  /** A frozen copy; null without a login. */
  get tokens(): Readonly<StoredTokens> | null {
    const tokens = this.#authorized.login?.tokens ?? null;
    return tokens && Object.freeze({ ...tokens });
  }

  /**
   * Logs in by asking. The prompt is kept for the end of the login. Fails with CannotPrompt where nobody can be asked, with
   * TypeError where an API key is set, and as the prompt does.
   */
  async authenticate({ prompt, rememberMe, signal }: AuthenticateOptions = {}): Promise<Tokens> {
    this.#refuseKey();
    const ask = prompt ?? this.#prompt ?? this.#fallback;
    const { providers } = this.serverInfo.authentication;
    if (providers.length === 0) throw new CannotPrompt("This server has no logins.");
    if (ask === undefined) throw new CannotPrompt("A login is needed: pass `prompt`, tokens or an API key.");
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
   * Goes on with these tokens, of `passwordGrant`, `deviceCodeGrant` or another program. `rememberMe: false` keeps them in
   * memory only, and removes those in the store. TypeError for what are no tokens, or where an API key is set.
   */
  async configureAuth(
    tokens: Tokens,
    { rememberMe = this.#rememberMe }: { readonly rememberMe?: boolean | undefined } = {},
  ): Promise<void> {
    this.#refuseKey();
    if (!isLogin(tokens))
      throw new TypeError("These are no tokens: access_token and refresh_token are needed.");
    const { store, apiUri } = this.#parts;
    this.#rememberMe = rememberMe;
    if (!rememberMe) await store.clear(apiUri);
    const login = Login.of(rememberMe ? store : new MemoryStore(), apiUri);
    await login.keep(tokens);
    this.#authorized.login = login;
  }

  /** Goes on with the login in the store; false: there is none, or it has ended. TypeError where an API key is set. */
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

  /** Refreshes now; requests do so by themselves. Fails with CannotRefreshAuthentication, TypeError where an API key is set. */
  async forceAuthRefresh({ signal }: SignalOption = {}): Promise<Readonly<StoredTokens>> {
    this.#refuseKey();
    const { login } = this.#authorized;
    if (login === null) throw new CannotRefreshAuthentication("There is no login.");
    return Object.freeze({ ...(await this.#authorized.renew(login, null, signal)) });
  }

  /** Who is calling; null: anonymous, or a server without logins. */
  async whoami({ signal }: SignalOption = {}): Promise<Principal | null> {
    if (this.serverInfo.authentication.links === null) return null;
    return (await this.#authorized.document("auth/whoami", { signal })) as Principal | null;
  }

  /** About the API key that is set; TypeError without one, NoKeysHere on a server without logins. */
  async whichApiKey({ signal }: SignalOption = {}): Promise<ApiKey> {
    if (this.apiKey === null) throw new TypeError("No API key is set.");
    this.#needKeys();
    return (await this.#authorized.document("auth/apikey", { signal })) as ApiKey;
  }

  /**
   * Ends the login and forgets it, also when the server is away: then it fails afterwards, with ServerUnavailable. Without a
   * login it does nothing. An API key stays.
   */
  async logout({ signal }: SignalOption = {}): Promise<void> {
    const login = this.#authorized.login ?? Login.of(this.#parts.store, this.apiUri);
    this.#authorized.login = null;
    await login.end((tokens) => revoke(this.#parts, tokens, signal));
  }

  /** Ends one of the caller's own sessions. RequestRefused (404): no such session. */
  async revokeSession(uuid: string, { signal }: SignalOption = {}): Promise<void> {
    const path = `auth/session/revoke/${encodeURIComponent(uuid)}`;
    await this.#authorized.document(path, { method: "DELETE", signal });
  }

  /** The answer is the only one that has the key's `secret`. NoKeysHere on a server without logins. */
  async createApiKey(options: NewKeyOptions = {}): Promise<NewApiKey> {
    this.#needKeys();
    return await createKey(this.#authorized, "auth/apikey", options);
  }

  /** `key`: its first eight characters, or the whole key, which is never sent whole. */
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
    if (this.apiKey !== null)
      throw new TypeError("An API key is set: it cannot be used together with a login.");
  }

  #needKeys(): void {
    if (this.serverInfo.authentication.links === null) throw new NoKeysHere();
  }
}
