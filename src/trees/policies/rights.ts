/**
 * A caller's rights on the nodes of a tree: what the policy grants, within the caller's own scopes, and for a key with access
 * tags only on nodes with one of these tags. `search/view.ts` applies them.
 */
import type { AccessPolicy, PolicyCaller, PolicyNode } from "./contract.ts";

/** The scope without which a node does not exist for a caller. */
export const VISIBLE = "read:metadata";

export interface Rights {
  scopesOn(node: PolicyNode): Promise<ReadonlySet<string>>;
  /**
   * The tags that grant this scope; "all": every tag does; null: the policy does not decide by tags alone. Returns the same set
   * until something changes.
   */
  tagsWith(scope: string): ReadonlySet<string> | "all" | null;
}

const NONE: ReadonlySet<string> = new Set();

/** The rights of one caller under a policy. */
export function rightsOf(policy: AccessPolicy, caller: PolicyCaller): Rights {
  const named = caller.accessTags === null ? null : new Set(caller.accessTags);
  const narrowed = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();
  return {
    scopesOn: async (node) => {
      const tags =
        node.tags === null || named === null ? node.tags : node.tags.filter((tag) => named.has(tag));
      // A policy cannot widen a key that its owner restricted.
      if (named !== null && tags?.length === 0) return NONE;
      const granted = new Set(await policy.scopesOn({ ...node, tags }, caller));
      return new Set([...caller.scopes].filter((scope) => granted.has(scope)));
    },
    tagsWith: (scope) => {
      if (policy.tagsWith === undefined) return null;
      if (!caller.scopes.has(scope)) return NONE;
      const tags = policy.tagsWith(scope, caller);
      if (named === null) return tags;
      if (tags === "all") return named;
      const known = narrowed.get(tags) ?? new Set([...named].filter((tag) => tags.has(tag)));
      narrowed.set(tags, known);
      return known;
    },
  };
}
