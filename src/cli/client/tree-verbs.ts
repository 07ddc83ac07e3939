/**
 * `tiled tree`: the names of a server's entries.
 */
import type { Command } from "commander";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import { whole } from "../console/values.ts";
import { onServer, type ServerOptions } from "./options.ts";

export function treeVerb(tiled: Command, terminal: Terminal): void {
  describe(onServer(tiled.command("tree")), {
    examples: ["tiled tree", "tiled tree 100 --url https://tiled.example.org"],
    exitCodes: ["4 a login is needed, and there is no terminal to ask on"],
  })
    .description("show the names of a server's entries as a tree")
    .argument("[lines]", "show at most this many", whole, 20)
    .action(async (lines: number, options: ServerOptions) =>
      (await import("./tree.ts")).tree(lines, options, terminal),
    );
}
