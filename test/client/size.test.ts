/** The build for browsers: small, and without Node or any package. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const LIMIT = 15_000;

test("the client for browsers is under 15 kB minified and compressed, and imports nothing", async (t) => {
  const { outputFiles, metafile } = await build({
    entryPoints: ["src/client/index.ts"],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    metafile: true,
    outdir: "out",
  });
  const [{ contents }] = outputFiles as [(typeof outputFiles)[0]];
  const size = gzipSync(contents, { level: 9 }).length;
  t.diagnostic(`${contents.length} bytes, ${size} compressed`);
  assert.ok(size < LIMIT, `${size}`);
  for (const [file, { imports }] of Object.entries(metafile.inputs)) {
    assert.match(file, /^src\/client\/[a-z-]+\.ts$/);
    assert.deepEqual(
      imports.filter(({ external }) => external),
      [],
    );
  }
});
