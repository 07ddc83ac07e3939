/**
 * The class of each access policy that this server has (`vocabulary/policies.ts` has their names). A class is loaded only
 * where its name is used.
 */
import { type POLICIES, POLICY_PREFIX } from "../../vocabulary/policies.ts";
import type { PolicyClass } from "./contract.ts";

const CLASSES: Readonly<Record<(typeof POLICIES)[number], () => Promise<PolicyClass>>> = {
  DummyAccessPolicy: async () => (await import("./dummy.ts")).DummyAccessPolicy,
  TagBasedAccessPolicy: async () => (await import("./tag-based.ts")).TagBasedAccessPolicy,
};

/** By the name that a configuration has. */
export const POLICY_CLASSES: ReadonlyMap<string, () => Promise<PolicyClass>> = new Map(
  Object.entries(CLASSES).map(([name, load]) => [POLICY_PREFIX + name, load]),
);
