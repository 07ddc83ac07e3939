/**
 * Principals, sessions and API keys, read through half-second caches (`read-through-cache.ts`). A service that changes one of
 * them reports it here, so that a revocation holds from the next request on.
 */
import { isDeepStrictEqual } from "node:util";
import { setBounded } from "../../lib/bounded-map.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type {
  ApiKeyRecord,
  KeyRef,
  PrincipalDocument,
  PrincipalSummary,
  SessionStatus,
} from "../model/entities.ts";
import type { Store } from "../ports/store.ts";
import { type ReadMark, ReadThroughCache } from "./read-through-cache.ts";

const FIRST_EIGHT = 8;
/** Revoked keys whose revoking key is remembered. */
const MAX_REVOKERS = 10_000;

export class PrincipalCache {
  readonly #summaries: ReadThroughCache<Uuid, PrincipalSummary>;
  readonly #documents: ReadThroughCache<Uuid, PrincipalDocument>;
  readonly #sessions: ReadThroughCache<Uuid, SessionStatus>;
  readonly #apiKeys: ReadThroughCache<string, ApiKeyRecord>;
  readonly #revokers = new Map<string, KeyRef>();
  readonly #listeners: ((uuid: Uuid) => void)[] = [];

  constructor(store: Pick<Store, "principals" | "sessions" | "apiKeys">, clock: Clock) {
    // Callers, and the upstream credentials made for them, are remembered by the objects of a principal and a key.
    this.#summaries = new ReadThroughCache(
      (uuid) => store.principals.summary(uuid),
      clock,
      isDeepStrictEqual,
    );
    this.#documents = new ReadThroughCache(
      (uuid) => store.principals.document(uuid, new Date(clock.now())),
      clock,
    );
    this.#sessions = new ReadThroughCache((uuid) => store.sessions.status(uuid), clock);
    this.#apiKeys = new ReadThroughCache(
      (name) => store.apiKeys.find(name.slice(0, FIRST_EIGHT), name.slice(FIRST_EIGHT) as Digest),
      clock,
      isDeepStrictEqual,
    );
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

  document(uuid: Uuid): PrincipalDocument | Promise<PrincipalDocument | undefined> {
    return this.#documents.get(uuid);
  }

  session(uuid: Uuid, now?: number): SessionStatus | Promise<SessionStatus | undefined> {
    return this.#sessions.get(uuid, now);
  }

  apiKey(firstEight: string, digest: Digest, now?: number): ApiKeyRecord | Promise<ApiKeyRecord | undefined> {
    return this.#apiKeys.get(firstEight + digest, now);
  }

  principalChanged(uuid: Uuid): void {
    this.#summaries.drop(uuid);
    this.#documents.drop(uuid);
    for (const listener of this.#listeners) listener(uuid);
  }

  /** For further caches of what belongs to a principal. */
  onChange(listener: (uuid: Uuid) => void): void {
    this.#listeners.push(listener);
  }

  /** After a login or a refresh, which change the principal's document but not its scopes. */
  documentChanged(uuid: Uuid): void {
    this.#documents.drop(uuid);
  }

  sessionUncertain(session: Uuid): void {
    this.#sessions.drop(session);
  }

  sessionChanged(session: Uuid, principal: Uuid): void {
    this.#sessions.drop(session);
    this.#documents.drop(principal);
  }

  /** If it is unknown whether keys were revoked: all keys with this beginning are read again. */
  apiKeysUncertain(firstEight: string, principal: Uuid): void {
    this.#apiKeys.dropWhere((name) => name.startsWith(firstEight));
    this.#documents.drop(principal);
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
    this.#documents.drop(principal);
  }
}
