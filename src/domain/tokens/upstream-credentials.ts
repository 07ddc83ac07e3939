/**
 * How a caller is introduced to a service behind this one: by a token that lives a minute and says all that a Tiled with
 * the same secret keys wants to know, and by the names that any other service can read. The caller's own credential never
 * leaves this server. Used by the gateway and by verify.
 */
import type { Clock } from "../../lib/clock.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { type Caller, isKnown, type KnownCaller, missingScopes } from "../model/caller.ts";
import type { IdentityRef } from "../model/entities.ts";
import type { Tokens, UpstreamBearer } from "./tokens.ts";

/** All empty where nothing is known. */
export interface UpstreamCredentials {
  /** Null for anonymous callers, and where a token would say more than the credential (`tokenWidens`). */
  readonly token: string | null;
  readonly principal: string;
  /** `provider:id`; of several, the one that logged in. */
  readonly identity: string;
  /** Sorted, with spaces between. */
  readonly scopes: string;
}

export interface UpstreamCredentialDeps {
  /** Null: for a service that is sent names only. */
  readonly tokens: Pick<Tokens, "issueForUpstream"> | null;
  /** Which of several identities logged in, where the caller does not say so. */
  readonly identityOf: (caller: KnownCaller) => Promise<IdentityRef | undefined>;
  readonly clock: Clock;
}

const LIFETIME = 60;
/** Of its lifetime; what is left then is enough for a slow way to the service. */
const REUSED_FOR = 5 / 6;
const MAX_REMEMBERED = 10_000;

/** The single user has no row anywhere, and a token needs a subject. */
const NIL = "00000000-0000-0000-0000-000000000000" as Uuid;

interface Entry {
  readonly made: number;
  readonly lifetime: number;
  readonly credentials: UpstreamCredentials;
}

export class UpstreamCredentialIssuer {
  readonly #deps: UpstreamCredentialDeps;
  /** For the same object, as callers are remembered while nothing changes. */
  readonly #byCaller = new WeakMap<Caller, Entry>();
  /** For an equal one. */
  readonly #byClaims = new Map<string, Entry>();

  constructor(deps: UpstreamCredentialDeps) {
    this.#deps = deps;
  }

  /** Synchronous but for the first time that one of several identities has to be looked up. */
  issue(caller: Caller): UpstreamCredentials | Promise<UpstreamCredentials> {
    const now = this.#deps.clock.now();
    const known = this.#byCaller.get(caller);
    if (known !== undefined && isFresh(known, now)) return known.credentials;
    const lifetime = lifetimeOf(caller, now);
    const claims = claimsOf(caller, lifetime);
    let entry = this.#byClaims.get(claims);
    if (entry === undefined || !isFresh(entry, now)) {
      const identity = isKnown(caller) ? this.#identity(caller) : undefined;
      if (identity instanceof Promise) {
        return identity.then(
          (found) =>
            this.#keep(claims, { made: now, lifetime, credentials: this.#make(caller, found, lifetime) })
              .credentials,
        );
      }
      const credentials = this.#make(caller, identity, lifetime);
      entry = this.#keep(claims, { made: now, lifetime, credentials });
    }
    this.#byCaller.set(caller, entry);
    return entry.credentials;
  }

  #keep(claims: string, entry: Entry): Entry {
    this.#byClaims.delete(claims);
    if (this.#byClaims.size >= MAX_REMEMBERED) {
      const [oldest] = this.#byClaims.keys();
      if (oldest !== undefined) this.#byClaims.delete(oldest);
    }
    this.#byClaims.set(claims, entry);
    return entry;
  }

  #make(caller: Caller, identity: IdentityRef | undefined, lifetime: number): UpstreamCredentials {
    const scopes = sorted(caller);
    const bearer = bearerOf(caller);
    const token =
      bearer === null || tokenWidens(caller)
        ? null
        : (this.#deps.tokens?.issueForUpstream({ ...bearer, scopes }, lifetime) ?? null);
    return {
      token,
      principal: isKnown(caller) ? caller.principal.uuid : "",
      identity: identity === undefined ? "" : `${identity.provider}:${identity.id}`,
      scopes: scopes.join(" "),
    };
  }

  #identity(caller: KnownCaller): IdentityRef | undefined | Promise<IdentityRef | undefined> {
    if (caller.kind === "browser") return caller.identity;
    const [first, second] = caller.principal.identities;
    if (second === undefined) return first;
    return this.#deps.identityOf(caller).then((found) => found ?? first);
  }
}

/** Tokens know no access tags: one made for a key that is narrowed to some would open everything. */
export function tokenWidens(caller: Caller): boolean {
  return caller.kind === "api_key" && caller.key.accessTags !== null;
}

/**
 * A login, or a key that can do all that its principal can: it may be presented to a service that looks at names only.
 * A principal that may do nothing has no power to show.
 */
export function hasFullPower(caller: Caller): boolean {
  if (caller.kind === "anonymous") return false;
  if (caller.kind === "single_user") return true;
  const { scopes } = caller.principal;
  return scopes.length > 0 && (caller.kind !== "api_key" || !missingScopes(caller, scopes));
}

function isFresh({ made, lifetime }: Entry, now: number): boolean {
  return now >= made && now - made < lifetime * 1000 * REUSED_FOR;
}

function bearerOf(caller: Caller): Omit<UpstreamBearer, "scopes"> | null {
  switch (caller.kind) {
    case "anonymous":
      return null;
    case "single_user":
      return { principal: NIL, type: "user", identities: [] };
    default: {
      const { uuid, type, identities } = caller.principal;
      return { principal: uuid, type, identities };
    }
  }
}

/** Seconds: a minute, or what is left of a key or of a provider's token. */
function lifetimeOf(caller: Caller, now: number): number {
  const end = endOf(caller);
  return end === null ? LIFETIME : Math.min(LIFETIME, Math.max(1, Math.ceil((end - now) / 1000)));
}

function endOf(caller: Caller): number | null {
  if (caller.kind === "api_key") return caller.key.expirationTime?.getTime() ?? null;
  return caller.kind === "token" && caller.expires !== undefined ? caller.expires * 1000 : null;
}

/** All that the credentials depend on. */
function claimsOf(caller: Caller, lifetime: number): string {
  return JSON.stringify([bearerOf(caller), sorted(caller), tokenWidens(caller), lifetime, sessionOf(caller)]);
}

/** Of a principal with several identities, each of its logins is told apart. */
function sessionOf(caller: Caller): string | null {
  if (!isKnown(caller) || caller.kind === "api_key" || caller.principal.identities.length < 2) return null;
  return caller.session;
}

function sorted({ scopes }: Caller): readonly string[] {
  return [...scopes].sort();
}
