import assert from "node:assert/strict";
import { test } from "node:test";
import { DictionaryAuthenticator } from "../../src/authenticators/dictionary.ts";
import { passwordConformance } from "./conformance.ts";

const USERS = {
  alice: "secret1",
  bob: "pässwörd 日本 🔑",
  "Zoë Müller": "e\u0301",
  " ": " leading and trailing ",
  "o'brien@example.org": "$2b$12$not-a-hash",
};

function make(users_to_passwords: Record<string, string>): DictionaryAuthenticator {
  return new DictionaryAuthenticator({ users_to_passwords, confirmation_message: "" });
}

const authenticator = make(USERS);
passwordConformance("DictionaryAuthenticator", {
  authenticator: () => authenticator,
  users: Object.entries(USERS)
    .filter(([name]) => name !== " ")
    .map(([name, password]) => ({ name, password })),
});

test("names and passwords match exactly: no case folding, no normalisation, no trimming", async () => {
  assert.equal(await authenticator.authenticate("Alice", "secret1"), null);
  assert.equal(await authenticator.authenticate("alice ", "secret1"), null);
  assert.equal(await authenticator.authenticate("Zoe\u0308 Müller", "e\u0301"), null);
  assert.equal(await authenticator.authenticate("Zoë Müller", "é"), null);
  assert.equal(await authenticator.authenticate(" ", "leading and trailing"), null);
  assert.deepEqual(await authenticator.authenticate(" ", " leading and trailing "), { id: " " });
});

test("members of Object.prototype are no users, and may be made users", async () => {
  for (const name of ["__proto__", "constructor", "toString", "valueOf"]) {
    for (const password of ["", "[object Object]", "undefined", "function Object() { [native code] }"]) {
      assert.equal(await authenticator.authenticate(name, password), null);
    }
  }
  const odd = make(JSON.parse('{"__proto__": "p1", "constructor": "p2"}'));
  assert.deepEqual(await odd.authenticate("__proto__", "p1"), { id: "__proto__" });
  assert.deepEqual(await odd.authenticate("constructor", "p2"), { id: "constructor" });
  assert.equal(await odd.authenticate("toString", "p1"), null);
});

test("an unpaired surrogate in a password is no other character", async () => {
  const odd = make({ alice: "\ud800" });
  assert.deepEqual(await odd.authenticate("alice", "\ud800"), { id: "alice" });
  assert.equal(await odd.authenticate("alice", "\ufffd"), null);
  assert.equal(await odd.authenticate("alice", "\ud801"), null);
});

test("an unknown user's password is digested and compared like a known one's", async (t) => {
  // Long enough that a skipped digest would show as a difference of a hundred times; the medians of many are compared.
  const password = "x".repeat(1 << 16);
  const median = async (name: string): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 101; round++) {
      const began = performance.now();
      await authenticator.authenticate(name, password);
      times.push(performance.now() - began);
    }
    return times.toSorted((left, right) => left - right)[50] ?? 0;
  };
  await median("warm-up");
  const known = await median("alice");
  const unknown = await median("nobody");
  t.diagnostic(`medians: known ${known.toFixed(4)} ms, unknown ${unknown.toFixed(4)} ms`);
  assert.ok(unknown > known / 5 && unknown < known * 5);
});

test("the passwords show nowhere in it", async () => {
  const { inspect } = await import("node:util");
  const shown = inspect(make({ alice: "hunter2" }), { depth: 9, showHidden: true });
  assert.doesNotMatch(shown + JSON.stringify(make({ alice: "hunter2" })), /hunter2/);
});
