/**
 * Refreshing (RFC 6749, section 6, with rotation and reuse detection after RFC 9700, section 4.14.2) and ending sessions.
 * Sessions begin in `login/login.ts`; the store decides about a rotation inside its transaction.
 */
import { Failure } from "../errors.ts";
import { setBounded } from "../lib/bounded-map.ts";
import type { Clock } from "../lib/clock.ts";
import { type Uuid, uuidHex } from "../lib/uuid.ts";
import type { PrincipalCache } from "./callers/principal-cache.ts";
import type { PrincipalSummary, RequestContext } from "./model/entities.ts";
import { credentialRevoked } from "./model/revoked.ts";
import type { SessionStore } from "./ports/sessions.ts";
import type { TokenAnswer, Tokens } from "./tokens/tokens.ts";

/** Sessions whose principal is remembered. */
const MAX_PRINCIPALS = 10_000;

export interface RotationRules {
  readonly rotate: boolean;
  /** Seconds after its rotation in which a refresh token gets the same next one again. */
  readonly grace: number;
}

export class Sessions {
  readonly #store: SessionStore;
  readonly #tokens: Tokens;
  readonly #principalCache: PrincipalCache;
  readonly #clock: Clock;
  readonly #rules: RotationRules;
  /** By session. */
  readonly #principals = new Map<Uuid, Uuid>();

  constructor(deps: {
    readonly store: SessionStore;
    readonly tokens: Tokens;
    readonly principalCache: PrincipalCache;
    readonly clock: Clock;
    readonly rules: RotationRules;
  }) {
    this.#store = deps.store;
    this.#tokens = deps.tokens;
    this.#principalCache = deps.principalCache;
    this.#clock = deps.clock;
    this.#rules = deps.rules;
  }

  /** New tokens for a refresh token. Fails with `session_expired`, or `invalid_token` if we did not sign it. */
  async refresh(refreshToken: string, context: RequestContext): Promise<TokenAnswer> {
    const claims = this.#tokens.verifyRefresh(refreshToken, { acceptExpired: false });
    const mark = this.#principalCache.markSummaries();
    const known = this.#knownPrincipal(claims.session);
    const outcome = await this.#store.rotate({
      session: claims.session,
      summarize: known === undefined,
      generation: claims.generation,
      tokenId: claims.tokenId,
      ...this.#rules,
      now: this.#now(),
      context,
    });
    if (outcome.kind === "reuse") {
      this.#principalCache.sessionChanged(claims.session, outcome.principal);
      throw new Failure("session_expired", {
        log: "an old refresh token was used again: the session is revoked",
      });
    }
    if (outcome.kind === "ended") throw new Failure("session_expired", { log: "the session has ended" });
    const { session, generation, rotatedAt, stays } = outcome;
    const principal = outcome.principal ?? known;
    if (principal === undefined) throw new Error("The rotation left out the principal.");
    this.#principalCache.documentChanged(principal.uuid);
    if (outcome.principal !== null) {
      // The next request with the new token asks for it.
      this.#principalCache.summaryRead(outcome.principal, mark);
      setBounded(this.#principals, claims.session, principal.uuid, MAX_PRINCIPALS);
    }
    const rotation = rotatedAt === null ? null : { tokenId: claims.tokenId, at: rotatedAt };
    const answer = this.#tokens.issue(principal, session, generation, rotation);
    if (!stays) return answer;
    const left = Math.max(0, claims.expires - Math.floor(this.#clock.now() / 1000));
    return { ...answer, refresh_token: refreshToken, refresh_token_expires_in: left };
  }

  /** The principal of a session that was refreshed a moment ago; whether it is disabled is checked by the rotation. */
  #knownPrincipal(session: Uuid): PrincipalSummary | undefined {
    const uuid = this.#principals.get(session);
    const summary = uuid === undefined ? undefined : this.#principalCache.freshSummary(uuid);
    return summary?.disabled === false ? summary : undefined;
  }

  /** Revokes by refresh token, which is the only credential needed (RFC 7009). The token may have expired. */
  async revokeByToken(refreshToken: string, context: RequestContext): Promise<void> {
    const claims = this.#tokens.verifyRefresh(refreshToken, { acceptExpired: true });
    const outcome = await this.#revoke(claims.session, null, context);
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
    if (outcome.kind === "unknown") {
      throw new Failure("conflict", { detail: `No session ${uuidHex(claims.session)}` });
    }
    this.#principalCache.sessionChanged(claims.session, outcome.principal);
  }

  /** Revokes one of the principal's own sessions. */
  async revokeOwn(session: Uuid, principal: Uuid, context: RequestContext): Promise<void> {
    const outcome = await this.#revoke(session, principal, context);
    if (outcome.kind === "credential_revoked") throw credentialRevoked(context, outcome);
    if (outcome.kind === "unknown") throw new Failure("not_found", { detail: `No session ${session}` });
    this.#principalCache.sessionChanged(session, principal);
  }

  /** If the database fails midway, the session may have ended, so its cached status is dropped. */
  #revoke(
    session: Uuid,
    principal: Uuid | null,
    context: RequestContext,
  ): ReturnType<SessionStore["revoke"]> {
    return this.#store.revoke({ session, principal, now: this.#now(), context }).catch((error: unknown) => {
      this.#principalCache.sessionUncertain(session);
      throw error;
    });
  }

  #now(): Date {
    return new Date(this.#clock.now());
  }
}
