/**
 * The name that the command was called by: `tiled`, or `tiled-auth` where it stands beside Python's `tiled`.
 */
import { basename } from "node:path";
import type { Terminal } from "./terminal.ts";

export function commandName({ command }: Pick<Terminal, "command">): "tiled" | "tiled-auth" {
  return basename(command.at(-1) ?? "") === "tiled-auth" ? "tiled-auth" : "tiled";
}

/** Commands in a text, in this name: a line's first word below an indentation (variables may stand before it), or after a quote. */
export function inOwnName(text: string, terminal: Pick<Terminal, "command">): string {
  return text.replaceAll(/(?<=^ +(?:[A-Z_]+=\S* )*|')tiled(?= \S)/gm, commandName(terminal));
}
