/**
 * What a caller may do with the nodes of a tree: what the policy grants, never more than the caller's own scopes, and
 * for a key with access tags nothing on nodes whose tags it does not name. `search/view.ts` shows a tree accordingly.
 */
import type { AccessPolicy, PolicyCaller, PolicyNode } from "./contract.ts";

/** The scope without which a node does not exist for a caller. */
export const VISIBLE = "read:metadata";

export interface Rights {
  scopesOn(node: PolicyNode): Promise<ReadonlySet<string>>;
  /**
   * The tags with which this scope comes out; "all": whatever the tags. Null: that depends on more than tags. The same
   * set as long as nothing has changed.
   */
  tagsWith(scope: string): ReadonlySet<string> | "all" | null;
}

const NONE: ReadonlySet<string> = new Set();

export function rightsOf(policy: AccessPolicy, caller: PolicyCaller): Rights {
  const named = caller.accessTags === null ? null : new Set(caller.accessTags);
  const narrowed = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();
  return {
    scopesOn: async (node) => {
      const tags =
        node.tags === null || named === null ? node.tags : node.tags.filter((tag) => named.has(tag));
      // No policy can give a key back what its maker took away.
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
