/**
 * Checks that an operator's own policy keeps the contract: its methods exist and return values of the right kind. If a policy
 * throws or returns anything else, the request fails and shows nothing.
 */

import { Failure, OperatorError } from "../../errors.ts";
import { reason } from "../../plugins/own-class.ts";
import type { AccessPolicy } from "./contract.ts";

/**
 * Wraps a policy object in these checks.
 *
 * @throws {OperatorError} The object lacks a part of the contract.
 */
export function guarded(made: unknown): AccessPolicy {
  const policy = checked(made);
  const { stateFrom = null, claims = [] } = policy;
  return {
    kind: "access_policy",
    stateFrom,
    claims,
    scopesOn: async (node, caller) => texts(await called(() => policy.scopesOn(node, caller)), "scopesOn"),
    ...(policy.tagsWith && { tagsWith: (scope, caller) => tagsOf(policy, scope, caller) }),
    ...(policy.undefinedTags && { undefinedTags: (tags) => policy.undefinedTags?.(tags) ?? [] }),
    start: async () => policy.start?.(),
    stop: async () => policy.stop?.(),
  };
}

function checked(made: unknown): AccessPolicy {
  const found = Object(made) as Readonly<Record<string, unknown>>;
  if (found["kind"] !== "access_policy") throw broken(`its 'kind' must be "access_policy"`);
  if (typeof found["scopesOn"] !== "function") throw broken("it has no method 'scopesOn'");
  if (found["stateFrom"] != null && typeof found["stateFrom"] !== "string")
    throw broken("its 'stateFrom' must be the name of a provider, or null");
  const { claims = [] } = found;
  if (!Array.isArray(claims) || !claims.every((claim) => typeof claim === "string"))
    throw broken("its 'claims' must be a list of texts");
  for (const method of ["tagsWith", "undefinedTags", "start", "stop"]) {
    if (found[method] !== undefined && typeof found[method] !== "function")
      throw broken(`its '${method}' must be a method`);
  }
  return made as AccessPolicy;
}

function broken(how: string): OperatorError {
  return new OperatorError(`the class does not keep the contract: ${how}.`);
}

type Tags = ReturnType<NonNullable<AccessPolicy["tagsWith"]>>;

function tagsOf(policy: AccessPolicy, ...asked: Parameters<NonNullable<AccessPolicy["tagsWith"]>>): Tags {
  let answer: unknown;
  try {
    answer = policy.tagsWith?.(...asked);
  } catch (error) {
    throw failed("tagsWith", `threw ${reason(error)}`, error);
  }
  if (answer === "all" || answer instanceof Set) return answer;
  throw failed("tagsWith", `must return a Set or "all"`);
}

async function called(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    throw failed("scopesOn", `threw ${reason(error)}`, error);
  }
}

/** A string is iterable as well, but is not a list of scopes. */
function texts(answer: unknown, method: string): Iterable<string> {
  if (typeof answer === "object" && answer !== null && Symbol.iterator in answer) {
    const items = [...(answer as Iterable<unknown>)];
    if (items.every((item) => typeof item === "string")) return items;
  }
  throw failed(method, "must return a list or Set of scopes");
}

function failed(method: string, how: string, cause?: unknown): Failure {
  return new Failure("internal", { log: `The access policy's ${method} ${how}.`, cause });
}
