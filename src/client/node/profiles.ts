/**
 * Reads profiles: named servers in YAML files, shared with the Python client.
 */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { here, type Place, profileFolders } from "./folders.ts";
import { isError } from "./lock-file.ts";

interface ClientProfile {
  readonly name: string;
  readonly file: string;
  /** As in the file: `uri`, `verify`, `headers`, `timeout` and those of the Python client. */
  readonly content: Readonly<Record<string, unknown>>;
}

export interface ClientProfiles {
  readonly profiles: ReadonlyMap<string, ClientProfile>;
  /** Skipped files and names, with the reason. */
  readonly problems: readonly string[];
}

const KEYS = new Set(
  "uri username auth_provider headers direct structure_clients cache timeout token_cache max_connections verify".split(
    " ",
  ),
);

export async function readProfiles(place: Place = here()): Promise<ClientProfiles> {
  const profiles = new Map<string, ClientProfile>();
  const problems: string[] = [];
  for (const folder of profileFolders(place)) {
    const found = new Map<string, ClientProfile[]>();
    for (const file of await filesIn(folder)) {
      const contents = await readFileOf(file);
      if (typeof contents === "string") problems.push(`Skipping ${file}: ${contents}.`);
      else
        for (const [name, content] of Object.entries(contents))
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

async function filesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isError(error, "ENOENT") || isError(error, "ENOTDIR") || isError(error, "EACCES")) return [];
    throw error;
  });
  const yaml = names.filter((name) => !name.startsWith(".") && /\.ya?ml$/.test(name));
  return yaml.sort().map((name) => join(folder, name));
}

/** Contents by name, or the problem with the file. */
async function readFileOf(file: string): Promise<Record<string, Record<string, unknown>> | string> {
  const { parse } = await import("yaml");
  let contents: unknown;
  try {
    contents = parse(await readFile(file, "utf8"));
  } catch {
    return "it cannot be read as YAML";
  }
  if (!isMapping(contents)) return "it has no profiles";
  for (const [name, content] of Object.entries(contents)) {
    if (!isMapping(content)) return `profile ${JSON.stringify(name)} has no keys`;
    const unknown = Object.keys(content).find((key) => !KEYS.has(key));
    if (unknown !== undefined)
      return `profile ${JSON.stringify(name)} has the unknown key ${JSON.stringify(unknown)}`;
    if (typeof content["uri"] !== "string" && !isMapping(content["direct"]))
      return `profile ${JSON.stringify(name)} has no uri`;
  }
  return contents as Record<string, Record<string, unknown>>;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isError(error, "ENOENT")) return null;
    throw error;
  }
}
