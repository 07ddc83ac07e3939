/**
 * Linking a second identity to a principal, and unlinking one. Both change who can log in, so they require a login from the
 * last five minutes (RFC 9470); linking also requires one at the second identity's provider. The store decides inside its
 * transaction.
 */
import { Failure } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Digest } from "../lib/secrets.ts";
import type { Uuid } from "../lib/uuid.ts";
import type { PrincipalCache } from "./callers/principal-cache.ts";
import { type CaseRule, refusedSpelling } from "./callers/spelling.ts";
import type { IdentityRef, RequestContext } from "./model/entities.ts";
import type { AccountStore } from "./ports/accounts.ts";
import type { Profile } from "./ports/authenticator.ts";

/** Seconds for which a login counts as fresh. */
const FRESH_LOGIN = 300;
/** Every token lists all identities. */
const IDENTITY_LIMIT = 10;

/** The principal, and the session that asks. */
export interface Linker {
  readonly principal: Uuid;
  readonly session: Uuid;
}

export interface LinkOptions {
  /** Seconds to allow for the person's time at the provider since the change began. */
  readonly underway?: number;
  /** The application's one-time code that proves the identity. */
  readonly code?: Digest;
  /** The identity's profile, from the login that proved it. */
  readonly profile?: Profile | undefined;
}

export class Linking {
  readonly #store: AccountStore;
  readonly #principalCache: PrincipalCache;
  readonly #clock: Clock;
  readonly #providers: readonly string[];
  readonly #caseSensitive: CaseRule;

  constructor(deps: {
    readonly store: AccountStore;
    readonly principalCache: PrincipalCache;
    readonly clock: Clock;
    /** Names of the configured providers. */
    readonly providers: readonly string[];
    readonly caseSensitive: CaseRule;
  }) {
    this.#store = deps.store;
    this.#principalCache = deps.principalCache;
    this.#clock = deps.clock;
    this.#providers = deps.providers;
    this.#caseSensitive = deps.caseSensitive;
  }

  isFresh({ startedAt }: { readonly startedAt: Date }): boolean {
    return this.#clock.now() - startedAt.getTime() <= FRESH_LOGIN * 1000;
  }

  /**
   * Fails with `login_too_old`, `identity_taken`, `other_spelling`, `limit_reached`, or `login_over` if the code was used before.
   * `already`: the identity was linked before.
   */
  async link(
    { principal, session }: Linker,
    { provider, id }: IdentityRef,
    context: RequestContext,
    { underway = 0, code, profile }: LinkOptions = {},
  ): Promise<"linked" | "already"> {
    const outcome = await this.#store.link({
      principal,
      session,
      ...this.#times(underway),
      identity: { provider, id },
      profile,
      caseSensitive: this.#caseSensitive(provider),
      limit: IDENTITY_LIMIT,
      code: code ?? null,
      context,
    });
    switch (outcome.kind) {
      case "linked":
        this.#principalCache.principalChanged(principal);
        return outcome.kind;
      case "already":
        return outcome.kind;
      case "other_spelling":
        throw refusedSpelling({ provider, id }, outcome.known);
      case "taken":
        throw new Failure("identity_taken");
      case "stale":
        throw tooOld();
      case "limit":
        throw new Failure("limit_reached", {
          detail: `A principal has at most ${IDENTITY_LIMIT} identities. Unlink one first.`,
        });
      case "gone":
        throw new Failure("login_over", { log: "the one-time code was used up meanwhile" });
    }
  }

  /** Returns the sessions that ended with it. Fails with `login_too_old`, `not_found` or `last_identity`. */
  async unlink(
    { principal, session }: Linker,
    identity: IdentityRef,
    context: RequestContext,
  ): Promise<readonly Uuid[]> {
    const outcome = await this.#store.unlink({
      principal,
      session,
      ...this.#times(0),
      identity: { provider: identity.provider, id: identity.id },
      providers: this.#providers,
      context,
    });
    switch (outcome.kind) {
      case "unlinked":
        for (const revoked of outcome.revoked) this.#principalCache.sessionChanged(revoked, principal);
        this.#principalCache.principalChanged(principal);
        return outcome.revoked;
      case "unknown":
        throw new Failure("not_found", { detail: "You do not have this identity." });
      case "last":
        throw new Failure("last_identity");
      case "stale":
        throw tooOld();
    }
  }

  #times(underway: number): { readonly now: Date; readonly since: Date } {
    const now = this.#clock.now();
    return { now: new Date(now), since: new Date(now - (FRESH_LOGIN + underway) * 1000) };
  }
}

/** RFC 9470, section 3. */
export function tooOld(): Failure {
  return new Failure("login_too_old", {
    headers: {
      "www-authenticate": `Bearer error="insufficient_user_authentication", error_description="A more recent login is required", max_age="${FRESH_LOGIN}"`,
    },
  });
}
