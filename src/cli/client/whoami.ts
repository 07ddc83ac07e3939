/**
 * `tiled whoami`.
 */
import type { Context } from "../../client/context.ts";
import { RequestRefused } from "../../client/errors.ts";
import type { Principal } from "../../client/wire.ts";
import { printable, printableJson } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import { connection } from "./connection.ts";
import type { JsonOption, ServerOptions } from "./options.ts";

export async function whoami(options: ServerOptions & JsonOption, terminal: Terminal): Promise<void> {
  const context = await connection(options, terminal, "nothing");
  const { apiKey } = context;
  if (apiKey !== null)
    terminal.err(
      `The API key in ${terminal.env["TILED_API_KEY"] === apiKey ? "TILED_API_KEY" : "the address"} is used.`,
    );
  const principal = context.authenticated ? await context.whoami() : null;
  const single = apiKey !== null && context.serverInfo.authentication.links === null;
  if (single) await checkFixedKey(context);
  if (options.json) terminal.out(printableJson(JSON.stringify(principal, null, 2)));
  else terminal.out(principal === null ? (single ? "single user" : "Not authenticated.") : nameOf(principal));
}

function nameOf({ identities, uuid }: Principal): string {
  // A service has no identities.
  return (identities ?? []).map(({ id }) => printable(id)).join(",") || printable(uuid);
}

/** A server without logins has no `whoami`; a wrong key is refused by any route that looks at it. */
async function checkFixedKey(context: Context): Promise<void> {
  const { status } = await context.fetch("metadata/", { method: "HEAD" });
  if (status === 401)
    throw new RequestRefused("Invalid API key (401)", { status, detail: "Invalid API key" });
}
