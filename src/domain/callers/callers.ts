/**
 * From a credential to the caller: checks the access token or API key, looks up its session and principal, and takes the
 * scopes that both credential and principal have at this moment.
 */
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { equalSecrets, type Secret } from "../../lib/secrets.ts";
import type { Caller, KnownCaller } from "../model/caller.ts";
import type {
  ApiKeyRecord,
  IdentityRef,
  PrincipalSummary,
  RequestContext,
  SessionStatus,
} from "../model/entities.ts";
import { ANONYMOUS_SCOPES, INHERIT, SINGLE_USER_SCOPES } from "../model/scopes.ts";
import type { KeyGuesses } from "../throttling/key-guesses.ts";
import type { AccessClaims, Tokens } from "../tokens/tokens.ts";
import type { KeyActivity } from "./key-activity.ts";
import { KnownDigests } from "./key-secret.ts";
import type { PrincipalCache } from "./principal-cache.ts";

export type Credential =
  | { readonly kind: "none" }
  | { readonly kind: "api_key"; readonly secret: string }
  | { readonly kind: "bearer"; readonly token: string };

export interface Callers {
  /**
   * Synchronous if everything is cached. Fails with a 401 of `errors.ts` and never falls back to anonymous. `context`: called
   * if something is audited. `noted`: whether this counts as a use of the key.
   */
  identify(
    credential: Credential,
    context: () => RequestContext,
    options: { readonly noted: boolean },
  ): Caller | Promise<Caller>;
}

const NO_SCOPES: ReadonlySet<string> = new Set();

function anonymous(allowed: boolean): Caller {
  return { kind: "anonymous", scopes: allowed ? ANONYMOUS_SCOPES : NO_SCOPES };
}

/** The modes without providers: one API key with every scope. */
export class SingleUserCallers implements Callers {
  readonly #key: Secret;
  readonly #anonymous: Caller;
  readonly #owner: Caller = { kind: "single_user", scopes: SINGLE_USER_SCOPES };
  readonly #guesses: KeyGuesses | null;

  /** `guesses`: null without throttling. */
  constructor(key: Secret, allowAnonymous: boolean, guesses: KeyGuesses | null = null) {
    this.#key = key;
    this.#guesses = guesses;
    this.#anonymous = anonymous(allowAnonymous);
  }

  identify(credential: Credential, context: () => RequestContext): Caller {
    if (credential.kind === "none") return this.#anonymous;
    if (credential.kind === "bearer")
      throw new Failure("invalid_token", { log: "no tokens in single-user mode" });
    const right = equalSecrets(credential.secret, this.#key.reveal());
    if (this.#guesses !== null) this.#weigh(this.#guesses, credential.secret, right, context().address);
    if (!right) throw new Failure("invalid_api_key");
    return this.#owner;
  }

  #weigh(guesses: KeyGuesses, secret: string, right: boolean, address: string | null): void {
    const retryAfter = guesses.retryAfter(address, right);
    if (retryAfter > 0) {
      if (!right) guesses.refused(address, secret);
      throw new Failure("throttled", { headers: { "retry-after": String(retryAfter) } });
    }
    if (right) guesses.right(address);
    else guesses.wrong(address, secret);
  }
}

export class MultiUserCallers implements Callers {
  readonly #tokens: Tokens;
  readonly #principalCache: PrincipalCache;
  readonly #activity: KeyActivity;
  readonly #clock: Clock;
  readonly #anonymous: Caller;
  readonly #digests = new KnownDigests();
  /** The caller for a token or key, as long as it and the principal are the same objects. */
  readonly #callers = new WeakMap<AccessClaims | ApiKeyRecord, KnownCaller>();

  constructor(deps: {
    readonly tokens: Tokens;
    readonly principalCache: PrincipalCache;
    readonly activity: KeyActivity;
    readonly clock: Clock;
    readonly allowAnonymous: boolean;
  }) {
    this.#tokens = deps.tokens;
    this.#principalCache = deps.principalCache;
    this.#activity = deps.activity;
    this.#clock = deps.clock;
    this.#anonymous = anonymous(deps.allowAnonymous);
  }

  identify(
    credential: Credential,
    context: () => RequestContext,
    options: { readonly noted: boolean },
  ): Caller | Promise<Caller> {
    if (credential.kind === "none") return this.#anonymous;
    if (credential.kind === "bearer") return this.#byToken(credential.token);
    return this.#byApiKey(credential.secret, options.noted ? context : null);
  }

