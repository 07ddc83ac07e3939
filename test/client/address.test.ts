/** Addresses by the Python client's rules, keys in them, lifetimes of keys. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { apiAddressOf, baseOf } from "../../src/client/address.ts";
import { secondsOf } from "../../src/client/expires-in.ts";

test("the API's address of what a person has", () => {
  for (const [given, apiUri, parts = []] of [
    ["http://h:8000", "http://h:8000/api/v1/"],
    ["http://H:80/", "http://h/api/v1/"],
    ["https://h:443/api", "https://h/api/v1/"],
    ["https://h/api/v1", "https://h/api/v1/"],
    ["https://h/api/v1/?x=1#y", "https://h/api/v1/"],
    ["https://h/lab/", "https://h/lab/api/v1/"],
    ["https://user@h/lab/api/", "https://h/lab/api/v1/"],
    ["https://h/api/v1/metadata/a/b%20c/", "https://h/api/v1/", ["a", "b c"]],
    ["https://h/api/v1//metadata/a", "https://h/api/v1/", ["a"]],
  ] as const)
    assert.deepEqual(apiAddressOf(given), { apiUri, apiKey: null, nodePathParts: parts }, given);
});

test("a key is taken out of the query, and never shown", () => {
  assert.equal(apiAddressOf("http://h/?api_key=geheim").apiKey, "geheim");
  assert.equal(apiAddressOf("http://h/?api_key=").apiKey, null);
  for (const wrong of ["h/?api_key=geheim", "ftp://h/?api_key=geheim", "http://h/?api_key=geheim&api_key=2"])
    assert.throws(
      () => apiAddressOf(wrong),
      (error) => error instanceof TypeError && !inspect(error).includes("geheim"),
      wrong,
    );
});

test("a password in the address is refused, and never shown", () => {
  for (const address of ["https://alice:secret1@example.org", "http://:secret1@example.org/api/v1"])
    assert.throws(
      () => apiAddressOf(address),
      (error: Error) => {
        assert.match(error.message, /must not contain a password/);
        assert.doesNotMatch(error.message, /alice|secret1/);
        return true;
      },
    );
});

test("paths of the OpenAPI document start from the server's address", () => {
  assert.equal(baseOf("https://h/lab/api/v1/"), "https://h/lab");
  assert.equal(baseOf("https://h/"), "https://h");
});

test("lifetimes are seconds, or a number and a unit", () => {
  for (const [given, seconds] of [
    [null, null],
    [undefined, null],
    [90, 90],
    ["90", 90],
    ["5m", 300],
    ["1h", 3600],
    ["7d", 604_800],
    ["1y", 31_536_000],
  ] as const)
    assert.equal(secondsOf(given), seconds);
  for (const wrong of [0, -1, 1.5, "", "7w", "1h30m", Number.NaN])
    assert.throws(() => secondsOf(wrong), TypeError);
});
