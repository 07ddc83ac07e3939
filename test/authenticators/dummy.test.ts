import assert from "node:assert/strict";
import { test } from "node:test";
import { DummyAuthenticator } from "../../src/authenticators/dummy.ts";
import { passwordConformance } from "./conformance.ts";

const warnings: string[] = [];
const authenticator = new DummyAuthenticator(
  { confirmation_message: "Hello {id}" },
  { provider: "toy", directory: "/", warn: (message) => warnings.push(message) },
);

passwordConformance("DummyAuthenticator", {
  authenticator: () => authenticator,
  users: [
    { name: "alice", password: "anything" },
    { name: "Zoë 日本", password: "pässwörd" },
  ],
  letsAnybodyIn: true,
});

test("the operator is warned that anyone can log in", () => {
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /every user name with every password/);
  assert.equal(authenticator.confirmationMessage, "Hello {id}");
});

test("a name that no database holds is refused", async () => {
  assert.deepEqual(await authenticator.authenticate("🔑".repeat(255)), { id: "🔑".repeat(255) });
  for (const name of ["", "a\0b", "\ud800", "x".repeat(256)])
    assert.equal(await authenticator.authenticate(name), null);
});
