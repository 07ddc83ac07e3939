import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { equalSecrets, randomHex, Secret, sha256 } from "../../src/lib/secrets.ts";

test("a secret shows itself nowhere but in reveal()", () => {
  const secret = new Secret("hunter2");
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
  ];
  for (const text of shown) {
    assert.doesNotMatch(text, /hunter2/);
    assert.match(text, /\[secret\]/);
  }
  assert.equal(secret.reveal(), "hunter2");
});

test("comparison is exact, whatever the characters", () => {
  assert.equal(equalSecrets("s\u00e9cret", "s\u00e9cret"), true);
  assert.equal(equalSecrets("s\u00e9cret", "se\u0301cret"), false);
  assert.equal(equalSecrets("", "a"), false);
  assert.equal(equalSecrets("a", "a\0"), false);
});

test("random hex differs each time and has two digits a byte", () => {
  assert.match(randomHex(36), /^[0-9a-f]{72}$/);
  assert.notEqual(randomHex(36), randomHex(36));
  assert.equal(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