  #byToken(token: string): Caller | Promise<Caller> {
    const now = this.#clock.now();
    const claims = this.#tokens.verifyAccess(token, now);
    const session = claims.session === null ? null : this.#principalCache.session(claims.session, now);
    const principal = this.#principalCache.summary(claims.principal, now);
    if (session instanceof Promise || principal instanceof Promise) {
      return Promise.all([session, principal]).then(([s, p]) =>
        this.#tokenCaller(claims, s, p, this.#clock.now()),
      );
    }
    return this.#tokenCaller(claims, session, principal, now);
  }

  #tokenCaller(
    claims: AccessClaims,
    session: SessionStatus | null | undefined,
    principal: PrincipalSummary | undefined,
    now: number,
  ): Caller {
    const found = enabled(principal);
    if (session !== null && !isLive(session, found, now)) {
      throw new Failure("invalid_token", { log: "the token's session has ended" });
    }
    return this.#remembered(claims, found, () => ({
      kind: "token",
      principal: found,
      scopes: common(claims.scopes, found.scopes),
      // The token may name an identity that was unlinked since.
      identities: claims.identities.filter((named) => isAmong(named, found.identities)),
      session: claims.session,
      ...(claims.session === null && { expires: claims.expires }),
    }));
  }

  #remembered(
    credential: AccessClaims | ApiKeyRecord,
    principal: PrincipalSummary,
    make: () => KnownCaller,
  ): KnownCaller {
    const known = this.#callers.get(credential);
    if (known?.principal === principal) return known;
    const made = make();
    this.#callers.set(credential, made);
    return made;
  }

  #byApiKey(secret: string, noteFrom: (() => RequestContext) | null): Caller | Promise<Caller> {
    const presented = this.#digests.read(secret);
    if (presented === undefined) throw invalidApiKey("not hex");
    const now = this.#clock.now();
    const key = this.#principalCache.apiKey(presented.firstEight, presented.digest, now);
    if (key instanceof Promise) {
      return key.then((found) => {
        if (found !== undefined) this.#digests.keep(secret, presented);
        return this.#keyOwner(found, noteFrom, this.#clock.now());
      });
    }
    this.#digests.keep(secret, presented);
    return this.#keyOwner(key, noteFrom, now);
  }

  #keyOwner(
    key: ApiKeyRecord | undefined,
    noteFrom: (() => RequestContext) | null,
    now: number,
  ): Caller | Promise<Caller> {
    if (key === undefined) throw invalidApiKey("unknown");
    if (key.expirationTime !== null && key.expirationTime.getTime() <= now) {
      // Only a caller with the whole secret learns this.
      throw new Failure("expired_api_key");
    }
    const principal = this.#principalCache.summary(key.principal, now);
    if (principal instanceof Promise) return principal.then((found) => this.#keyCaller(key, found, noteFrom));
    return this.#keyCaller(key, principal, noteFrom);
  }

  #keyCaller(
    key: ApiKeyRecord,
    principal: PrincipalSummary | undefined,
    noteFrom: (() => RequestContext) | null,
  ): Caller {
    const found = enabled(principal);
    if (noteFrom !== null) this.#activity.note(key, noteFrom);
    return this.#remembered(key, found, () => ({
      kind: "api_key",
      principal: found,
      scopes: key.scopes.includes(INHERIT) ? setOf(found.scopes) : common(key.scopes, found.scopes),
      key,
    }));
  }
}

function isLive(session: SessionStatus | undefined, principal: PrincipalSummary, now: number): boolean {
  return (
    session !== undefined &&
    !session.revoked &&
    session.principal === principal.uuid &&
    session.expirationTime.getTime() > now
  );
}

function invalidApiKey(log: string): Failure {
  return new Failure("invalid_api_key", { log: `API key refused: ${log}` });
}

export function enabled(principal: PrincipalSummary | undefined): PrincipalSummary {
  if (principal === undefined || principal.disabled) throw new Failure("no_principal");
  return principal;
}

export function isAmong({ provider, id }: IdentityRef, identities: readonly IdentityRef[]): boolean {
  return identities.some((identity) => identity.provider === provider && identity.id === id);
}

/** The set of each list, which many principals share. */
const SETS = new WeakMap<readonly string[], ReadonlySet<string>>();

function setOf(scopes: readonly string[]): ReadonlySet<string> {
  const known = SETS.get(scopes);
  if (known !== undefined) return known;
  const made = new Set(scopes);
  SETS.set(scopes, made);
  return made;
}

function common(left: readonly string[], right: readonly string[]): ReadonlySet<string> {
  return new Set(left.filter((scope) => right.includes(scope)));
}
