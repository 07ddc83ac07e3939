/**
 * The operating system's name of the user on the command line.
 */
import { userInfo } from "node:os";

/** The number of a user without a name, as in a container. */
export function operatorName(
  look: () => { readonly username: string } = userInfo,
  uid: number | null = process.getuid?.() ?? null,
): string {
  try {
    return look().username;
  } catch {
    return uid === null ? "unknown" : String(uid);
  }
}
