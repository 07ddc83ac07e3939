/**
 * The built-in access policies by name (`vocabulary/policies.ts` lists the names). A class is loaded when the configuration
 * uses it.
 */
import { type POLICIES, POLICY_PREFIX } from "../../vocabulary/policies.ts";
import type { PolicyClass } from "./contract.ts";

const CLASSES: Readonly<Record<(typeof POLICIES)[number], () => Promise<PolicyClass>>> = {
  DummyAccessPolicy: async () => (await import("./dummy.ts")).DummyAccessPolicy,
  TagBasedAccessPolicy: async () => (await import("./tag-based.ts")).TagBasedAccessPolicy,
};

/** By name in the configuration. */
export const POLICY_CLASSES: ReadonlyMap<string, () => Promise<PolicyClass>> = new Map(
  Object.entries(CLASSES).map(([name, load]) => [POLICY_PREFIX + name, load]),
);
