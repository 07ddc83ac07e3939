/**
 * How the shells hand over the words of a line and take the answer. Answers are lines; the last one, with a colon, asks the shell for
 * names of files or folders.
 */
import type { Suggestion, Suggestions } from "./suggest.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The words up to the cursor, the last one to be completed. */
export interface Line {
  readonly words: readonly string[];
  /** Characters of the last word that the shell keeps: bash replaces only what follows a `=` or `:`. */
  readonly kept: number;
}

/**
 * @param index - of the word to complete, from 0, the command's name
 * @param current - as the shell has it
 */
export function lineOf(shell: Shell, words: readonly string[], index: number, current: string): Line {
  const before = words.slice(1, index);
  if (shell !== "bash") return { words: [...before, current], kept: 0 };
  const joined: string[] = [];
  let glued = false;
  const last = words[index] ?? "";
  for (const word of [...before, ...(isSeparator(last) ? [last] : []), current]) {
    const separator = isSeparator(word);
    const previous = joined.at(-1);
    if (previous !== undefined && (separator || glued)) joined[joined.length - 1] = previous + word;
    else joined.push(word);
    glued = separator;
  }
  return { words: joined, kept: Math.max(0, (joined.at(-1)?.length ?? 0) - current.length) };
}

/** Of the characters in COMP_WORDBREAKS only these occur in addresses and options. */
function isSeparator(word: string): boolean {
  return /^[=:]+$/.test(word);
}

export function answerOf(shell: Shell, { values, paths }: Suggestions, kept: number): readonly string[] {
  return [...values.map((one) => lineFor(shell, one, kept)), `:${paths}`];
}

function lineFor(shell: Shell, { value, description }: Suggestion, kept: number): string {
  if (shell === "bash") return value.slice(kept);
  if (description === "") return value.replaceAll(":", shell === "zsh" ? "\\:" : ":");
  return shell === "zsh" ? `${value.replaceAll(":", "\\:")}:${description}` : `${value}\t${description}`;
}
