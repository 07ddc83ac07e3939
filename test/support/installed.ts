/**
 * The package in a project of its own, as `npm install` leaves it: the bundles of these sources, and links to its packages.
 */
import { copyFile, cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { bundle } from "../../scripts/bundle.ts";
import { type Cleanup, temporaryFolder } from "./folders.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export async function installInto(folder: string): Promise<void> {
  const installed = join(folder, "node_modules/tiled-auth");
  await mkdir(installed, { recursive: true });
  await copyFile(join(ROOT, "package.json"), join(installed, "package.json"));
  await bundle({ absWorkingDir: ROOT, outdir: join(installed, "dist") });
  await symlink(join(ROOT, "node_modules"), join(installed, "node_modules"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
}

/** A copy of `examples/NAME`, alone, with the package installed. */
export async function installedExample(cleanup: Cleanup, name: string): Promise<string> {
  const folder = await temporaryFolder(cleanup);
  const filter = (source: string) => !source.includes("node_modules");
  await cp(join(ROOT, "examples", name), folder, { recursive: true, filter });
  await installInto(folder);
  return folder;
}
