import assert from "node:assert/strict";
import { test } from "node:test";
import { negotiate, OFFER } from "../../../src/trees/search/formats.ts";

test("every format is available by media type and by short name", () => {
  for (const [readable, types] of Object.entries(OFFER.formats)) {
    for (const name of types) {
      const wanted = { name, header: true };
      assert.deepEqual(negotiate(readable as "array", { format: undefined, accept: name }), wanted);
      assert.deepEqual(negotiate(readable as "array", { format: name, accept: undefined }), wanted);
      for (const alias of OFFER.aliases[readable]?.[name] ?? []) {
        assert.deepEqual(negotiate(readable as "array", { format: alias, accept: undefined }), wanted, alias);
      }
    }
    assert.deepEqual(
      Object.keys(OFFER.aliases[readable] ?? {}).filter((name) => !types.includes(name)),
      [],
    );
  }
});

test("the client's order decides, and the query before the header", () => {
  const get = (format: string | undefined, accept: string | undefined) =>
    negotiate("table", { format, accept })?.name;
  assert.equal(get(undefined, undefined), "application/vnd.apache.arrow.file");
  assert.equal(get(undefined, "image/*, text/csv;q=0.1, application/json"), "text/csv");
  assert.equal(get("json", "text/csv"), "application/json");
  assert.equal(get("xlsx,csv", undefined), "text/csv");
  assert.equal(get("xlsx", "text/csv"), undefined);
  assert.equal(get("", undefined), undefined);
  assert.equal(get("constructor", undefined), undefined);
  assert.equal(get(`${"x,".repeat(10_000)}csv`, undefined), undefined);
  assert.equal(negotiate("table", { format: "text/csv;header=absent", accept: undefined })?.header, false);
});
