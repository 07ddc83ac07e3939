/** The table of docs/how-to/migrating.md has each kind that is tried, with its outcome, and no other. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { KINDS } from "../support/migrating.ts";

test("the table has the kinds that the tests try", async () => {
  const page = await readFile(new URL("../../docs/how-to/migrating.md", import.meta.url), "utf8");
  const [, table = ""] = page.split(
    "| kind | `tiled config check` | `tiled config migrate` |\n| --- | --- | --- |\n",
  );
  const rows = table.split("\n").filter((line) => line.startsWith("|"));
  const said = rows.map((row) => {
    const [name = "", checked = "", made = ""] = row.slice(2, -2).split(" | ");
    return [name, checked, made.split(":")[0] ?? ""];
  });
  const tried = Object.entries(KINDS).map(([name, { check, migrate }]) => [name, check, migrate]);
  assert.deepEqual(said, tried);
});
