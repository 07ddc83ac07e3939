/**
 * The contract of an access policy, which decides what a caller may do with an entry; part of the public API. Policies are
 * recognized by `kind`, never by `instanceof`. `rights.ts` limits the grants to the caller's own scopes and to the access tags
 * of the caller's key, so no policy can widen a credential.
 */
import type { TSchema } from "typebox";
import type { IdentityRef } from "../../domain/model/entities.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { Family } from "../model/contract.ts";

/**
 * The caller. The same person with the same credential is the same object for half a second, so answers can be cached in a WeakMap.
 */
export interface PolicyCaller {
  readonly kind: "anonymous" | "single_user" | "user" | "service";
  /** The principal's UUID; null for anonymous callers and the single user. */
  readonly uuid: Uuid | null;
  readonly identities: readonly IdentityRef[];
  /** The current scopes of the credential. */
  readonly scopes: ReadonlySet<string>;
  /** Access tags of the caller's API key; null: not restricted. */
  readonly accessTags: readonly string[] | null;
  /** `state` of the latest login at the provider named by `stateFrom`; empty without one. */
  readonly state: Readonly<Record<string, unknown>>;
}

/** The entry that the caller asks for. */
export interface PolicyNode {
  /** Keys from the root; empty for the root. */
  readonly path: readonly string[];
  /** The entry's tags, limited to those of the caller's key; null: this tree has no tags. */
  readonly tags: readonly string[] | null;
  readonly family: Family;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * Decides about each entry on the way from the root to the one that is asked for.
 *
 * @example
 * ```ts
 * import type { AccessPolicy, PolicyCaller, PolicyNode } from "tiled-auth";
 *
 * export class TeamPolicy implements AccessPolicy {
 *   static readonly args = { type: "object", properties: {}, additionalProperties: false };
 *   readonly kind = "access_policy";
 *
 *   scopesOn({ path, metadata }: PolicyNode, caller: PolicyCaller) {
 *     const team = metadata["team"];
 *     const member = Array.isArray(team) && caller.identities.some(({ id }) => team.includes(id));
 *     return path.length === 0 || member ? ["read:metadata", "read:data"] : [];
 *   }
 * }
 * ```
 */
export interface AccessPolicy {
  readonly kind: "access_policy";
  /**
   * Scopes of the caller on the entry. Without `read:metadata` the entry does not exist for the caller (404).
   *
   * @throws Any error refuses the request with 500 and is logged.
   */
  scopesOn(node: PolicyNode, caller: PolicyCaller): Iterable<string> | Promise<Iterable<string>>;
  /**
   * For policies that decide by each tag alone: the tags that grant this scope, or "all" if every tag does. Listings then
   * look tags up instead of asking about each child. Return the same set object as long as nothing has changed.
   */
  tagsWith?(scope: string, caller: PolicyCaller): ReadonlySet<string> | "all";
  /** The tags that the policy does not know, most likely misspelt. Logged at the start. */
  undefinedTags?(tags: Iterable<string>): readonly string[];
  /** Name of the provider whose `state` the policy reads. */
  readonly stateFrom?: string | null;
  /** Claims of that provider to be kept in `state`. */
  readonly claims?: readonly string[];
  /** Runs once before the server listens; an error stops the start. */
  start?(): Promise<void>;
  /** Runs once when the server stops. */
  stop?(): Promise<void>;
}

/** Second argument of a policy's constructor. */
export interface PolicyContext {
  /** Absolute path of the configuration's folder, for relative paths. */
  readonly directory: string;
  /** Writes a warning to the operator's log; never pass a secret. */
  warn(message: string): void;
}

/** A class of policies, as the table of names and an operator's module export it. */
export interface PolicyClass {
  /** JSON Schema of `args` with `additionalProperties: false`: an unknown or wrong argument stops the start. */
  readonly args: TSchema;
  new (args: never, context: PolicyContext): AccessPolicy;
}
