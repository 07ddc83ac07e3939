/**
 * Which new passwords are allowed (NIST SP 800-63B-4, section 3.1.1.2): long enough, not on a list of common ones, not a row of
 * keys or a repetition, not the person's own name. No kinds of characters are demanded, and passwords do not expire. What is
 * imported is not checked, since only its hash is known.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { OperatorError } from "../../errors.ts";
import { commonPasswords } from "./common.ts";

export const LONGEST_PASSWORD = 256;
/** Characters that must be left without names, and without rows of keys. */
const LEFT_WITHOUT_NAMES = 8;
const LEFT_WITHOUT_ROWS = 4;
const LONGEST_PIECE = 8;
const SHORTEST_ROW = 4;
/** A name of two letters is part of many good passwords. */
const SHORTEST_NAME = 3;
const LARGEST_FILE = 16 * 1_048_576;

export interface PolicyRules {
  readonly minLength: number;
  /** A file of the operator's with one password a line; null: none. */
  readonly blocklist: string | null;
}

const ROWS = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890",
  "qwertyuiop",
  "qwertzuiop",
  "azertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "yxcvbnm",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
  "1q2w3e4r5t6y7u8i9o0p",
].flatMap((row) => [row, [...row].reverse().join("")]);

/** Reads the operator's list. @throws OperatorError with the argument's key */
export async function readBlocklist(
  { blocklist }: PolicyRules,
  directory: string,
): Promise<ReadonlySet<string>> {
  if (blocklist === null) return new Set();
  const path = resolve(directory, blocklist);
  try {
    const text = await readFile(path, "utf8");
    if (text.length > LARGEST_FILE) throw new Error("it is longer than 16 MB");
    return new Set(
      text
        .split(/\r?\n/)
        .map(folded)
        .filter((line) => line !== ""),
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`args.password.blocklist: ${path} cannot be read: ${why}.`);
  }
}

/** The rule that a new password breaks, as a sentence for the person; undefined: none. `names`: of the person and the site. */
export async function brokenRule(
  password: string,
  names: readonly string[],
  { minLength }: Pick<PolicyRules, "minLength">,
  blocklist: ReadonlySet<string>,
): Promise<string | undefined> {
  const text = password.normalize("NFKC");
  const length = [...text].length;
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) return "The password has control characters.";
  if (length < minLength) return `The password is too short: it needs ${minLength} characters.`;
  if (length > LONGEST_PASSWORD) return `The password is too long: at most ${LONGEST_PASSWORD} characters.`;
  const plain = folded(text);
  const core = plain.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
  const common = await commonPasswords();
  if ([plain, core].some((one) => one !== "" && (common.has(one) || blocklist.has(one))))
    return "This password is on a list of common passwords. Choose another one.";
  if (isRepeated(plain)) return "The password repeats the same few characters. Choose another one.";
  if (withoutRows(plain).length < LEFT_WITHOUT_ROWS)
    return "The password is a row of the alphabet or the keyboard. Choose another one.";
  if (withoutNames(plain, names).length < LEFT_WITHOUT_NAMES)
    return "The password is mostly your name or the name of this site. Choose another one.";
  return undefined;
}

function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase().trim();
}

/** Whether a piece of up to eight characters, repeated, is the whole; the last may be cut. */
function isRepeated(text: string): boolean {
  for (let size = 1; size <= LONGEST_PIECE && size * 2 <= text.length; size += 1) {
    if (text.slice(size) === text.slice(0, -size)) return true;
  }
  return false;
}

function withoutRows(text: string): string {
  let left = "";
  for (let at = 0; at < text.length; ) {
    const length = rowAt(text, at);
    if (length < SHORTEST_ROW) left += text[at];
    at += length < SHORTEST_ROW ? 1 : length;
  }
  return left;
}

/** Characters from here on that stand side by side in one of the rows. */
function rowAt(text: string, at: number): number {
  let longest = 0;
  for (const row of ROWS) {
    let length = longest + 1;
    while (at + length <= text.length && row.includes(text.slice(at, at + length))) length += 1;
    longest = Math.max(longest, length - 1);
  }
  return longest;
}

function withoutNames(text: string, names: readonly string[]): string {
  const words = names.flatMap((name) => [name, ...name.split(/[^\p{L}\p{N}]+/u)]).map(folded);
  const known = [...new Set(words)].filter((word) => word.length >= SHORTEST_NAME);
  let left = text;
  for (const word of known.sort((one, other) => other.length - one.length)) left = left.replaceAll(word, "");
  return left;
}
