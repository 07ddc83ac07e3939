/**
 * The error message for a file named in the configuration that cannot be read, with the remedy.
 */
import { resolve } from "node:path";

/** `written`: the path as given; relative paths start from the working directory. */
export function unreadable(written: string, error: unknown): string {
  const file = resolve(written);
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return file === written
        ? `there is no file ${file}. Correct the path, or put the file there.`
        : `there is no file ${file}. Correct the path, or put the file there: ${written} is relative to the folder in which the server was started.`;
    case "EACCES":
    case "EPERM":
      return `${file} cannot be read: permission denied. Allow the user that runs the server to read it.`;
    case "EISDIR":
      return `${file} is a folder, not a file.`;
    default:
      return `${file} cannot be read (${code ?? message}).`;
  }
}
