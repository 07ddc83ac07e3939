/** Passwords that a command makes, to be typed by people. */
import { randomBytes } from "node:crypto";

/** Without 0, 1, l and o, which look alike. 32 letters and digits, so that each is equally likely. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/** Sixty random bits, in groups that are easy to type. */
export function newPassword(): string {
  const characters = [...randomBytes(12)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return characters.replace(/(.{4})(?=.)/g, "$1-");
}
