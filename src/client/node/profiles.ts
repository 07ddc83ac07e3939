/**
 * Reads profiles: named servers in YAML files, shared with the Python client. `profile-files.ts` writes them.
 */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Environment, here, type Place, profileFolders } from "./folders.ts";
import { isError } from "./lock-file.ts";
import { type ProfileContent, type ProfileFile, parseProfiles } from "./profile-yaml.ts";

export interface ClientProfile {
  readonly name: string;
  readonly file: string;
  readonly content: ProfileContent;
}

export interface ClientProfiles {
  readonly profiles: ReadonlyMap<string, ClientProfile>;
  /** Skipped files and names, with the reason. */
  readonly problems: readonly string[];
}

export async function readProfiles(place: Place = here()): Promise<ClientProfiles> {
  const profiles = new Map<string, ClientProfile>();
  const problems: string[] = [];
  for (const folder of profileFolders(place)) {
    const found = new Map<string, ClientProfile[]>();
    for (const file of await profileFilesIn(folder)) {
      const read = await readProfileFile(file, place.env);
      if (read.kind === "problem") problems.push(`Skipping ${file}: ${read.problem}.`);
      else
        for (const [name, content] of read.contents)
          found.set(name, [...(found.get(name) ?? []), { name, file, content }]);
    }
    for (const [name, [profile, ...others]] of found) {
      if (profile === undefined) continue;
      if (others.length === 0) profiles.set(name, profile);
      else {
        const files = [profile, ...others].map(({ file }) => file).join(", ");
        profiles.delete(name);
        problems.push(`Skipping profile ${JSON.stringify(name)}, which is in several files: ${files}.`);
      }
    }
  }
  return { profiles, problems };
}

/** The file with the default profile's name. */
export function defaultProfileFile(place: Place = here()): string {
  return join(dirname(profileFolders(place).at(-1) ?? ""), "default_profile");
}

/** Null if no default is set. */
export async function defaultProfileName(place: Place = here()): Promise<string | null> {
  return (await textOf(defaultProfileFile(place)))?.trim() || null;
}

export async function profileFilesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isError(error, "ENOENT") || isError(error, "ENOTDIR") || isError(error, "EACCES")) return [];
    throw error;
  });
  const yaml = names.filter((name) => !name.startsWith(".") && /\.ya?ml$/.test(name));
  return yaml.sort().map((name) => join(folder, name));
}

/** Contents by name, or the problem with the file. */
export async function readProfileFile(file: string, env: Environment): Promise<ProfileFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return { kind: "problem", problem: "it cannot be read" };
  }
  return parseProfiles(text, await import("./yaml-package.ts"), env);
}

/** Null if there is no such file. */
export async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isError(error, "ENOENT")) return null;
    throw error;
  }
}
