/**
 * Who works on the command line, as far as the operating system tells.
 */
import { userInfo } from "node:os";

/** A user that the machine has no name for, as in a container, is a number. */
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
