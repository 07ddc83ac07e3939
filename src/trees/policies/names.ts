/**
 * The names of the access policies that this server has, as configurations write them. A class is loaded only where
 * its name is used; an operator's own is named as a module (`./my_policy.js:MyPolicy`, see `load.ts`).
 */
import type { PolicyClass } from "./contract.ts";

export const POLICY_PREFIX = "tiled.access_control.access_policies:";

/** Reads: `tiled.access_control.access_policies:` and one of these. */
export const POLICIES: ReadonlyMap<string, () => Promise<PolicyClass>> = new Map<
  string,
  () => Promise<PolicyClass>
>([
  ["DummyAccessPolicy", async () => (await import("./dummy.ts")).DummyAccessPolicy],
  ["TagBasedAccessPolicy", async () => (await import("./tag-based.ts")).TagBasedAccessPolicy],
]);

export const POLICY_NAMES: readonly string[] = [...POLICIES.keys()].map((name) => POLICY_PREFIX + name);
