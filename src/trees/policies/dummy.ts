/** `DummyAccessPolicy`: restricts nothing beyond the scopes of the credential and the access tags of a key. */
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
