/**
 * Patterns of paths: `*` stands for anything within a name, `**` for anything across names, and `**` + `/` for any number of
 * folders, none included. Matching takes at most as long as pattern and path are long, multiplied.
 */

/** Whether a path (`run1/A`, "" is the root) matches as a whole. */
export type Matcher = (path: string) => boolean;

type Token =
  | { readonly kind: "text"; readonly character: string }
  /** Anything without a slash, anything at all, or nothing and anything that ends with a slash. */
  | { readonly kind: "name" | "path" | "folders" };

export function matcher(pattern: string): Matcher {
  const tokens = read(pattern);
  const firstWildcard = tokens.findIndex(({ kind }) => kind !== "text");
  const prefix = pattern.slice(0, firstWildcard < 0 ? pattern.length : firstWildcard);
  if (firstWildcard < 0) return (path) => path === pattern;
  return (path) => path.startsWith(prefix) && matches(tokens, path);
}

function read(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? "";
    if (character !== "*") tokens.push({ kind: "text", character });
    else if (pattern[at + 1] !== "*") tokens.push({ kind: "name" });
    else {
      const begins = at === 0 || pattern[at - 1] === "/";
      while (pattern[at + 1] === "*") at += 1;
      if (begins && pattern[at + 1] === "/") {
        tokens.push({ kind: "folders" });
        at += 1;
      } else tokens.push({ kind: "path" });
    }
  }
  return tokens;
}

/** Goes along the path once, with all the places of the pattern that it may have come to. */
function matches(tokens: readonly Token[], path: string): boolean {
  let places = reached(tokens, [0], true);
  for (const character of path.split("")) {
    const next: number[] = [];
    for (const place of places) {
      const token = tokens[place];
      if (token === undefined) continue;
      if (token.kind === "text") {
        if (token.character === character) next.push(place + 1);
      } else if (token.kind !== "name" || character !== "/") next.push(place);
    }
    if (next.length === 0) return false;
    places = reached(tokens, next, character === "/");
  }
  return places.has(tokens.length);
}

/** With the places that are as good as reached, since what stands before them may stand for nothing. */
function reached(tokens: readonly Token[], places: readonly number[], atStartOfName: boolean): Set<number> {
  const all = new Set(places);
  // A set that grows while it is gone through is gone through to its new end.
  for (const place of all) {
    const kind = tokens[place]?.kind;
    if (kind === "name" || kind === "path" || (kind === "folders" && atStartOfName)) all.add(place + 1);
  }
  return all;
}
