/**
 * URLs of files that run as threads or processes of their own, by their path below the package's root. Paths relative to the
 * importing file would not work in the bundle.
 */
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";

/** `path`: without an ending, e.g. `src/store/writer-worker`. The sources run as they are, and as built below `dist`. */
export function entryUrl(path: string): URL {
  const root = findPackageJSON(import.meta.url);
  if (root === undefined) throw new Error("The package.json of tiled-auth is missing.");
  const file = import.meta.url.endsWith(".ts") ? `${path}.ts` : `dist/${path}.js`;
  return new URL(file, pathToFileURL(root));
}
