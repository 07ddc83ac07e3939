/**
 * One login in one store, shared by all contexts of that store: its tokens, and one refresh at a time for all waiting requests.
 * `session.ts` has the requests.
 */
import { CannotRefreshAuthentication } from "./errors.ts";
import { underLock } from "./lock.ts";
import { type StoredTokens, storedTokensOf, type TokenStore } from "./store.ts";

/** New tokens; null: the server refused the refresh token. */
export type Exchange = (refreshToken: string) => Promise<StoredTokens | null>;

const LOGINS = new WeakMap<TokenStore, Map<string, Login>>();

export class Login {
  readonly #store: TokenStore;
  readonly #apiUri: string;
  #tokens: StoredTokens | null = null;
  #renewal: Promise<StoredTokens> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  static of(store: TokenStore, apiUri: string): Login {
    const logins = LOGINS.get(store) ?? new Map<string, Login>();
    LOGINS.set(store, logins);
    const login = logins.get(apiUri) ?? new Login(store, apiUri);
    logins.set(apiUri, login);
    return login;
  }

  private constructor(store: TokenStore, apiUri: string) {
    this.#store = store;
    this.#apiUri = apiUri;
  }

  /** As last read or written; null without a login. */
  get tokens(): StoredTokens | null {
    return this.#tokens;
  }

  /** As they are in the store now. */
  async load(): Promise<StoredTokens | null> {
    this.#tokens = storedTokensOf(await this.#store.get(this.#apiUri));
    return this.#tokens;
  }

  async keep(tokens: StoredTokens): Promise<void> {
    await this.#alone(() => this.#keep(tokens));
  }

  /**
   * Replaces a stale access token: by the one that another program has stored, or by one refresh for all waiting requests.
   * `stale: null` always refreshes. Fails with CannotRefreshAuthentication if the login has ended, and forgets it.
   */
  async renew(stale: string | null | undefined, exchange: Exchange): Promise<StoredTokens> {
    this.#renewal ??= this.#alone(() => this.#renew(stale, exchange)).finally(() => {
      this.#renewal = null;
    });
    return await this.#renewal;
  }

  /** Forgets the login, even if `revoke` fails. */
  async end(revoke: (tokens: StoredTokens) => Promise<void>): Promise<void> {
    await this.#alone(async () => {
      const tokens = await this.load();
      try {
        if (tokens !== null) await revoke(tokens);
      } finally {
        await this.#forget();
      }
    });
  }

  async #renew(stale: string | null | undefined, exchange: Exchange): Promise<StoredTokens> {
    let stored = await this.load();
    if (stale !== null && stored?.access_token !== undefined && stored.access_token !== stale) return stored;
    for (;;) {
      const sent = stored?.refresh_token;
      if (sent === undefined) throw ended("There is no login.");
      const fresh = await exchange(sent);
      if (fresh !== null) return await this.#keep({ ...stored, ...fresh });
      stored = await this.load();
      // Another program has logged in or refreshed without the lock: keep its login.
      if (stored?.refresh_token === undefined || stored.refresh_token === sent) break;
      if (stored.access_token !== undefined) return stored;
    }
    await this.#forget();
    throw ended("The login has ended.");
  }

  async #keep(tokens: StoredTokens): Promise<StoredTokens> {
    const kept = storedTokensOf(tokens) ?? {};
    this.#tokens = kept;
    await this.#store.set(this.#apiUri, kept);
    return kept;
  }

  async #forget(): Promise<void> {
    this.#tokens = null;
    await this.#store.clear(this.#apiUri);
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(() => underLock(this.#store, this.#apiUri, work));
    this.#last = next.catch(() => {});
    return await next;
  }
}

function ended(what: string): CannotRefreshAuthentication {
  return new CannotRefreshAuthentication(`${what} Log in again, for example with context.authenticate().`);
}
