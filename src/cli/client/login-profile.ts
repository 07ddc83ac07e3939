/**
 * The first server that a person logs in to becomes the default profile, so that other verbs need no address.
 */
import { apiAddressOf } from "../../client/address.ts";
import type { Context } from "../../client/context.ts";
import { createProfile, setDefaultProfile } from "../../client/node/profile-files.ts";
import { defaultProfileName, readProfiles } from "../../client/node/profiles.ts";
import type { Terminal } from "../console/terminal.ts";
import { placeOf } from "./server.ts";

const NAME = "auto";

/** Does nothing if there is a default. The login stands if the profile cannot be written. */
export async function keepAsDefault({ apiUri, baseUrl }: Context, terminal: Terminal): Promise<void> {
  const place = placeOf(terminal);
  try {
    const { profiles } = await readProfiles(place);
    const name = await defaultProfileName(place);
    if (name !== null && profiles.has(name)) return;
    const created = await createProfile({ name: NAME, uri: baseUrl, setDefault: true }, place);
    if (created.kind === "created")
      return terminal.err(`Tiled profile '${NAME}' created and set as the default.`);
    const uri = profiles.get(NAME)?.content["uri"];
    if (typeof uri === "string" && URL.canParse(uri) && apiAddressOf(uri).apiUri === apiUri) {
      await setDefaultProfile(NAME, place);
      return terminal.err(`Tiled profile '${NAME}' set as the default.`);
    }
    terminal.err(
      `hint: A profile named '${NAME}' already exists for another server. 'tiled profile create ${baseUrl} --name NAME' makes one for this server.`,
    );
  } catch (error) {
    terminal.err(`warning: No profile could be written: ${(error as Error).message}`);
  }
}
