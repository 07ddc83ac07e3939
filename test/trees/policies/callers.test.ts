/** For how long a policy sees the same caller as the same object. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "../../../src/domain/model/caller.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";
import { callersRights } from "../../../src/trees/policies/callers.ts";
import type { AccessPolicy, PolicyCaller } from "../../../src/trees/policies/contract.ts";
import { ManualClock } from "../../support/clock.ts";

const scopes = new Set(["read:metadata"]);
const node = { path: [], metadata: {}, specs: [], family: "container", tags: null } as const;

async function seenBy(caller: Caller, seconds: readonly number[]): Promise<number> {
  const clock = new ManualClock();
  const seen = new Set<PolicyCaller>();
  const policy: AccessPolicy = {
    kind: "access_policy",
    scopesOn: (_node, who) => {
      seen.add(who);
      return scopes;
    },
  };
  const rights = callersRights(policy, null, clock);
  for (const pause of seconds) {
    clock.advance(pause);
    await (await rights(caller)).scopesOn(node);
  }
  return seen.size;
}

test("a principal is a new object to a policy after half a second, so answers cached by it are asked for again", async () => {
  const uuid = "6f0c3e4e-9ad0-4cb0-8a2c-3f7b8f4f0a11" as Uuid;
  const principal = { uuid, type: "user", disabled: false, identities: [], scopes: [...scopes] } as const;
  const caller: Caller = { kind: "token", principal, scopes, identities: [], session: uuid };
  assert.equal(await seenBy(caller, [0, 0.2, 0.2]), 1);
  assert.equal(await seenBy(caller, [0, 0.2, 0.4]), 2);
});

test("anonymous callers stay the same object", async () => {
  assert.equal(await seenBy({ kind: "anonymous", scopes }, [0, 10]), 1);
});
