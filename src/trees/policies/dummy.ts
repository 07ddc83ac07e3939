/** `DummyAccessPolicy`: restricts nothing, so that a credential's own scopes decide, and the tags that a key was given. */
import { Type } from "typebox";
import type { AccessPolicy, PolicyCaller, PolicyNode } from "./contract.ts";

export class DummyAccessPolicy implements AccessPolicy {
  static readonly args = Type.Object({}, { additionalProperties: false });

  readonly kind = "access_policy";

  scopesOn(_node: PolicyNode, caller: PolicyCaller): Iterable<string> {
    return caller.scopes;
  }

  tagsWith(): "all" {
    return "all";
  }
}
