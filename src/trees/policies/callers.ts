/**
 * Maps the caller of a request to the policy's view of the caller and to the caller's rights. Both are cached while the caller
 * object and the login state stay the same, but at most half a second for a principal, so a policy can cache answers by caller.
 */
import { isDeepStrictEqual } from "node:util";
import { type LoginState, NO_STATE } from "../../domain/login-states.ts";
import type { Caller } from "../../domain/model/caller.ts";
import { isKnown } from "../../domain/model/caller.ts";
import type { Clock } from "../../lib/clock.ts";
import { chain } from "../../lib/maybe-promise.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { AccessPolicy, PolicyCaller } from "./contract.ts";
import { type Rights, rightsOf } from "./rights.ts";

/** Reads the state of a principal's latest login at the policy's provider. */
export type StateOf = (principal: Uuid) => LoginState | Promise<LoginState>;

interface Remembered {
  readonly state: LoginState;
  readonly rights: Rights;
  /** 0 for anonymous callers and the single user, who never change. */
  readonly since: number;
}

/** A policy that caches answers by caller gets a new object as often as principals are read. */
const MAX_AGE_MS = 500;

/**
 * Returns a cached lookup of rights by caller.
 *
 * @param stateOf Null: the policy reads no login state.
 */
export function callersRights(
  policy: AccessPolicy,
  stateOf: StateOf | null,
  clock: Clock,
): (caller: Caller) => Rights | Promise<Rights> {
  const known = new WeakMap<Caller, Remembered>();
  const withState = (caller: Caller, state: LoginState): Rights => {
    const remembered = known.get(caller);
    const now = isKnown(caller) ? clock.now() : 0;
    const isFresh = remembered !== undefined && Math.abs(now - remembered.since) < MAX_AGE_MS;
    if (isFresh && isDeepStrictEqual(remembered.state, state)) return remembered.rights;
    const rights = rightsOf(policy, policyCaller(caller, state));
    known.set(caller, { state, rights, since: now });
    return rights;
  };
  return (caller) => {
    if (stateOf === null || !isKnown(caller)) return withState(caller, NO_STATE);
    return chain(stateOf(caller.principal.uuid), (state) => withState(caller, state));
  };
}

function policyCaller(caller: Caller, state: LoginState): PolicyCaller {
  const { scopes } = caller;
  if (!isKnown(caller)) {
    return { kind: caller.kind, uuid: null, identities: [], scopes, accessTags: null, state };
  }
  const { uuid, type, identities } = caller.principal;
  const accessTags = caller.kind === "api_key" ? caller.key.accessTags : null;
  return { kind: type, uuid, identities, scopes, accessTags, state };
}
