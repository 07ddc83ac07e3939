/**
 * What the verbs of `tiled profile` do, with the texts of Python's `tiled`. `edit-profile.ts` has the editor.
 */
import type { ClientProfile, ClientProfiles } from "../../client/node/profiles.ts";
import { OperatorError } from "../../errors.ts";
import { printable, printableJson } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import type { JsonOption } from "./options.ts";
import { clearMissingDefault, knownProfiles, placeOf } from "./server.ts";

export interface CreateOptions {
  readonly name: string;
  readonly setDefault: boolean;
  readonly overwrite?: boolean;
  readonly verify: boolean;
}

export async function create(uri: string, options: CreateOptions, terminal: Terminal): Promise<void> {
  const { httpUrlOf } = await import("../../client/address.ts");
  try {
    httpUrlOf(uri);
  } catch (error) {
    // Without the text, which may have an API key.
    throw new OperatorError((error as Error).message, 2);
  }
  const { createProfile } = await import("../../client/node/profile-files.ts");
  const { name, setDefault } = options;
  const created = await createProfile({ ...options, uri }, placeOf(terminal));
  if (created.kind === "exists")
    throw new OperatorError(`A profile named '${name}' already exists. Use --overwrite to overwrite it.`);
  if (created.kind !== "created") throw unchanged(name, created);
  terminal.err(`Tiled profile '${name}' created${setDefault ? " and set as the default" : ""}.`);
}

export async function list({ json }: JsonOption, terminal: Terminal): Promise<void> {
  const profiles = [...(await knownProfiles(terminal)).values()];
  if (json) {
    const { defaultProfileName } = await import("../../client/node/profiles.ts");
    const chosen = await defaultProfileName(placeOf(terminal));
    const rows = profiles.map(({ name, file, content: { uri = null } }) => ({
      name,
      file,
      uri,
      default: name === chosen,
    }));
    terminal.out(printableJson(JSON.stringify(rows, null, 2)));
    return;
  }
  const rows = profiles.map(({ name, file }) => [printable(name), printable(file)] as const);
  const width = Math.max(...rows.map(([name]) => name.length)) + 4;
  if (rows.length === 0) terminal.out("No profiles found.");
  else terminal.out(rows.map(([name, file]) => name.padEnd(width) + file).join("\n"));
}

export async function paths(terminal: Terminal): Promise<void> {
  const { profileFolders } = await import("../../client/node/folders.ts");
  terminal.out(profileFolders(placeOf(terminal)).map(printable).join("\n"));
}

export async function show(name: string, terminal: Terminal): Promise<void> {
  const profile = profileNamed(name, await knownProfiles(terminal));
  terminal.err(`Source: ${printable(profile.file)}\n--`);
  terminal.out(await yamlOf(profile));
}

export async function remove(name: string, terminal: Terminal): Promise<void> {
  const profiles = await knownProfiles(terminal);
  const { removeProfile, setDefaultProfile } = await import("../../client/node/profile-files.ts");
  const { defaultProfileName } = await import("../../client/node/profiles.ts");
  const place = placeOf(terminal);
  const removed = await removeProfile(name, place);
  if (removed.kind === "unknown") {
    const { file } = profileNamed(name, profiles);
    throw new OperatorError(
      `The profile '${printable(name)}' is in ${printable(file)}, which is not in a folder of your own.`,
      1,
      "'tiled profile create URI --name NAME' creates one of your own, which overrides it.",
    );
  }
  if (removed.kind !== "removed") throw unchanged(name, removed);
  if ((await defaultProfileName(place)) === name) await setDefaultProfile(null, place);
  const rest = removed.othersStay ? ` ${printable(removed.file)} keeps its other profiles.` : "";
  terminal.err(`Tiled profile '${printable(name)}' deleted.${rest}`);
}

export async function getDefault(terminal: Terminal): Promise<void> {
  const { defaultProfileName } = await import("../../client/node/profiles.ts");
  const name = await defaultProfileName(placeOf(terminal));
  if (name === null) return terminal.err("No default.");
  const profile = (await knownProfiles(terminal)).get(name);
  if (profile === undefined) throw await clearMissingDefault(name, terminal);
  terminal.out(`# Profile name: '${printable(name)}'\n# ${printable(profile.file)} \n`);
  terminal.out(await yamlOf(profile));
}

export async function setDefault(name: string, terminal: Terminal): Promise<void> {
  profileNamed(name, await knownProfiles(terminal));
  const { setDefaultProfile } = await import("../../client/node/profile-files.ts");
  await setDefaultProfile(name, placeOf(terminal));
}

export async function clearDefault(terminal: Terminal): Promise<void> {
  const { setDefaultProfile } = await import("../../client/node/profile-files.ts");
  await setDefaultProfile(null, placeOf(terminal));
}

export function noProfile(name: string): OperatorError {
  return new OperatorError(
    `The profile '${printable(name)}' could not be found. Use tiled profile list to see profile names.`,
  );
}

function profileNamed(name: string, profiles: ClientProfiles["profiles"]): ClientProfile {
  const profile = profiles.get(name);
  if (profile === undefined) throw noProfile(name);
  return profile;
}

function unchanged(
  name: string,
  reason:
    | { readonly kind: "doubled"; readonly files: readonly string[] }
    | { readonly kind: "needed"; readonly file: string },
): OperatorError {
  const hint = "Change it with an editor.";
  if (reason.kind === "doubled") {
    const files = reason.files.map(printable).join(", ");
    return new OperatorError(`The profile '${printable(name)}' is in several files: ${files}.`, 1, hint);
  }
  return new OperatorError(
    `The profile '${printable(name)}' cannot be changed without a change to others in ${printable(reason.file)}.`,
    1,
    hint,
  );
}

/** As Python prints it, with an empty line after it. */
async function yamlOf({ content }: ClientProfile): Promise<string> {
  const { profileYaml } = await import("../../client/node/profile-yaml.ts");
  return profileYaml(content, await import("../../client/node/yaml-package.ts"))
    .split("\n")
    .map(printable)
    .join("\n");
}
