/**
 * Principals, sessions and API keys, read through caches (`read-through-cache.ts`). The store tells them what it has changed. A
 * service that may have changed something reports it here as well, so that a revocation holds from the next request on even if
 * the database was lost meanwhile.
 */
import { isDeepStrictEqual } from "node:util";
import { setBounded } from "../../lib/bounded-map.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Digest } from "../../lib/secrets.ts";
import { bytesOf } from "../../lib/size.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type {
  ApiKeyRecord,
  KeyRef,
  PrincipalDocument,
  PrincipalSummary,
  SessionStatus,
} from "../model/entities.ts";
import type { Change, Changes } from "../ports/changes.ts";
import type { Store } from "../ports/store.ts";
import { type ReadMark, ReadThroughCache } from "./read-through-cache.ts";

const FIRST_EIGHT = 8;
/**
 * Memory of each cache: room for about 20,000 people with a session and a key. Measured with 5,000: a summary takes 0.5 kB, a
 * session 0.6 kB, a key 0.7 kB, an answer of whoami 1.1 kB; `bytesOf` is right to within a tenth.
 */
const MAX_BYTES = { summaries: 12_000_000, views: 24_000_000, sessions: 12_000_000, apiKeys: 16_000_000 };
/** Of the caller that is remembered for a key (`callers.ts`). */
const CALLER_BYTES = 200;
/** Revoked keys whose revoking key is remembered. */
const MAX_REVOKERS = 10_000;

type CachedStore = Pick<Store, "principals" | "sessions" | "apiKeys" | "changes">;

export class PrincipalCache {
  readonly #summaries: ReadThroughCache<Uuid, PrincipalSummary>;
  readonly #views: { drop(principal: Uuid): void }[] = [];
  readonly #sessions: ReadThroughCache<Uuid, SessionStatus>;
  readonly #apiKeys: ReadThroughCache<string, ApiKeyRecord>;
  readonly #revokers = new Map<string, KeyRef>();
  readonly #listeners: ((uuid: Uuid) => void)[] = [];
  readonly #store: CachedStore;
  readonly #clock: Clock;

