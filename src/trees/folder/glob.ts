/**
 * Patterns of paths: `*` matches anything within a name, `**` anything across names, and `**` + `/` any number of folders,
 * including zero. Matching takes time proportional to the length of the pattern times that of the path.
 */

/** Tests a whole path such as `run1/A`; "" is the root. */
export type Matcher = (path: string) => boolean;

type Token =
  | { readonly kind: "text"; readonly character: string }
  /** `name`: no slash; `path`: anything; `folders`: nothing, or anything that ends with a slash. */
  | { readonly kind: "name" | "path" | "folders" };

/** Compiles a pattern. */
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

/** Walks along the path once, with the set of all pattern positions that could have been reached. */
function matches(tokens: readonly Token[], path: string): boolean {
  let positions = reached(tokens, [0], true);
  for (const character of path.split("")) {
    const next: number[] = [];
    for (const position of positions) {
      const token = tokens[position];
      if (token === undefined) continue;
      if (token.kind === "text") {
        if (token.character === character) next.push(position + 1);
      } else if (token.kind !== "name" || character !== "/") next.push(position);
    }
    if (next.length === 0) return false;
    positions = reached(tokens, next, character === "/");
  }
  return positions.has(tokens.length);
}

/** Adds the positions reachable from these without consuming a character. */
function reached(
  tokens: readonly Token[],
  positions: readonly number[],
  atStartOfName: boolean,
): Set<number> {
  const all = new Set(positions);
  // Iterating over a Set also visits items added meanwhile.
  for (const position of all) {
    const kind = tokens[position]?.kind;
    if (kind === "name" || kind === "path" || (kind === "folders" && atStartOfName)) all.add(position + 1);
  }
  return all;
}
