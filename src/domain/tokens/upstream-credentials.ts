/**
 * Credentials that replace a caller's own on the way to a service behind this server: a token that lives a minute and holds
 * what a Tiled with the same secret keys needs, and the caller's names for any other service. The caller's own credential
 * never leaves this server. Used by the gateway and by verify.
 */
import type { Clock } from "../../lib/clock.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { type Caller, isKnown, type KnownCaller, missingScopes } from "../model/caller.ts";
import type { IdentityRef } from "../model/entities.ts";
import type { Tokens, UpstreamBearer } from "./tokens.ts";

/** Unknown parts are empty. */
export interface UpstreamCredentials {
  /** Null for anonymous callers, and if a token would allow more than the credential (`tokenWidens`). */
  readonly token: string | null;
  readonly principal: string;
  /** `provider:id`; of several identities, the one that logged in. */
  readonly identity: string;
  /** Sorted, separated by spaces. */
  readonly scopes: string;
}

export interface IssuerDeps {
  /** Null: for a service that is sent names only. */
  readonly tokens: Pick<Tokens, "issueForUpstream"> | null;
  /** Which of several identities logged in, if the caller does not say. */
  readonly identityOf: (caller: KnownCaller) => Promise<IdentityRef | undefined>;
  readonly clock: Clock;
}

/** Seconds. */
const LIFETIME = 60;
/** Share of a token's lifetime during which it is reused; the rest is left for a slow way to the service. */
const REUSED_FOR = 5 / 6;

/** The single user has no principal, and a token needs a subject. */
const NIL = "00000000-0000-0000-0000-000000000000" as Uuid;

interface Issued {
  readonly at: number;
  /** Seconds. */
  readonly lifetime: number;
  readonly credentials: UpstreamCredentials;
}

export class UpstreamCredentialIssuer {
  readonly #deps: IssuerDeps;
  /** Callers are the same objects for as long as nothing about them changes. */
  readonly #issued = new WeakMap<Caller, Issued>();

  constructor(deps: IssuerDeps) {
    this.#deps = deps;
  }

  /** Asynchronous only when the identity that logged in has to be looked up. */
  issue(caller: Caller): UpstreamCredentials | Promise<UpstreamCredentials> {
    const now = this.#deps.clock.now();
    const known = this.#issued.get(caller);
    if (known !== undefined && isFresh(known, now)) return known.credentials;
    const identity = isKnown(caller) ? this.#identity(caller) : undefined;
    if (identity instanceof Promise) return identity.then((found) => this.#make(caller, found, now));
    return this.#make(caller, identity, now);
  }

  #make(caller: Caller, identity: IdentityRef | undefined, now: number): UpstreamCredentials {
    const lifetime = lifetimeOf(caller, now);
    const scopes = [...caller.scopes].sort();
    const bearer = tokenWidens(caller) ? null : bearerOf(caller);
    const credentials = {
      token: bearer && (this.#deps.tokens?.issueForUpstream({ ...bearer, scopes }, lifetime) ?? null),
      principal: isKnown(caller) ? caller.principal.uuid : "",
      identity: identity === undefined ? "" : `${identity.provider}:${identity.id}`,
      scopes: scopes.join(" "),
    };
    this.#issued.set(caller, { at: now, lifetime, credentials });
    return credentials;
  }

  #identity(caller: KnownCaller): IdentityRef | undefined | Promise<IdentityRef | undefined> {
    if (caller.kind === "browser") return caller.identity;
    const [first, second] = caller.principal.identities;
    if (second === undefined) return first;
    return this.#deps.identityOf(caller).then((found) => found ?? first);
  }
}

/** Tokens know no access tags, so one made for a key that is restricted to tags would allow everything. */
export function tokenWidens(caller: Caller): boolean {
  return caller.kind === "api_key" && caller.key.accessTags !== null;
}

/**
 * A login, or a key with all scopes of its principal: it may be passed to a service that looks at names only. A principal
 * without scopes has no power.
 */
export function hasFullPower(caller: Caller): boolean {
  if (caller.kind === "anonymous") return false;
  if (caller.kind === "single_user") return true;
  const { scopes } = caller.principal;
  return scopes.length > 0 && (caller.kind !== "api_key" || !missingScopes(caller, scopes));
}

function isFresh({ at, lifetime }: Issued, now: number): boolean {
  return now >= at && now - at < lifetime * 1000 * REUSED_FOR;
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

/** Seconds: a minute, or the rest of a key's or provider token's lifetime. */
function lifetimeOf(caller: Caller, now: number): number {
  const end = endOf(caller);
  return end === null ? LIFETIME : Math.min(LIFETIME, Math.max(1, Math.ceil((end - now) / 1000)));
}

function endOf(caller: Caller): number | null {
  if (caller.kind === "api_key") return caller.key.expirationTime?.getTime() ?? null;
  return caller.kind === "token" && caller.expires !== undefined ? caller.expires * 1000 : null;
}
