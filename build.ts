/**
 * Builds `dist/`: declarations by the compiler, and the program with its many small files put together, since finding and
 * reading a thousand files is most of what a start would cost otherwise. What is native or only sometimes needed stays
 * outside. Run by `npm run build`.
 */
import { execFileSync } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { build } from "esbuild";

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Pure modules of many files that every start needs. */
const BUNDLED = new Set([
  "ajv",
  "kysely",
  "typebox",
  "yaml",
  "rate-limiter-flexible",
  "commander",
  "@msgpack/msgpack",
]);

await rm("dist", { recursive: true, force: true });
const { dependencies } = JSON.parse(await readFile("package.json", "utf8")) as Package;
await build({
  entryPoints: [
    "src/bin.ts",
    "src/index.ts",
    "src/store/sqlite/writer-worker.ts",
    "src/trees/data-worker.ts",
    "src/authenticators/pam/helper.ts",
  ],
  outbase: ".",
  outdir: "dist",
  chunkNames: "src/chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22",
  sourcemap: true,
  sourcesContent: false,
  logLevel: "warning",
  // Bundled CommonJS modules still ask for Node's own.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
  external: Object.keys(dependencies).filter((name) => !BUNDLED.has(name)),
});
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
  stdio: "inherit",
});
