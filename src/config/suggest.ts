/**
 * The sentence that suggests a name for a misspelt one. The search itself is in `lib`, since the store suggests names, too.
 */
import { nearest } from "../lib/nearest.ts";
import { quoted } from "./located.ts";

export { nearest };

const MOST_RELATED = 3;

/** " Did you mean 'toy'?", or "" where nothing is near. Of a scope like 'read:all' all that can be read are near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  const [family, rest] = name.split(":", 2);
  const related =
    near !== undefined
      ? [near]
      : [...known].filter((other) => rest !== undefined && other.startsWith(`${family}:`));
  if (related.length === 0 || related.length > MOST_RELATED) return "";
  return ` Did you mean ${related.map(quoted).join(" or ")}?`;
}
