/**
 * `tiled logout`.
 */
import type { Terminal } from "../console/terminal.ts";
import { connected } from "./connection.ts";
import type { ServerOptions } from "./options.ts";

export async function logout(options: ServerOptions, terminal: Terminal): Promise<void> {
  const context = await connected(options, terminal);
  await context.logout();
  if (context.apiKey !== null)
    terminal.err(
      terminal.env["TILED_API_KEY"] === context.apiKey
        ? "The API key in TILED_API_KEY stays in use. Unset it: unset TILED_API_KEY"
        : "The API key in the address stays in use.",
    );
}
