/**
 * From CAVE's token to its caller: an API key with the scope `cave`, or a login token. Every request of every service passes
 * here, so all that it needs is cached, and a caller whose facts are cached is found without waiting. API keys for Tiled are
 * in `../callers/callers.ts`.
 */
import { isDeepStrictEqual } from "node:util";
import { Failure } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { chain, type MaybePromise } from "../../lib/maybe-promise.ts";
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { KeyActivity } from "../callers/key-activity.ts";
import { type PresentedKey, readApiKey } from "../callers/key-secret.ts";
import type { PrincipalCache } from "../callers/principal-cache.ts";
import { ReadThroughCache } from "../callers/read-through-cache.ts";
import type { CaveLogin, CavePerson } from "../model/cave.ts";
import type { ApiKeyRecord, PrincipalSummary, RequestContext, SessionStatus } from "../model/entities.ts";
import { CAVE_SCOPE } from "../model/scopes.ts";
import type { CaveStore } from "../ports/cave.ts";
import type { CavePeople } from "./people.ts";

type CaveCredential =
  | { readonly kind: "api_token"; readonly key: ApiKeyRecord }
  | { readonly kind: "login_token"; readonly login: CaveLogin };

export interface CaveCaller {
  readonly person: CavePerson;
  readonly principal: PrincipalSummary;
  readonly credential: CaveCredential;
}

export class CaveCallers {
  readonly #principalCache: PrincipalCache;
  readonly #people: Pick<CavePeople, "person">;
  readonly #activity: KeyActivity;
  readonly #clock: Clock;
  readonly #logins: ReadThroughCache<Digest, CaveLogin>;
  /** The caller for a key or login, as long as its principal and person are the same objects. */
  readonly #callers = new WeakMap<ApiKeyRecord | CaveLogin, CaveCaller>();

  constructor(deps: {
    readonly store: Pick<CaveStore, "login">;
    readonly principalCache: PrincipalCache;
    readonly people: Pick<CavePeople, "person">;
    readonly activity: KeyActivity;
    readonly clock: Clock;
  }) {
    this.#principalCache = deps.principalCache;
    this.#people = deps.people;
    this.#activity = deps.activity;
    this.#clock = deps.clock;
    this.#logins = new ReadThroughCache((digest) => deps.store.login(digest), deps.clock, {
      changes: deps.principalCache.changes,
      isSame: isDeepStrictEqual,
      ownerOf: ({ principal }) => principal,
      concerns: ({ what }) => what === "anything",
    });
  }

  /**
   * Synchronous, and the same object, while everything is cached. Fails with `invalid_token` whatever is wrong with the token,
   * and with `store_unavailable` or `store_busy`. `context`: called if a use is recorded.
   */
  identify(token: string, context: () => RequestContext): MaybePromise<CaveCaller> {
    const presented = readApiKey(token);
    if (presented === undefined) throw invalid("not hex");
    const now = this.#clock.now();
    // An unknown key is not cached, so that a login token would wait for a reading each time.
    if (this.#logins.has(presented.digest)) return this.#byLogin(presented, now);
    const { firstEight, digest } = presented;
    const key = this.#principalCache.apiKey(firstEight, digest, now);
    if (key instanceof Promise) {
      return key.then((found) => this.#ofKey(found, presented, this.#clock.now(), context));
    }
    return this.#ofKey(key, presented, now, context);
  }

  /** After a login token was revoked, or may have been. */
  loginEnded(digest: Digest): void {
    this.#logins.drop(digest);
  }

  #ofKey(
    key: ApiKeyRecord | undefined,
    presented: PresentedKey,
    now: number,
    context: () => RequestContext,
  ): MaybePromise<CaveCaller> {
    if (key === undefined) return this.#byLogin(presented, now);
    if (!key.scopes.includes(CAVE_SCOPE)) throw invalid("a key without the scope cave");
    if (key.expirationTime !== null && key.expirationTime.getTime() <= now) throw invalid("an expired key");
    const caller = this.#callerOf(key, key.principal, now);
    return chain(caller, (found) => {
      this.#activity.note(key, context);
      return found;
    });
  }

  #byLogin({ digest }: PresentedKey, now: number): MaybePromise<CaveCaller> {
    const login = this.#logins.get(digest, now);
    if (login instanceof Promise) return login.then((found) => this.#ofLogin(found, this.#clock.now()));
    return this.#ofLogin(login, now);
  }

  #ofLogin(login: CaveLogin | undefined, now: number): MaybePromise<CaveCaller> {
    if (login === undefined) throw invalid("unknown");
    if (login.expirationTime.getTime() <= now) throw invalid("an expired login token");
    const session = this.#principalCache.session(login.session, now);
    return chain(session, (found) => {
      if (!isLive(found, login, now)) throw invalid("the login token's session has ended");
      return this.#callerOf(login, login.principal, now);
    });
  }

  #callerOf(credential: ApiKeyRecord | CaveLogin, uuid: Uuid, now: number): MaybePromise<CaveCaller> {
    const principal = this.#principalCache.summary(uuid, now);
    const person = this.#people.person(uuid, now);
    if (principal instanceof Promise || person instanceof Promise) {
      return Promise.all([principal, person]).then(([found, known]) =>
        this.#remembered(credential, found, known),
      );
    }
    return this.#remembered(credential, principal, person);
  }

  #remembered(
    credential: ApiKeyRecord | CaveLogin,
    principal: PrincipalSummary | undefined,
    person: CavePerson | undefined,
  ): CaveCaller {
    if (principal === undefined || principal.disabled || person === undefined) {
      throw invalid("the principal is disabled");
    }
    const known = this.#callers.get(credential);
    if (known?.principal === principal && known.person === person) return known;
    const caller = { person, principal, credential: credentialOf(credential) };
    this.#callers.set(credential, caller);
    return caller;
  }
}

/** The context of what an authenticated request changes. */
export function contextOfCaller(
  { principal, credential }: CaveCaller,
  request: RequestContext,
): RequestContext {
  const actor = principal.uuid;
  if (credential.kind === "api_token") {
    const { firstEight, digest } = credential.key;
    return { ...request, actor, credential: { kind: "api_key", firstEight, digest } };
  }
  const { session, digest } = credential.login;
  return { ...request, actor, credential: { kind: "cave_login", session, digest } };
}

function credentialOf(credential: ApiKeyRecord | CaveLogin): CaveCredential {
  return "session" in credential
    ? { kind: "login_token", login: credential }
    : { kind: "api_token", key: credential };
}

function isLive(session: SessionStatus | undefined, { principal }: CaveLogin, now: number): boolean {
  return (
    session !== undefined &&
    !session.revoked &&
    session.principal === principal &&
    session.expirationTime.getTime() > now
  );
}

function invalid(log: string): Failure {
  return new Failure("invalid_token", { log: `CAVE token refused: ${log}` });
}
