/**
 * A login with username and password as one fixed pipeline: throttle, authenticate, check the identity, open a
 * session, issue tokens (RFC 6749, section 4.3). Which authenticator is asked is the configuration's choice.
 */
import type { AuthenticatedIdentity, PasswordAuthenticator } from "../authenticators/contract.ts";
import { Failure } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { uuidHex } from "../lib/uuid.ts";
import type { Directory } from "./directory.ts";
import type { AuditEventName, IdentityRef, Origin } from "./model.ts";
import type { AuditStore, SessionStore } from "./ports.ts";
import type { LoginThrottle } from "./throttle.ts";
import type { Lifetimes, TokenAnswer, Tokens } from "./tokens.ts";

export interface LoginAnswer extends TokenAnswer {
  readonly identity: { readonly id: string; readonly provider: string };
  /** The principal's UUID, 32 hex digits. */
  readonly principal: string;
}

export interface LoginDeps {
  readonly sessions: SessionStore;
  readonly audit: AuditStore;
  readonly tokens: Tokens;
  readonly directory: Directory;
  readonly throttle: LoginThrottle;
  readonly clock: Clock;
  readonly lifetimes: Lifetimes;
  readonly sessionLimit: number;
  readonly admins: readonly IdentityRef[];
}

/** The database's columns and the wire take no more. */
const MAX_ID_LENGTH = 255;

export class Login {
  readonly #deps: LoginDeps;

  constructor(deps: LoginDeps) {
    this.#deps = deps;
  }

  async withPassword(
    provider: string,
    authenticator: PasswordAuthenticator,
    credentials: { readonly username: string; readonly password: string },
    origin: Origin,
  ): Promise<LoginAnswer> {
    const { username, password } = credentials;
    const attempt = await this.#deps.throttle.attempt(`${provider} ${username}`, origin.address, () =>
      authenticator.authenticate(username, password),
    );
    const attempted = { provider, id: username };
    if (attempt.kind === "throttled") {
      throw new Failure("throttled", { headers: { "retry-after": String(attempt.retryAfter) } });
    }
    if (attempt.kind === "wrong") {
      await this.#note("login_failed", attempted, origin, { reason: "unknown_user_or_wrong_password" });
      if (attempt.limitReached) await this.#note("login_throttled", attempted, origin, {});
      throw new Failure("wrong_password", { headers: { "www-authenticate": "Bearer" } });
    }
    return await this.#open(provider, attempt.value, origin);
  }

  async #open(provider: string, authenticated: AuthenticatedIdentity, origin: Origin): Promise<LoginAnswer> {
    const { lifetimes, clock, admins, sessionLimit } = this.#deps;
    const identity = { provider, id: authenticated.id };
    checkIdentity(identity);
    const outcome = await this.#deps.sessions.open({
      identity,
      now: new Date(clock.now()),
      expirationTime: new Date(clock.now() + lifetimes.session * 1000),
      state: authenticated.state ?? {},
      admin: admins.some((admin) => admin.provider === identity.provider && admin.id === identity.id),
      limit: sessionLimit,
      origin,
    });
    if (outcome.kind === "limit") {
      await this.#note("login_failed", identity, origin, { reason: "session_limit" });
      throw new Failure("limit_reached", {
        detail: `This Principal already has ${sessionLimit} sessions which is greater than or equal to the maximum number allowed, ${sessionLimit}. Some Sessions must be closed before creating new ones.`,
      });
    }
    if (outcome.kind === "disabled") {
      await this.#note("login_failed", identity, origin, { reason: "principal_disabled" });
      throw new Failure("no_principal", { headers: { "www-authenticate": "Bearer" } });
    }
    this.#deps.directory.principalChanged(outcome.principal.uuid);
    const tokens = await this.#deps.tokens.issue(outcome.principal, outcome.session, 0);
    return {
      ...tokens,
      identity: { id: identity.id, provider },
      principal: uuidHex(outcome.principal.uuid),
    };
  }

  async #note(
    event: AuditEventName,
    identity: IdentityRef,
    origin: Origin,
    detail: Readonly<Record<string, string | number>>,
  ): Promise<void> {
    const time = new Date(this.#deps.clock.now());
    // What was typed as a name may be a password, or may not fit a column: only what could be a name is kept.
    const named = isStorable(identity.id) ? identity : null;
    await this.#deps.audit.append([{ ...origin, time, event, principal: null, identity: named, detail }]);
  }
}

function isStorable(id: string): boolean {
  return id !== "" && [...id].length <= MAX_ID_LENGTH && !id.includes("\0") && id.isWellFormed();
}

function checkIdentity(identity: IdentityRef): void {
  if (isStorable(identity.id)) return;
  throw new Failure("invalid", {
    detail: [
      {
        type: "string_too_long",
        loc: ["body", "username"],
        msg: `A user name has 1 to ${MAX_ID_LENGTH} characters, without NUL.`,
      },
    ],
  });
}
