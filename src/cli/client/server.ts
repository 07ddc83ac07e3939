/**
 * Finds the server of a verb: `--url`, `--profile`, else the default profile, as Python's command does.
 */
import { homedir } from "node:os";
import type { Place } from "../../client/node/folders.ts";
import type { ClientProfiles } from "../../client/node/profiles.ts";
import type { ConnectOptions } from "../../client/parts.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import type { ServerOptions } from "./options.ts";

export interface FoundServer {
  readonly uri: string;
  /** Of the profile. */
  readonly options: ConnectOptions;
}

const HOW = `Use:

    tiled profile create URI

or

    tiled profile set-default NAME

to create or choose a default profile, or name a server for this command with

    tiled … --profile NAME
    tiled … --url URL`;
const FIRST = "The first time: 'tiled login URL' logs in and makes the server the default.";

export async function findServer({ profile, url }: ServerOptions, terminal: Terminal): Promise<FoundServer> {
  if (url !== undefined) return { uri: url, options: {} };
  const { defaultProfileName } = await import("../../client/node/profiles.ts");
  const name = profile ?? (await defaultProfileName(placeOf(terminal)));
  if (name === null) throw new OperatorError(`No default profile set. ${HOW}`, 1, FIRST);
  const found = (await knownProfiles(terminal)).get(name);
  if (found === undefined && profile === undefined) throw await clearMissingDefault(name, terminal);
  if (found === undefined)
    throw new OperatorError(
      `Profile '${printable(name)}' could not be found.`,
      1,
      "'tiled profile list' lists the profiles.",
    );
  const { serverOfProfile } = await import("../../client/node/from-profile.ts");
  const server = await serverOfProfile(found.content);
  if (server === null)
    throw new OperatorError(
      `Profile '${printable(name)}' has no server but starts one in Python (direct). Use a profile with a uri.`,
    );
  return server;
}

/** Prints a warning for each file and name that is skipped. */
export async function knownProfiles(terminal: Terminal): Promise<ClientProfiles["profiles"]> {
  const { readProfiles } = await import("../../client/node/profiles.ts");
  const { profiles, problems } = await readProfiles(placeOf(terminal));
  for (const problem of problems) terminal.err(`warning: ${printable(problem)}`);
  return profiles;
}

/** Clears the default, since no profile has its name any more, and returns the error that says so. */
export async function clearMissingDefault(name: string, terminal: Terminal): Promise<OperatorError> {
  const { setDefaultProfile } = await import("../../client/node/profile-files.ts");
  await setDefaultProfile(null, placeOf(terminal));
  return new OperatorError(
    `Default profile '${printable(name)}' does not exist. Clearing default. ${HOW}`,
    1,
    FIRST,
  );
}

/** Where the terminal's person has profiles and logins. */
export function placeOf({ env }: Terminal): Place {
  return { env, platform: process.platform, home: env["HOME"] || homedir() };
}
