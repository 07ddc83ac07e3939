/** Command lines that a message tells to run. */
import { isAbsolute, relative, resolve } from "node:path";

/** Quoted for a shell. */
export function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** From the working directory; the same file otherwise, if it is outside. */
export function shownPath(file: string): string {
  const path = relative(".", file) || ".";
  return path.startsWith("..") ? resolve(file) : path;
}

/** A command line in the working directory. `command`: of the terminal. */
export function commandLine(command: readonly string[], ...args: readonly string[]): string {
  const [program = "", ...rest] = command;
  return [rest.length === 0 && isAbsolute(program) ? scriptOf(program) : program, ...rest, ...args]
    .map(shellWord)
    .join(" ");
}

/** A file in the working directory itself is run as `./file`. */
function scriptOf(file: string): string {
  const path = shownPath(file);
  return /[/\\]/.test(path) ? path : `./${path}`;
}