  constructor(store: CachedStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    const { changes } = store;
    const concerns = ({ what }: Change) => what === "anything";
    // Callers, and the upstream credentials made for them, are remembered by the objects of a principal and a key.
    this.#summaries = new ReadThroughCache((uuid) => store.principals.summary(uuid), clock, {
      changes,
      concerns,
      isSame: isDeepStrictEqual,
      maxBytes: MAX_BYTES.summaries,
      // Lists of scopes are shared.
      sizeOf: (summary) => bytesOf({ ...summary, scopes: null }),
    });
    this.#sessions = new ReadThroughCache((uuid) => store.sessions.status(uuid), clock, {
      changes,
      concerns,
      ownerOf: ({ principal }) => principal,
      maxBytes: MAX_BYTES.sessions,
    });
    this.#apiKeys = new ReadThroughCache(
      (name) => store.apiKeys.find(name.slice(0, FIRST_EIGHT), name.slice(FIRST_EIGHT) as Digest),
      clock,
      {
        changes,
        concerns,
        ownerOf: ({ principal }) => principal,
        isSame: isDeepStrictEqual,
        maxBytes: MAX_BYTES.apiKeys,
        sizeOf: (key) => bytesOf(key) + CALLER_BYTES,
      },
    );
  }

  /** What the store tells of changes, for further caches. */
  get changes(): Changes {
    return this.#store.changes;
  }

  /**
   * What `make` makes of principals' documents, e.g. an encoded answer. The document itself is not kept. `sizeOf`: bytes of one;
   * `maxBytes`: of all.
   */
  views<V>(
    make: (document: PrincipalDocument) => V,
    sizeOf: (view: V) => number,
    maxBytes = MAX_BYTES.views,
  ): { get(uuid: Uuid): V | Promise<V | undefined> } {
    const cache = new ReadThroughCache<Uuid, View<V>>(
      async (uuid) => {
        const document = await this.document(uuid);
        return document && { made: make(document), end: endOf(document) };
      },
      this.#clock,
      {
        changes: this.changes,
        endOf: ({ end }) => end,
        maxBytes,
        sizeOf: ({ made }) => sizeOf(made),
      },
    );
    this.#views.push(cache);
    return {
      get: (uuid) => {
        const view = cache.get(uuid);
        return view instanceof Promise ? view.then((found) => found?.made) : view.made;
      },
    };
  }

  /** `now`, here and below: the caller's reading of the clock. */
  summary(uuid: Uuid, now?: number): PrincipalSummary | Promise<PrincipalSummary | undefined> {
    return this.#summaries.get(uuid, now);
  }

  /** `current…` here and below never returns old values while the store is unreachable; for results that outlive the cache. */
  currentSummary(uuid: Uuid): Promise<PrincipalSummary | undefined> {
    return this.#summaries.getCurrent(uuid);
  }

  /** A summary that is at hand and fresh. */
  freshSummary(uuid: Uuid): PrincipalSummary | undefined {
    return this.#summaries.peek(uuid);
  }

  /** Before a summary is read in another way, for `summaryRead`. */
  markSummaries(): ReadMark {
    return this.#summaries.mark();
  }

  summaryRead(summary: PrincipalSummary, mark: ReadMark): void {
    this.#summaries.keep(summary.uuid, summary, mark);
  }

  currentSession(uuid: Uuid): Promise<SessionStatus | undefined> {
    return this.#sessions.getCurrent(uuid);
  }

  currentApiKey(firstEight: string, digest: Digest): Promise<ApiKeyRecord | undefined> {
    return this.#apiKeys.getCurrent(firstEight + digest);
  }

  /** The key that revoked this one on this server; null if a login or another server did. */
  revokerOf({ firstEight, digest }: KeyRef): KeyRef | null {
    return this.#revokers.get(firstEight + digest) ?? null;
  }

  /** Not cached. */
  document(uuid: Uuid): Promise<PrincipalDocument | undefined> {
    return this.#store.principals.document(uuid, new Date(this.#clock.now()));
  }

  session(uuid: Uuid, now?: number): SessionStatus | Promise<SessionStatus | undefined> {
    return this.#sessions.get(uuid, now);
  }

  apiKey(firstEight: string, digest: Digest, now?: number): ApiKeyRecord | Promise<ApiKeyRecord | undefined> {
    return this.#apiKeys.get(firstEight + digest, now);
  }

  principalChanged(uuid: Uuid): void {
    this.#summaries.drop(uuid);
    this.documentChanged(uuid);
    for (const listener of this.#listeners) listener(uuid);
  }

  /** For further caches of what belongs to a principal. */
  onChange(listener: (uuid: Uuid) => void): void {
    this.#listeners.push(listener);
  }

  /** After a refresh or the use of a key, which change what whoami shows of the principal but not its scopes. */
  documentChanged(uuid: Uuid): void {
    for (const views of this.#views) views.drop(uuid);
  }

  sessionUncertain(session: Uuid): void {
    this.#sessions.drop(session);
  }

  sessionChanged(session: Uuid, principal: Uuid): void {
    this.#sessions.drop(session);
    this.documentChanged(principal);
  }

  /** If it is unknown whether keys were revoked: all keys with this beginning are read again. */
  apiKeysUncertain(firstEight: string, principal: Uuid): void {
    this.#apiKeys.dropWhere((name) => name.startsWith(firstEight));
    this.documentChanged(principal);
  }

  /** `revoker`: the key that revoked them, if it was a key. */
  apiKeysRevoked(
    firstEight: string,
    digests: readonly Digest[],
    principal: Uuid,
    revoker: KeyRef | null,
  ): void {
    for (const digest of digests) {
      this.#apiKeys.drop(firstEight + digest);
      if (revoker !== null) setBounded(this.#revokers, firstEight + digest, revoker, MAX_REVOKERS);
    }
    this.documentChanged(principal);
  }
}

interface View<V> {
  readonly made: V;
  readonly end: number;
}

/** When a document stops showing a session or key that expires. */
function endOf({ sessions, apiKeys }: PrincipalDocument): number {
  let end = Number.POSITIVE_INFINITY;
  for (const { expirationTime } of [...sessions, ...apiKeys]) {
    if (expirationTime !== null) end = Math.min(end, expirationTime.getTime());
  }
  return end;
}
