/**
 * The real Tiled server, the reference of the wire contract, as a child process on a free port.
 */
import { type Cleanup, configurationFile } from "./folders.ts";
import { type Options, type Server, startServer } from "./process.ts";
import { program } from "./python.ts";

const READY = /Uvicorn running on (http:\/\/[^ ]+)/;

export async function startReference(
  cleanup: Cleanup,
  config: object,
  options: Options & { readonly port?: number } = {},
): Promise<Server> {
  const file = await configurationFile(cleanup, config);
  return referenceCommand(cleanup, ["config", file], options);
}

/** `tiled serve …`, e.g. `["pyobject", "tiled.examples.generated_minimal:tree", "--public"]`. */
export async function referenceCommand(
  cleanup: Cleanup,
  args: readonly string[],
  options: Options & { readonly port?: number } = {},
): Promise<Server> {
  const port = String(options.port ?? 0);
  return startServer(cleanup, [program("tiled"), "serve", ...args, "--port", port], READY, options);
}
