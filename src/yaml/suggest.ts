/**
 * Suggests a known name for a misspelled one. The search is in `lib/nearest.ts`, which the store uses as well.
 */
import { nearest } from "../lib/nearest.ts";
import { quoted } from "./located.ts";

export { nearest };

const MOST_RELATED = 4;
const SHORTEST_PART = 3;

/** " Did you mean 'toy'?", or "" if no name is near. Every scope to read is near to a scope like 'read:all'. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  const found = near !== undefined ? [near] : related(name, [...known]);
  if (found.length === 0 || found.length > MOST_RELATED) return "";
  return ` Did you mean ${found.map(quoted).join(" or ")}?`;
}

/** Names that end with this one after a prefix or begin with it; else those with the same prefix. */
function related(name: string, known: readonly string[]): readonly string[] {
  if (name.length < SHORTEST_PART) return [];
  const whole = known.filter((other) => other.endsWith(`:${name}`) || other.startsWith(`${name}_`));
  const [family, rest] = name.split(":", 2);
  if (whole.length > 0 || rest === undefined) return whole;
  return known.filter((other) => other.startsWith(`${family}:`));
}
