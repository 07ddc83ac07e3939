/**
 * Stores of logins. `TokenStore` is the contract for an application's own store, `MemoryStore` keeps logins until the program ends.
 * The store on disk is in `node/`.
 */
import type { Tokens } from "./wire.ts";

/** The tokens of one login. Some may be missing while another program writes them. */
export type StoredTokens = Partial<Pick<Tokens, "access_token" | "refresh_token" | "id_token">>;

/**
 * Keeps one login per API. An application in a browser can bring its own, on storage that it trusts with tokens.
 *
 * @example
 * ```ts
 * import { fromUri, type TokenStore } from "tiled-auth/client";
 *
 * const inTab: TokenStore = {
 *   get: (apiUri) => JSON.parse(sessionStorage.getItem(apiUri) ?? "null"),
 *   set: (apiUri, tokens) => sessionStorage.setItem(apiUri, JSON.stringify(tokens)),
 *   clear: (apiUri) => sessionStorage.removeItem(apiUri),
 * };
 * const context = await fromUri("https://tiled.example.org", { store: inTab });
 * ```
 */
export interface TokenStore {
  /** The tokens stored now, possibly by another program. `apiUri` is that of the context, with its last slash. */
  get(apiUri: string): StoredTokens | null | Promise<StoredTokens | null>;
  set(apiUri: string, tokens: StoredTokens): void | Promise<void>;
  clear(apiUri: string): void | Promise<void>;
  /**
   * Runs `work` while no other program refreshes the login, as far as possible; waits a few seconds at most. Default:
   * `navigator.locks`, if the platform has it.
   */
  lock?<T>(apiUri: string, work: () => Promise<T>): Promise<T>;
}

/**
 * Keeps logins until the program ends. Contexts with the same store share them.
 *
 * @example
 * ```ts
 * import { fromUri, MemoryStore } from "tiled-auth/client";
 *
 * const context = await fromUri("https://tiled.example.org", { store: new MemoryStore() });
 * ```
 */
export class MemoryStore implements TokenStore {
  readonly #logins = new Map<string, StoredTokens>();

  get(apiUri: string): StoredTokens | null {
    return this.#logins.get(apiUri) ?? null;
  }

  set(apiUri: string, tokens: StoredTokens): void {
    this.#logins.set(apiUri, { ...tokens });
  }

  clear(apiUri: string): void {
    this.#logins.delete(apiUri);
  }

  async lock<T>(_apiUri: string, work: () => Promise<T>): Promise<T> {
    return await work();
  }
}

/** Safe in a header, and of a sensible length. */
export function isToken(value: unknown): value is string {
  return typeof value === "string" && value.length <= 65_536 && /^[\x21-\x7e]+$/.test(value);
}

/** Leaves out invalid tokens. */
export function storedTokensOf(value: unknown): StoredTokens | null {
  if (typeof value !== "object" || value === null) return null;
  const { access_token, refresh_token, id_token } = value as Readonly<Record<string, unknown>>;
  const tokens = {
    ...(isToken(access_token) && { access_token }),
    ...(isToken(refresh_token) && { refresh_token }),
    ...(isToken(id_token) && { id_token }),
  };
  return Object.keys(tokens).length === 0 ? null : tokens;
}
