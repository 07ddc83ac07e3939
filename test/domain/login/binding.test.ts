import assert from "node:assert/strict";
import { test } from "node:test";
import {
  browserDigest,
  formToken,
  isFormToken,
  newBinding,
  newBrowserSecret,
  readBrowserSecret,
  stateDigest,
} from "../../../src/domain/login/binding.ts";

test("a browser's secret is read only as it was made", () => {
  const secret = newBrowserSecret();
  assert.equal(readBrowserSecret(secret), secret);
  for (const other of [undefined, "", secret.slice(1), `${secret}0`, secret.toUpperCase(), "x".repeat(64)]) {
    assert.equal(readBrowserSecret(other), other === secret ? secret : null, String(other));
  }
});

test("a form's token belongs to one login and one browser", () => {
  const [first, second] = [newBinding("p", "https://x/").binding, newBinding("p", "https://x/").binding];
  const [ann, bob] = [newBrowserSecret(), newBrowserSecret()];
  const token = formToken(first, ann);
  assert.ok(isFormToken(token, first, ann));
  assert.ok(!isFormToken(token, first, bob));
  assert.ok(!isFormToken(token, second, ann));
  assert.ok(!isFormToken("", first, ann));
});

test("each login goes to the provider with values of its own, and PKCE's are long enough", () => {
  const made = Array.from({ length: 20 }, () => newBinding("p", "https://x/"));
  const values = made.flatMap(({ binding, state }) => [binding.nonce, binding.codeVerifier, state]);
  assert.equal(new Set(values).size, 60);
  for (const { binding } of made) assert.match(binding.codeVerifier, /^[A-Za-z0-9._~-]{43,128}$/);
});

test("digests of different things never meet", () => {
  const secret = newBrowserSecret();
  assert.notEqual(browserDigest(secret), stateDigest(secret));
});
