/**
 * What requests need to know of principals, sessions and keys, read through half-a-second caches (`read-through-cache.ts`). Every
 * service that changes one of them says so here, so that a revocation holds for the next request.
 */
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
import { ReadThroughCache } from "./read-through-cache.ts";

const FIRST_EIGHT = 8;
/** Revoked keys of which it is known that another key revoked them. */
const MAX_REVOKERS = 10_000;

export class PrincipalCache {
  readonly #summaries: ReadThroughCache<Uuid, PrincipalSummary>;
  readonly #documents: ReadThroughCache<Uuid, PrincipalDocument>;
  readonly #sessions: ReadThroughCache<Uuid, SessionStatus>;
  readonly #apiKeys: ReadThroughCache<string, ApiKeyRecord>;
  readonly #revokers = new Map<string, KeyRef>();

  constructor(store: Pick<Store, "principals" | "sessions" | "apiKeys">, clock: Clock) {
    this.#summaries = new ReadThroughCache((uuid) => store.principals.summary(uuid), clock);
    this.#documents = new ReadThroughCache(
      (uuid) => store.principals.document(uuid, new Date(clock.now())),
      clock,
    );
    this.#sessions = new ReadThroughCache((uuid) => store.sessions.status(uuid), clock);
    this.#apiKeys = new ReadThroughCache(
      (name) => store.apiKeys.find(name.slice(0, FIRST_EIGHT), name.slice(FIRST_EIGHT) as Digest),
      clock,
    );
  }

  /** `now`, here and below: for who has looked at the clock already. */
  summary(uuid: Uuid, now?: number): PrincipalSummary | Promise<PrincipalSummary | undefined> {
    return this.#summaries.get(uuid, now);
  }

  /** For what will outlive the cache, here and below: never what was known before the store was lost. */
  currentSummary(uuid: Uuid): Promise<PrincipalSummary | undefined> {
    return this.#summaries.getCurrent(uuid);
  }

  currentSession(uuid: Uuid): Promise<SessionStatus | undefined> {
    return this.#sessions.getCurrent(uuid);
  }

  currentApiKey(firstEight: string, digest: Digest): Promise<ApiKeyRecord | undefined> {
    return this.#apiKeys.getCurrent(firstEight + digest);
  }

  /** The key that revoked this one here; null: a login did, or another server's caller. */
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
  }

  /** A login or a refresh: the principal's document lists another session or a later time, its powers are the same. */
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

  /** Where it is not known whether keys were revoked, none that begins so counts unread. */
  apiKeysUncertain(firstEight: string, principal: Uuid): void {
    this.#apiKeys.dropWhere((name) => name.startsWith(firstEight));
    this.#documents.drop(principal);
  }

  /** `revoker`: where it was a key. */
  apiKeysRevoked(
    firstEight: string,
    digests: readonly Digest[],
    principal: Uuid,
    revoker: KeyRef | null,
  ): void {
    for (const digest of digests) {
      this.#apiKeys.drop(firstEight + digest);
      if (revoker !== null) this.#keepRevoker(firstEight + digest, revoker);
    }
    this.#documents.drop(principal);
  }

  #keepRevoker(name: string, revoker: KeyRef): void {
    this.#revokers.set(name, revoker);
    if (this.#revokers.size <= MAX_REVOKERS) return;
    const [oldest] = this.#revokers.keys();
    if (oldest !== undefined) this.#revokers.delete(oldest);
  }
}
