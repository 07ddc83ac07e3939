/**
 * Warns the operator once about each entry that is not served, and why. Names are quoted because they may contain anything.
 */

import { printableJson } from "../../lib/printable.ts";
import { quoted } from "../../yaml/located.ts";

/** Later entries are neither remembered nor reported. */
const MAX_REMEMBERED = 100_000;

export class Skipped {
  readonly #warn: (message: string) => void;
  readonly #root: string;
  readonly #told = new Set<string>();

  constructor(root: string, warn: (message: string) => void) {
    this.#root = root;
    this.#warn = warn;
  }

  tell(path: readonly string[], why: string): void {
    const joined = path.join("/");
    const what = `${joined}\0${why}`;
    if (this.#told.has(what) || this.#told.size > MAX_REMEMBERED) return;
    this.#told.add(what);
    if (this.#told.size > MAX_REMEMBERED) {
      this.#warn(
        `Skipped in ${quoted(this.#root)}: there are too many to list; further entries are not reported.`,
      );
    } else this.#warn(`Skipped in ${quoted(this.#root)}: ${quotedPath(joined)}: ${why}.`);
  }
}

/** Not shortened, so that the operator can find the file. */
function quotedPath(path: string): string {
  return `'${printableJson(JSON.stringify(path)).slice(1, -1)}'`;
}
