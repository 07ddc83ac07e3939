/**
 * `tiled whoami`.
 */
import type { Context } from "../../client/context.ts";
import type { Principal } from "../../client/wire.ts";
import { printable, printableJson } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import { connection } from "./connection.ts";
import type { JsonOption, ServerOptions } from "./options.ts";

export async function whoami(options: ServerOptions & JsonOption, terminal: Terminal): Promise<void> {
  const context = await connection(options, terminal, "nothing");
  const principal = await context.whoami();
  if (options.json) terminal.out(printableJson(JSON.stringify(principal, null, 2)));
  else terminal.out(nameOf(principal, context));
}

function nameOf(principal: Principal | null, context: Context): string {
  if (principal === null) return context.apiKey === null ? "Not authenticated." : "single user";
  const ids = principal.identities.map(({ id }) => printable(id));
  return ids.join(",") || principal.uuid;
}
