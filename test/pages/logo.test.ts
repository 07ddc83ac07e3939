import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readLogo } from "../../src/pages/logo.ts";
import { temporaryFolder } from "../support/folders.ts";

test("a logo beside the configuration is served with its media type", async (t) => {
  const folder = await temporaryFolder((last) => t.after(last));
  await writeFile(join(folder, "Logo.PNG"), "not really");
  const logo = await readLogo("./Logo.PNG", folder);
  assert.match(logo.path, /^\/assets\/logo\.[0-9a-f]{12}\.png$/);
  assert.equal(logo.mediaType, "image/png");
  assert.equal(String(logo.content), "not really");
});

test("what cannot be served stops the start and says why", async (t) => {
  const folder = await temporaryFolder((last) => t.after(last));
  await writeFile(join(folder, "page.html"), "<p>");
  await writeFile(join(folder, "large.svg"), "x".repeat(1_048_577));
  await assert.rejects(readLogo("page.html", folder), /page\.html is not an image.*svg, png/);
  await assert.rejects(readLogo("gone.svg", folder), /there is no file .*gone\.svg/);
  await assert.rejects(readLogo("large.svg", folder), /larger than 1024 KiB/);
});
