/**
 * Bundles the program into `dist/`: finding and reading a thousand small files would take most of the start. Native packages
 * and rarely used ones stay outside. `packagesIn` reads the bundled packages from esbuild's metafile; `bill.ts` lists them.
 */
import { readFileSync } from "node:fs";
import { type BuildOptions, build, type Metafile } from "esbuild";

/** A bundled package. `folder` is where it is installed, e.g. `node_modules/ajv`. */
export interface Bundled {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Pure modules of many files that every start needs, each with its own dependencies. */
const BUNDLED = new Set([
  "ajv",
  "fast-deep-equal",
  "fast-uri",
  "json-schema-traverse",
  "kysely",
  "typebox",
  "yaml",
  "rate-limiter-flexible",
  "commander",
  "@msgpack/msgpack",
]);

export function packageAt(folder: string): Package {
  return JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as Package;
}

/** Everything in `dist/`; what the program's own bundle is made of. */
export async function bundle(options: BuildOptions = {}): Promise<Metafile> {
  await bundleClient(options);
  const { metafile } = await build({
    entryPoints: [
      "src/bin.ts",
      "src/index.ts",
      "src/authenticators/passwords/bcrypt-worker.ts",
      "src/config/reread-worker.ts",
      "src/store/sqlite/writer-worker.ts",
      "src/trees/data-thread/worker.ts",
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
    logLevel: "warning",
    // V8 keeps the text of what it runs.
    minifyWhitespace: true,
    lineLimit: 120,
    // Bundled CommonJS modules still `require` Node's own.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    external: Object.keys(packageAt(".").dependencies).filter((name) => !BUNDLED.has(name)),
    ...options,
    metafile: true,
  });
  return metafile;
}

/** `tiled-auth/client`: for browsers, without any package, and for a Node older than the server's. */
async function bundleClient(options: BuildOptions): Promise<void> {
  await build({
    entryPoints: ["src/client/index.ts", "src/client/node/index.ts"],
    outbase: ".",
    outdir: "dist",
    chunkNames: "src/chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    target: ["node20", "es2022"],
    logLevel: "warning",
    external: ["node:*", "undici", "yaml"],
    ...options,
  });
}

/** The packages with at least one byte in the output, by name. */
export function packagesIn({ outputs }: Metafile): readonly Bundled[] {
  const folders = new Set<string>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
    }
  }
  return [...folders]
    .map((folder) => ({ ...packageAt(folder), folder }))
    .map(({ name, version, folder }) => ({ name, version, folder }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
