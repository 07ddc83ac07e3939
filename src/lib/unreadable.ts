/**
 * The sentence about a file that the configuration names and that cannot be read, with the way on.
 */
import { resolve } from "node:path";

/** `written`: the path as it was given, where it starts at the folder that the process was started in. */
export function unreadable(written: string, error: unknown): string {
  const file = resolve(written);
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return file === written
        ? `there is no file ${file}. Correct the path, or put the file there.`
        : `there is no file ${file}. Correct the path, or put the file there: ${written} starts at the folder that the server is started in.`;
    case "EACCES":
    case "EPERM":
      return `${file} cannot be read: permission denied. Allow the user that runs the server to read it.`;
    case "EISDIR":
      return `${file} is a folder, not a file.`;
    default:
      return `${file} cannot be read (${code ?? message}).`;
  }
}
