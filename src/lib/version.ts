/**
 * The version of this package, from its own package.json: beside `src` in a checkout, above `dist` in an installation.
 */
import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

export const VERSION: string = read();

function read(): string {
  const path = findPackageJSON(import.meta.url);
  if (path === undefined) throw new Error("The package.json of tiled-auth is missing.");
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version: string };
  return version;
}
