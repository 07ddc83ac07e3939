/**
 * Writes profiles and the default's name, so that the Python client reads them. Each file is written beside and renamed, since
 * other programs read it at the same time.
 */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { here, type Place, PROFILE_NAME, profileFolders, userProfileFolders } from "./folders.ts";
import { isError } from "./lock-file.ts";
import { parseProfiles, withProfile } from "./profile-yaml.ts";
import { defaultProfileFile, profileFilesIn, readProfileFile, textOf } from "./profiles.ts";

export interface NewProfile {
  readonly name: string;
  readonly uri: string;
  /** Whether the server's certificate is verified. Default: true. */
  readonly verify?: boolean;
  /** Replaces an existing profile of this name. Default: false. */
  readonly overwrite?: boolean;
  readonly setDefault?: boolean;
}

/** A change would change other profiles of the file, e.g. one that takes keys from this one (`*alias`). */
interface Needed {
  readonly kind: "needed";
  readonly file: string;
}

/** Several files of one folder have it. */
interface Doubled {
  readonly kind: "doubled";
  readonly files: readonly string[];
}

type Created =
  | { readonly kind: "created"; readonly file: string }
  /** `file` has it already, or is a file of this name that cannot be read. */
  | { readonly kind: "exists"; readonly file: string }
  | Doubled
  | Needed;

type Removed =
  | { readonly kind: "removed"; readonly file: string; readonly othersStay: boolean }
  /** Not in the user's own folders. */
  | { readonly kind: "unknown" }
  | Doubled
  | Needed;

/** @throws TypeError for an invalid name. The system's own errors if it cannot be written. */
export async function createProfile(
  { name, uri, verify = true, overwrite = false, setDefault = false }: NewProfile,
  place: Place = here(),
): Promise<Created> {
  if (!PROFILE_NAME.test(name)) throw new TypeError(`Invalid name of a profile: ${JSON.stringify(name)}.`);
  const folder = profileFolders(place).at(-1) ?? "";
  // A second file with the same name would hide both.
  const files = await filesWith(name, folder, place);
  const [file = join(folder, `${name}.yml`), another] = files;
  const text = (await textOf(file)) ?? "";
  const yaml = await import("./yaml-package.ts");
  const unreadable = text !== "" && parseProfiles(text, yaml, place.env).kind === "problem";
  if (!overwrite && (files.length > 0 || unreadable)) return { kind: "exists", file };
  if (another !== undefined) return { kind: "doubled", files };
  const changed = withProfile(text, name, { uri, verify }, yaml);
  if (changed === null) return { kind: "needed", file };
  await replace(file, changed, /[?&]api_key=/.test(uri) ? 0o600 : 0o666);
  if (setDefault) await setDefaultProfile(name, place);
  return { kind: "created", file };
}

/** Removes a profile from the user's own folders. A file with other profiles keeps them, and its comments. */
export async function removeProfile(name: string, place: Place = here()): Promise<Removed> {
  for (const folder of [...userProfileFolders(place)].reverse()) {
    const files = await filesWith(name, folder, place);
    const [file, another] = files;
    if (file === undefined) continue;
    if (another !== undefined) return { kind: "doubled", files };
    return await removeFrom(file, name, place);
  }
  return { kind: "unknown" };
}

/** `null` clears it. No newline, or the Python client would take it for a part of the name. */
export async function setDefaultProfile(name: string | null, place: Place = here()): Promise<void> {
  const file = defaultProfileFile(place);
  if (name === null) await rm(file, { force: true });
  else await replace(file, name, 0o666);
}

async function removeFrom(file: string, name: string, place: Place): Promise<Removed> {
  const yaml = await import("./yaml-package.ts");
  const text = (await textOf(file)) ?? "";
  const read = parseProfiles(text, yaml, place.env);
  if (read.kind === "problem") return { kind: "unknown" };
  if (read.contents.size === 1) {
    await rm(file);
    return { kind: "removed", file, othersStay: false };
  }
  const rest = withProfile(text, name, null, yaml);
  if (rest === null) return { kind: "needed", file };
  await replace(file, rest, 0o666);
  return { kind: "removed", file, othersStay: true };
}

async function filesWith(name: string, folder: string, { env }: Place): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of await profileFilesIn(folder)) {
    const read = await readProfileFile(file, env);
    if (read.kind === "contents" && read.contents.has(name)) found.push(file);
  }
  return found;
}

/** Follows links, and keeps the mode of an existing file. `mode`: of a new one, under the umask. */
async function replace(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await realpath(path).catch((error: unknown) => {
    if (isError(error, "ENOENT")) return path;
    throw error;
  });
  const before = await stat(file).catch(() => null);
  const beside = join(dirname(file), `.${randomBytes(8).toString("hex")}`);
  try {
    await writeFile(beside, text, { flag: "wx", mode: before === null ? mode : 0o600 });
    if (before !== null) await chmod(beside, before.mode & mode);
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
