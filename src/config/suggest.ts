/**
 * The sentence that suggests a name for a misspelt one. The search itself is in `lib`, since the store suggests names, too.
 */
import { nearest } from "../lib/nearest.ts";
import { quoted } from "./located.ts";

export { nearest };

/** " Did you mean 'toy'?", or "" where nothing is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  return near === undefined ? "" : ` Did you mean ${quoted(near)}?`;
}
