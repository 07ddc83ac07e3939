/**
 * `tiled logout`. The login on this computer is removed, also if the server is away.
 */
import { apiAddressOf } from "../../client/address.ts";
import { TiledError } from "../../client/errors.ts";
import type { Terminal } from "../console/terminal.ts";
import { connectedTo, storeOf } from "./connection.ts";
import type { ServerOptions } from "./options.ts";
import { type FoundServer, findServer } from "./server.ts";

export async function logout(options: ServerOptions, terminal: Terminal): Promise<void> {
  const server = await findServer(options, terminal);
  try {
    const context = await connectedTo(server, terminal);
    await context.logout();
    if (context.apiKey !== null) terminal.err(staying(context.apiKey, terminal));
  } catch (error) {
    if (error instanceof TiledError) await forget(server, terminal);
    throw error;
  }
}

function staying(key: string, { env }: Terminal): string {
  return env["TILED_API_KEY"] === key
    ? "The API key in TILED_API_KEY stays in use. To stop using it: unset TILED_API_KEY"
    : "The API key in the address stays in use.";
}

async function forget({ uri }: FoundServer, terminal: Terminal): Promise<void> {
  const store = await storeOf(terminal);
  await store.clear(apiAddressOf(uri).apiUri);
  terminal.err(
    "warning: The login was removed from this computer. The server did not end its session, which lasts until it expires.",
  );
}
