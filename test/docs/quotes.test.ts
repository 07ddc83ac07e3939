/** What the guides quote of pages and errors, in their tables of troubles, is what the server says today. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}${path}`, "utf8");
// A value in a text is `…` in a guide, also the provider that the guide calls orcid.
const source = globSync("src/**/*.ts", { cwd: ROOT })
  .map(read)
  .join("\n")
  .replaceAll(/\$\{provider\}/g, "orcid");

/** The fixed parts of the texts that a pattern finds on a page. */
function quoted(page: string, pattern: RegExp): string[] {
  const texts = [...read(page).matchAll(pattern)].map(([, text = ""]) => text);
  return texts
    .flatMap((text) => text.split("…").map((part) => part.replace(/ ?\[$|^\], /, "").trim()))
    .filter((part) => part.length > 3);
}

for (const [page, pattern, least] of [
  ["docs/how-to/accounts.md", /^\| "([^"]+)" \|/gm, 6],
  ["docs/how-to/openid-connect.md", /^\| \*(orcid [^*]+|The answer [^*]+)\*/gm, 8],
  ["docs/how-to/gateway.md", /^\| \d{3} `(The [^`]+|This [^`]+|…[^`]+)`/gm, 5],
] as const)
  test(`${page} quotes what the server says`, () => {
    const found = quoted(page, pattern);
    assert.ok(found.length >= least, String(found.length));
    assert.deepEqual(
      found.filter((text) => !source.includes(text)),
      [],
    );
  });
