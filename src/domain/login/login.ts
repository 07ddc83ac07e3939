/**
 * The pipeline of every login: check the identity, open a session, issue tokens. Logins with user name and password (RFC 6749,
 * section 4.3) are here, with their throttle; those at an identity provider are in `device.ts` and `browser-login.ts`.
 */

import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { foldName, sameAddress } from "../../lib/fold.ts";
import { type Uuid, uuidHex } from "../../lib/uuid.ts";
import type { PrincipalCache } from "../callers/principal-cache.ts";
import { withStorableProfile } from "../callers/profile.ts";
import { type AddressRule, type CaseRule, knownAddress, refusedSpelling } from "../callers/spelling.ts";
import type {
  AuditEvent,
  AuditEventName,
  IdentityRef,
  PrincipalSummary,
  RequestContext,
  SessionStatus,
} from "../model/entities.ts";
import { isStorableName, MAX_TEXT } from "../model/storable-text.ts";
import type { AuditStore } from "../ports/audit.ts";
import type { AuthenticatedIdentity, PasswordAuthenticator, RefusedLogin } from "../ports/authenticator.ts";
import type { PrincipalStore } from "../ports/principals.ts";
import type { OpenOutcome, OpenSession, SessionStore } from "../ports/sessions.ts";
import type { LoginBudget } from "../throttling/login-budget.ts";
import { type Attempt, addressBlock, type LoginThrottle } from "../throttling/throttle.ts";
import type { Lifetimes, TokenAnswer, Tokens } from "../tokens/tokens.ts";

export interface LoginAnswer extends TokenAnswer {
  readonly identity: { readonly id: string; readonly provider: string };
  /** The principal's UUID, 32 hex digits. */
  readonly principal: string;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A login with its session; the tokens are the last step. */
export interface OpenedLogin {
  readonly identity: IdentityRef;
  readonly principal: PrincipalSummary;
  readonly session: SessionStatus;
}

/** Opens the session in the store, alone or together with ending a code or device login in the same transaction. */
export type Opening = (request: OpenSession) => Promise<OpenOutcome | { readonly kind: "gone" }>;

export interface LoginDeps {
  readonly sessions: SessionStore;
  readonly audit: AuditStore;
  readonly principals: Pick<PrincipalStore, "summaryOfIdentity" | "principalOf" | "spellings">;
  readonly tokens: Tokens;
  readonly principalCache: PrincipalCache;
  readonly throttle: LoginThrottle;
  readonly clock: Clock;
  readonly lifetimes: Lifetimes;
  readonly sessionLimit: number;
  readonly budget: LoginBudget;
  /** Writes a warning to the operator's log; never pass a secret. */
  readonly warn?: (message: string) => void;
  readonly admins: readonly IdentityRef[];
  readonly adminGroups?: readonly AdminGroup[];
  readonly caseSensitive: CaseRule;
  readonly namesAddresses: AddressRule;
}

/** Members of a provider's group, a name of the session state's `groups`, are administrators. */
interface AdminGroup {
  readonly provider: string;
  readonly group: string;
}

type WrongAttempt = Extract<Attempt<never>, { readonly kind: "wrong" }> & {
  readonly refusal: RefusedLogin | undefined;
};

/** Characters of JSON, enough for some thousand groups. */
const LONGEST_STATE = 65_536;

export class Login {
  readonly #deps: LoginDeps;

  constructor(deps: LoginDeps) {
    this.#deps = deps;
  }

  async withPassword(
    provider: string,
    authenticator: PasswordAuthenticator,
    credentials: Credentials,
    context: RequestContext,
  ): Promise<LoginAnswer> {
    const { identity, authenticated } = await this.identify(provider, authenticator, credentials, context);
    return await this.answer(await this.open(identity, authenticated, context));
  }

