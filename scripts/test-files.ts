/**
 * Finds the tests, and among them the unit tests: files that start no other program. A file starts one if it, or a helper in
 * `test/` that it imports, imports one of `STARTERS`; so imports decide, and there is no list to maintain.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseSync } from "oxc-parser";

const STARTERS = /^(?:node:child_process|node:cluster|playwright-core)$/;
const OPENING = /^\/\*\*([\s\S]*?)\*\//;
/** In a file's opening comment, with the reason: it measures its process, or changes global state. */
const ALONE = /\bIn a\s+process\s+of\s+its\s+own\b/;

export interface TestFiles {
  readonly unit: readonly string[];
  /** Unit tests that need their own process. */
  readonly alone: readonly string[];
  readonly others: readonly string[];
}

/** Sorted paths below `root` that start with `under`; empty: all. */
export function testFiles(root: string, under: readonly string[] = []): TestFiles {
  const known = new Map<string, boolean>();
  const files = globSync("test/**/*.test.ts", { cwd: root })
    .filter((file) => under.length === 0 || under.some((path) => file.startsWith(path)))
    .sort();
  const others = files.filter((file) => startsPrograms(join(root, file), join(root, "test"), known));
  const within = files.filter((file) => !others.includes(file));
  const alone = within.filter((file) => {
    const [, opening = ""] = OPENING.exec(readFileSync(join(root, file), "utf8")) ?? [];
    return ALONE.test(opening.replaceAll(" * ", ""));
  });
  return { unit: within.filter((file) => !alone.includes(file)), alone, others };
}

/** `tests`: the folder in which imports are followed. */
function startsPrograms(file: string, tests: string, known: Map<string, boolean>): boolean {
  const answer = known.get(file);
  if (answer !== undefined) return answer;
  known.set(file, false);
  const starts = importsOf(file).some((name) => {
    if (STARTERS.test(name)) return true;
    const path = join(dirname(file), name);
    const helper = name.startsWith(".") && name.endsWith(".ts") && !relative(tests, path).startsWith("..");
    return helper && startsPrograms(path, tests, known);
  });
  known.set(file, starts);
  return starts;
}

/** Type imports do not count, since they are erased. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, "utf8");
  const { staticImports, staticExports, dynamicImports } = parseSync(file, text).module;
  return [
    ...staticImports
      .filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType))
      .map(({ moduleRequest }) => moduleRequest.value),
    ...staticExports.flatMap(({ entries }) =>
      entries.filter(({ isType }) => !isType).map(({ moduleRequest }) => moduleRequest?.value ?? ""),
    ),
    ...dynamicImports.map(({ moduleRequest: { start, end } }) => text.slice(start + 1, end - 1)),
  ];
}
