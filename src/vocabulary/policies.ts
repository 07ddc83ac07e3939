/**
 * The names of the access policies that this server has, as configurations write them. Their classes are in
 * `trees/policies/classes.ts`; an operator's own is named as a module (`./my_policy.js:MyPolicy`).
 */

export const POLICY_PREFIX = "tiled.access_control.access_policies:";

/** Each follows the prefix. */
export const POLICIES = ["DummyAccessPolicy", "TagBasedAccessPolicy"] as const;

export const POLICY_NAMES: readonly string[] = POLICIES.map((name) => POLICY_PREFIX + name);
