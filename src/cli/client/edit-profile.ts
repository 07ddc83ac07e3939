/**
 * `tiled profile edit`: opens a profile's file in an editor and checks it afterwards.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { userProfileFolders } from "../../client/node/folders.ts";
import { profileFilesIn, readProfileFile } from "../../client/node/profiles.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import { noProfile } from "./profiles.ts";
import { knownProfiles, placeOf } from "./server.ts";

export async function edit(name: string, terminal: Terminal): Promise<void> {
  const known = (await knownProfiles(terminal)).get(name);
  const file = known?.file ?? (await brokenFileWith(name, terminal));
  if (file === null) throw noProfile(name);
  const editor = editorOf(terminal);
  terminal.err(`Opening ${printable(file)} in ${printable(editor)}...`);
  await run(editor, file, terminal);
  const read = await readProfileFile(file, terminal.env);
  if (read.kind === "problem")
    throw new OperatorError(
      `${printable(file)} is not usable: ${printable(read.problem)}.`,
      1,
      `Your text is kept. 'tiled profile edit ${printable(name)}' opens it again.`,
    );
  if (!read.contents.has(name))
    terminal.err(`warning: ${printable(file)} no longer has a profile '${printable(name)}'.`);
}

/** A file that an earlier edit left broken, so that it can be mended. */
async function brokenFileWith(name: string, terminal: Terminal): Promise<string | null> {
  for (const folder of userProfileFolders(placeOf(terminal))) {
    for (const file of await profileFilesIn(folder)) {
      const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
      if (lines.some((line) => line.replaceAll(/["']/g, "").startsWith(`${name}:`))) return file;
    }
  }
  return null;
}

function editorOf({ env, input }: Terminal): string {
  const editor = env["VISUAL"]?.trim() || env["EDITOR"]?.trim();
  if (editor) return editor;
  if (input.isTTY === true) return process.platform === "win32" ? "notepad" : "vi";
  throw new OperatorError("No editor is set.", 1, "Set VISUAL or EDITOR, e.g. EDITOR=nano.");
}

/** `editor` may have arguments, e.g. `code --wait`. */
async function run(editor: string, file: string, { env, events }: Terminal): Promise<void> {
  // Ctrl-C belongs to the editor.
  const ignore = () => {};
  events.on("SIGINT", ignore);
  try {
    const options = { stdio: "inherit", env } as const;
    const child =
      process.platform === "win32"
        ? spawn(`${editor} "${file}"`, { ...options, shell: true })
        : spawn("/bin/sh", ["-c", `${editor} "$@"`, editor, file], options);
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new OperatorError(`The editor '${printable(editor)}' ended with an error.`);
  } finally {
    events.off("SIGINT", ignore);
  }
}
