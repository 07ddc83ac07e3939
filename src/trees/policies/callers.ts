/**
 * From whoever makes a request to what a policy is told of them, and to their rights. Both are remembered as long as the
 * caller is the same object and the login said the same, so that a policy can remember its answers in turn.
 */
import { isDeepStrictEqual } from "node:util";
import { type LoginState, NO_STATE } from "../../domain/login-states.ts";
import type { Caller } from "../../domain/model/caller.ts";
import { isKnown } from "../../domain/model/caller.ts";
import { chain } from "../../lib/maybe-promise.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { AccessPolicy, PolicyCaller } from "./contract.ts";
import { type Rights, rightsOf } from "./rights.ts";

/** What the latest login at the policy's provider said of a principal. */
export type StateOf = (principal: Uuid) => LoginState | Promise<LoginState>;

export function callersRights(
  policy: AccessPolicy,
  stateOf: StateOf | null,
): (caller: Caller) => Rights | Promise<Rights> {
  const known = new WeakMap<Caller, { readonly state: LoginState; readonly rights: Rights }>();
  const withState = (caller: Caller, state: LoginState): Rights => {
    const remembered = known.get(caller);
    if (remembered !== undefined && isDeepStrictEqual(remembered.state, state)) return remembered.rights;
    const rights = rightsOf(policy, policyCaller(caller, state));
    known.set(caller, { state, rights });
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