  /** The identity of a user name and password; opens no session. */
  async identify(
    provider: string,
    authenticator: PasswordAuthenticator,
    credentials: Credentials,
    context: RequestContext,
  ): Promise<{ readonly identity: IdentityRef; readonly authenticated: AuthenticatedIdentity }> {
    const { username, password } = credentials;
    if (!isStorableName(username)) throw unusableName();
    const attempted = { provider, id: username };
    let refusal: RefusedLogin | undefined;
    const attempt = await this.#deps.throttle.attempt(
      `${provider} ${foldName(username)}`,
      context.address,
      async () => {
        const source = addressBlock(context.address);
        const answer = await authenticator.authenticate(username, password, undefined, source);
        if (answer === null || !("refused" in answer)) return answer;
        refusal = answer;
        return null;
      },
    );
    switch (attempt.kind) {
      case "throttled":
        throw new Failure("throttled", { headers: { "retry-after": String(attempt.retryAfter) } });
      case "wrong":
        return await this.#refusePassword(attempted, { ...attempt, refusal }, authenticator, context);
      case "right": {
        const { id } = attempt.value;
        if (!isStorableName(id)) throw unusableName();
        const authenticated = withStorableProfile(provider, attempt.value, this.#deps.warn);
        return { identity: await this.#known({ provider, id }, attempted), authenticated };
      }
    }
  }

  async #refusePassword(
    attempted: IdentityRef,
    { limitReached, ofAccount, refusal }: WrongAttempt,
    authenticator: PasswordAuthenticator,
    context: RequestContext,
  ): Promise<never> {
    const { provider, id } = attempted;
    // Known and unknown names run the same statements, so that the time does not reveal which it is.
    const principal = await this.#deps.principals.principalOf(attempted);
    // An unknown name may be a password typed into the wrong field, unless it is tried repeatedly.
    const named = principal !== null || authenticator.knows?.(id) === true ? attempted : null;
    const detail = { reason: refusal?.refused ?? "unknown_user_or_wrong_password", provider };
    await this.note("login_failed", named, context, detail, principal);
    if (limitReached) {
      await this.note("login_throttled", ofAccount ? attempted : named, context, { provider }, principal);
    }
    throw new Failure("wrong_password", {
      headers: { "www-authenticate": "Bearer" },
      ...(refusal?.log !== undefined && {
        log: `The provider '${provider}' refused a login: ${refusal.log}.`,
      }),
    });
  }

  /**
   * The backend's spelling of a name is the identity. If the database knows only the spelling that was typed, as after Tiled,
   * which stores names as typed, that spelling stays the identity.
   */
  async #known(identity: IdentityRef, typed: IdentityRef): Promise<IdentityRef> {
    if (identity.id === typed.id || foldName(identity.id) !== foldName(typed.id)) return identity;
    const { principals } = this.#deps;
    if ((await principals.summaryOfIdentity(identity)) !== undefined) return identity;
    return (await principals.summaryOfIdentity(typed)) === undefined ? identity : typed;
  }

  /** A provider's identity under its known spelling, and with a profile that can be stored. */
  async asKnown(provider: string, told: AuthenticatedIdentity): Promise<AuthenticatedIdentity> {
    const { namesAddresses, principals, warn } = this.#deps;
    const authenticated = withStorableProfile(provider, told, warn);
    if (!namesAddresses(provider)) return authenticated;
    return { ...authenticated, id: await knownAddress(principals, { provider, id: authenticated.id }) };
  }

  #isSame(one: IdentityRef, { provider, id }: IdentityRef): boolean {
    if (one.provider !== provider) return false;
    return one.id === id || (this.#deps.namesAddresses(provider) && sameAddress(one.id, id));
  }

  /** Opens a session for an identity that an authenticator confirmed. */
  async open(
    identity: IdentityRef,
    authenticated: AuthenticatedIdentity,
    context: RequestContext,
    opening: Opening = (request) => this.#deps.sessions.open(request),
  ): Promise<OpenedLogin> {
    const { lifetimes, clock, admins, sessionLimit, principalCache, budget } = this.#deps;
    const { retryAfter, first } = budget.exceeded(identity);
    if (first) await this.note("login_throttled", identity, context, { reason: "too_many_logins" });
    if (retryAfter > 0) throw tooManyLogins(retryAfter);
    // Before the session is open, since concurrent logins would not see each other.
    budget.count(identity);
    const state = this.#bounded(identity, authenticated.state);
    const adminByGroup = this.#isInAdminGroup(identity.provider, state);
    const giveBack = () => budget.giveBack(identity);
    const opened = opening({
      identity,
      now: new Date(clock.now()),
      expirationTime: new Date(clock.now() + lifetimes.session * 1000),
      state,
      profile: authenticated.profile,
      admin: admins.some((admin) => this.#isSame(admin, identity)),
      ...(adminByGroup !== undefined && { adminByGroup }),
      caseSensitive: this.#deps.caseSensitive(identity.provider),
      limit: sessionLimit,
      context,
    });
    opened.catch(giveBack);
    const outcome = await opened;
    if (outcome.kind !== "opened") {
      giveBack();
      return await this.#refuseSession(outcome, identity, context);
    }
    principalCache.principalChanged(outcome.principal.uuid);
    return { identity, principal: outcome.principal, session: outcome.session };
  }

  /** Undefined if the provider has no such group. */
  #isInAdminGroup(provider: string, { groups }: Readonly<Record<string, unknown>>): boolean | undefined {
    const names = this.#deps.adminGroups?.filter((group) => group.provider === provider) ?? [];
    if (names.length === 0) return undefined;
    return Array.isArray(groups) && names.some(({ group }) => groups.includes(group));
  }

