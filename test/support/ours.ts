/**
 * Our own server as a child process, started as an operator starts it, on a free port: the built program in `npm test`,
 * which names it in the environment, and the sources where a file is run by itself.
 */
import { fileURLToPath } from "node:url";
import { type Cleanup, configurationFile } from "./folders.ts";
import { type Options, type Server, startServer } from "./process.ts";

const PROGRAM =
  process.env["TILED_AUTH_TEST_PROGRAM"] ?? fileURLToPath(new URL("../../src/bin.ts", import.meta.url));
const READY = /listening at (http:\/\/[0-9.]+:[0-9]+)/;

/** Our command. */
export const TILED: readonly string[] = [process.execPath, PROGRAM];

interface OnPort extends Options {
  /** Default: a free one. */
  readonly port?: number;
}

export async function startOurs(cleanup: Cleanup, config: object, options: OnPort = {}): Promise<Server> {
  const file = await configurationFile(cleanup, config);
  return oursCommand(cleanup, ["config", file], options);
}

/** `tiled serve …`, e.g. `["pyobject", "tiled.examples.generated_minimal:tree", "--public"]`. */
export async function oursCommand(
  cleanup: Cleanup,
  args: readonly string[],
  options: OnPort = {},
): Promise<Server> {
  const port = String(options.port ?? 0);
  return startServer(cleanup, [...TILED, "serve", ...args, "--port", port], READY, options);
}
