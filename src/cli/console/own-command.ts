/**
 * How the command that runs was started, in a form that works in every folder and in another terminal, for messages that say
 * what to run next.
 */
import { accessSync, constants, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";

/** Where a build has the command, below the folder of the package. */
const BUILT = join("dist", "src", "bin.js");

/**
 * A clone's own script, or the name of a command on the PATH, or else the program and its file. npm puts `node_modules/.bin` on the
 * PATH of `npx` only.
 */
export function ownCommand(
  [program = "", file = ""]: readonly string[],
  path = process.env["PATH"] ?? "",
): readonly string[] {
  const real = realOf(file);
  if (real.endsWith(BUILT)) {
    const script = join(real.slice(0, -BUILT.length), "tiled");
    if (runs(script)) return [script];
  }
  const folder = dirname(file);
  if (
    real !== file &&
    !folder.endsWith(join("node_modules", ".bin")) &&
    path.split(delimiter).includes(folder)
  )
    return [basename(file)];
  return [program, file];
}

function realOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return process.platform !== "win32";
  } catch {
    return false;
  }
}
