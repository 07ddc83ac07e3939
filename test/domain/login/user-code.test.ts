import assert from "node:assert/strict";
import { test } from "node:test";
import { newUserCode, readUserCode, showUserCode } from "../../../src/domain/login/user-code.ts";

test("a code is eight hexadecimal digits of which none looks like another", () => {
  const seen = new Set<string>();
  for (let made = 0; made < 2000; made++) {
    const code = newUserCode();
    assert.match(code, /^[2-9ACEF]{8}$/);
    assert.equal(readUserCode(showUserCode(code)), code);
    for (const character of code) seen.add(character);
  }
  assert.equal([...seen].sort().join(""), "23456789ACEF", "all of the alphabet is used");
});

test("a code is read in any writing, and nothing else becomes one", () => {
  assert.equal(showUserCode("2A4C6E8F"), "2A4C-6E8F");
  for (const typed of ["2a4c-6e8f", "2A4C6E8F", " 2a4c 6e8f\n", "2A4C—6E8F", "za4c-ge bf", "2A-4C-6E-8F"]) {
    assert.equal(readUserCode(typed), "2A4C6E8F", typed);
  }
  assert.equal(readUserCode(" - "), "");
  assert.notEqual(readUserCode("2A4C6E8F2"), "2A4C6E8F");
});
