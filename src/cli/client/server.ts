/**
 * Finds the server of a verb: `--url`, `--profile`, else the default profile, as Python's command does.
 */
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import type { Place } from "../../client/node/folders.ts";
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

export async function findServer({ profile, url }: ServerOptions, terminal: Terminal): Promise<FoundServer> {
  if (url !== undefined) return { uri: url, options: {} };
  const { defaultProfileFile, defaultProfileName, readProfiles } = await import(
    "../../client/node/profiles.ts"
  );
  const place = placeOf(terminal);
  const name = profile ?? (await defaultProfileName(place));
  if (name === null) throw new OperatorError(`No default profile set. ${HOW}`);
  const { profiles, problems } = await readProfiles(place);
  for (const problem of problems) terminal.err(`warning: ${printable(problem)}`);
  const found = profiles.get(name);
  if (found === undefined && profile === undefined) {
    await rm(defaultProfileFile(place), { force: true });
    throw new OperatorError(`Default profile '${printable(name)}' does not exist. Clearing default. ${HOW}`);
  }
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

/** Where the terminal's person has profiles and logins. */
export function placeOf({ env }: Terminal): Place {
  return { env, platform: process.platform, home: env["HOME"] || homedir() };
}