  async #refuseSession(
    outcome: Exclude<Awaited<ReturnType<Opening>>, { readonly kind: "opened" }>,
    identity: IdentityRef,
    context: RequestContext,
  ): Promise<never> {
    if (outcome.kind === "gone") {
      throw new Failure("login_over", { log: "the login was finished by another request" });
    }
    const failed = (detail: AuditEvent["detail"]) =>
      this.note("login_failed", identity, context, detail, outcome.principal);
    switch (outcome.kind) {
      case "limit":
        await failed({ reason: "session_limit" });
        throw new Failure("limit_reached", { detail: sessionLimitReached(this.#deps.sessionLimit) });
      case "other_spelling":
        await failed({ reason: "other_spelling", known: outcome.known });
        throw refusedSpelling(identity, outcome.known);
      case "disabled":
        await failed({ reason: "principal_disabled" });
        throw new Failure("no_principal", { headers: { "www-authenticate": "Bearer" } });
    }
  }

  /** A state that is too long is dropped: access policies then grant as little as without groups. */
  #bounded(identity: IdentityRef, state: AuthenticatedIdentity["state"] = {}): typeof state {
    if (JSON.stringify(state).length <= LONGEST_STATE) return state;
    this.#deps.warn?.(
      `The state (groups and similar) that the provider '${identity.provider}' sent for ${JSON.stringify(identity.id)} is longer than ${LONGEST_STATE} ` +
        "characters and was dropped, so access by groups grants nothing. Let the provider send fewer claims.",
    );
    return {};
  }

  /** Whether the provider distinguishes names that differ only in case. */
  caseSensitive(provider: string): boolean {
    return this.#deps.caseSensitive(provider);
  }

  async answer({ identity, principal, session }: OpenedLogin): Promise<LoginAnswer> {
    return {
      ...this.#deps.tokens.issue(principal, session, 0),
      identity: { id: identity.id, provider: identity.provider },
      principal: uuidHex(principal.uuid),
    };
  }

  /** Writes an audit row of a login without a session. `principal`: if known. */
  async note(
    event: AuditEventName,
    identity: IdentityRef | null,
    context: RequestContext,
    detail: AuditEvent["detail"],
    principal: Uuid | null = null,
  ): Promise<void> {
    const time = new Date(this.#deps.clock.now());
    // A name that could not be stored may be a password, so it is left out.
    const named = identity !== null && isStorableName(identity.id) ? identity : null;
    await this.#deps.audit.append([{ ...context, time, event, principal, identity: named, detail }]);
  }
}

function unusableName(): Failure {
  return new Failure("invalid", {
    detail: [
      {
        type: "string_too_long",
        loc: ["body", "username"],
        msg: `A user name has 1 to ${MAX_TEXT} characters, without NUL.`,
      },
    ],
  });
}

function tooManyLogins(retryAfter: number): Failure {
  return new Failure("throttled", {
    detail:
      "Too many recent logins to this account. Reuse the tokens of an earlier login, use an API key, or try again later.",
    headers: { "retry-after": String(retryAfter) },
  });
}

function sessionLimitReached(limit: number): string {
  return `This Principal already has ${limit} sessions which is greater than or equal to the maximum number allowed, ${limit}. Some Sessions must be closed before creating new ones.`;
}
