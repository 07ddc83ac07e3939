/**
 * Temporary folders and configuration files of tests, deleted when the test is over, also when it fails.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";

/** `t.after` of a test, or `after` of a suite. */
export type Cleanup = (last: () => Promise<unknown>) => void;

export async function temporaryFolder(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tiled-auth-"));
  cleanup(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a configuration, an object, as YAML into a folder of its own; the file's path. */
export async function configurationFile(cleanup: Cleanup, config: object): Promise<string> {
  const file = join(await temporaryFolder(cleanup), "config.yml");
  await writeFile(file, stringify(config));
  return file;
}
