/**
 * The contract of an access policy: what a caller may do with which node. Policies are told apart by `kind`, never by
 * `instanceof`. Whatever a policy grants is cut to the caller's own scopes, and a key with access tags is narrowed to them,
 * by `rights.ts`: no policy can widen what a credential may do.
 */
import type { TSchema } from "typebox";
import type { IdentityRef } from "../../domain/model/entities.ts";
import type { Uuid } from "../../lib/uuid.ts";
import type { Family } from "../contract.ts";

/** Who asks. The same person with the same credential is the same object for a while, so that answers can be remembered. */
export interface PolicyCaller {
  readonly kind: "anonymous" | "single_user" | "user" | "service";
  /** Null for anonymous and the single user. */
  readonly uuid: Uuid | null;
  readonly identities: readonly IdentityRef[];
  /** What the credential may do at this moment. */
  readonly scopes: ReadonlySet<string>;
  /** A key's; null: not narrowed. */
  readonly accessTags: readonly string[] | null;
  /** What the latest login at the policy's `stateFrom` said of the person; empty where it has none. */
  readonly state: Readonly<Record<string, unknown>>;
}

/** What a policy is told of a node. */
export interface PolicyNode {
  /** From the root. */
  readonly path: readonly string[];
  /** As far as the caller's key names them; null: the node has no notion of tags. */
  readonly tags: readonly string[] | null;
  readonly family: Family;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface AccessPolicy {
  readonly kind: "access_policy";
  /** What the caller may do with the node; without `read:metadata` it does not exist for the caller. */
  scopesOn(node: PolicyNode, caller: PolicyCaller): Iterable<string> | Promise<Iterable<string>>;
  /**
   * For policies that look at tags only, each by itself: with which tags this scope comes out, "all" for whatever tags
   * there are. Lists are then looked up instead of asking about each child. The same set as long as nothing has changed.
   */
  tagsWith?(scope: string, caller: PolicyCaller): ReadonlySet<string> | "all";
  /** Which of these tags mean nothing to it: most likely they are misspelt. */
  undefinedTags?(tags: Iterable<string>): readonly string[];
  /** The provider whose word on a person it reads in the caller's `state`. */
  readonly stateFrom?: string | null;
  /** The claims of that provider's that are to be kept in it. */
  readonly claims?: readonly string[];
  /** Once, before the server listens. */
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** What a constructor of a policy is told beside its own arguments. */
export interface PolicyContext {
  /** The folder of the configuration file, for relative paths. */
  readonly directory: string;
  /** For the operator; never a secret. */
  warn(message: string): void;
}

/** A class of policies: what the table of names and an operator's module export. */
export interface PolicyClass {
  /** JSON Schema of `args`, closed: an unknown or wrong argument stops the start. */
  readonly args: TSchema;
  new (args: never, context: PolicyContext): AccessPolicy;
}
