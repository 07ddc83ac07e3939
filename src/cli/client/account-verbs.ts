/**
 * `tiled login`, `logout` and `whoami`: the login of a person, shared with the Python client.
 */
import type { Command } from "commander";
import type { Terminal } from "../console/terminal.ts";
import { type JsonOption, onServer, type ServerOptions, withJson } from "./options.ts";

export function accountVerbs(tiled: Command, terminal: Terminal): void {
  withJson(onServer(tiled.command("whoami")))
    .description("show the identity that you are logged in with")
    .action(async (options: ServerOptions & JsonOption) =>
      (await import("./whoami.ts")).whoami(options, terminal),
    );
}
