import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
}

const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
const manifest = read("package.json") as Manifest;

test("the package holds what an operator needs, and neither sources nor source maps", {
  skip: !existsSync("dist/src/bin.js") && "npm run build has not run",
}, () => {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const [packed] = JSON.parse(execFileSync("npm", args, { encoding: "utf8" })) as {
    readonly files: readonly { readonly path: string; readonly mode: number }[];
  }[];
  const files = new Map(packed?.files.map(({ path, mode }) => [path, mode]));
  for (const path of [
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs/how-to/operations.md",
    "example_configs/users.json",
    "dist/src/index.d.ts",
    "dist/src/client/index.js",
    "dist/src/client/node/index.js",
    "dist/src/client/node/index.d.ts",
    "dist/src/config/reread-worker.js",
    "dist/src/store/sqlite/writer-worker.js",
    "dist/bundle.cdx.json",
    "dist/THIRD-PARTY-LICENSES.txt",
  ])
    assert.ok(files.has(path), path);
  for (const path of files.keys()) assert.doesNotMatch(path, /^(src|test|scripts|bench|examples)\/|\.map$/);
  assert.deepEqual(Object.keys(manifest.bin), ["tiled", "tiled-auth"]);
  for (const path of Object.values(manifest.bin)) assert.ok((files.get(path) ?? 0) & 0o111, path);
});

test("the lockfile and the changelog have the version of package.json", () => {
  const { version, packages } = read("package-lock.json") as Manifest & { packages: { "": Manifest } };
  assert.deepEqual([version, packages[""].version], [manifest.version, manifest.version]);
  const headings: readonly string[] = readFileSync("CHANGELOG.md", "utf8").match(/^## \S+/gm) ?? [];
  assert.ok(headings.includes(`## ${manifest.version}`), headings.join());
});
