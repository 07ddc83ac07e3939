/**
 * Tells the operator once what is not served, and why. Names are quoted, since they may hold anything.
 */

import { printableJson } from "../../lib/printable.ts";
import { quoted } from "../../yaml/located.ts";

/** More are not remembered, so that they are not told either. */
const MAX_REMEMBERED = 100_000;

export class Skipped {
  readonly #warn: (message: string) => void;
  readonly #root: string;
  readonly #told = new Set<string>();

  constructor(root: string, warn: (message: string) => void) {
    this.#root = root;
    this.#warn = warn;
  }

  tell(place: readonly string[], why: string): void {
    const path = place.join("/");
    const what = `${path}\0${why}`;
    if (this.#told.has(what) || this.#told.size > MAX_REMEMBERED) return;
    this.#told.add(what);
    if (this.#told.size > MAX_REMEMBERED) {
      this.#warn(`Skipped in ${quoted(this.#root)}: too many entries to tell; no further ones are told.`);
    } else this.#warn(`Skipped in ${quoted(this.#root)}: ${quotedPath(path)}: ${why}.`);
  }
}

/** In full: a path that is cut would not be found. */
function quotedPath(path: string): string {
  return `'${printableJson(JSON.stringify(path)).slice(1, -1)}'`;
}
