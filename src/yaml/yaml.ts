/**
 * YAML text to located values. Plain words are read as PyYAML reads them (YAML 1.1: `yes`, `0x10`, merge keys), since the
 * files are Tiled's. Works on the parser's nodes, so that aliases are counted and no key is special. The parser's own
 * messages quote the file, which may hold secrets: only their codes are used (`excerpt.ts`).
 */
import {
  type Document,
  type DocumentOptions,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParseOptions,
  parseDocument,
  type SchemaOptions,
  type Tags,
  type YAMLError,
} from "yaml";
import { excerpt, type ShownKeys, shownKeys } from "./excerpt.ts";
import {
  type Located,
  type LocatedEntry,
  type LocatedMapping,
  type Path,
  quoted,
  type Spot,
} from "./located.ts";
import type { Problems } from "./problems.ts";
import type { Shape } from "./words.ts";

const MAX_NODES = 100_000;
const MAX_DEPTH = 64;
const MAX_SYNTAX_ERRORS = 10;

const SYNTAX: Partial<Record<YAMLError["code"], string>> = {
  BAD_DQ_ESCAPE:
    'an escape in double quotes that YAML does not know; use single quotes, or write "\\\\" for a backslash',
  BAD_INDENT: "the indentation does not fit the lines above, or a bracket is not closed",
  BAD_SCALAR_START: "text begins with a character that YAML reserves; put it in quotes",
  BLOCK_AS_IMPLICIT_KEY:
    "a key and its value begin where a value was expected; check the indentation and the colons (text with a colon and a space in it needs quotes)",
  BLOCK_IN_FLOW: "a block begins inside of [ ] or { } (text with a colon and a space in it needs quotes)",
  MISSING_CHAR: "a closing quote, a bracket, a comma, a colon or a space is missing",
  MULTILINE_IMPLICIT_KEY: "a key runs over several lines; a colon or a quote may be missing",
  MULTIPLE_DOCS: "the file has several YAML documents (a line '---' or '...'); it must be one",
  NON_STRING_KEY: "a key is a list or a mapping; a key must be text",
  RESOURCE_EXHAUSTION: "values are nested too deeply",
  TAB_AS_INDENT: "a tab indents this line; YAML allows spaces only",
  TAG_RESOLVE_FAILED:
    "a tag (a word that begins with '!') is not known here; if it is meant as text, put it in quotes",
};

/** Options that make the parser read as PyYAML does. */
export const PYYAML: DocumentOptions & ParseOptions & SchemaOptions = {
  version: "1.1",
  customTags: (tags) => readAsPyYaml(tags),
  stringKeys: true,
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: "error",
};

/**
 * Undefined, with problems added, if the text is not a mapping in one YAML document. `shape`: the file's schema, whose
 * keys an excerpt may show.
 */
export function parseYaml(
  text: string,
  file: string,
  problems: Problems,
  shape: Shape = {},
): LocatedMapping | undefined {
  const lines = new LineCounter();
  const source = text.split("\n");
  const spotAt = (offset: number): Spot => ({ file, line: Math.max(1, lines.linePos(offset).line) });
  let document: Document;
  try {
    document = parseDocument(text, { ...PYYAML, lineCounter: lines });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.add({ file, line: 1 }, [], "values are nested too deeply");
    return undefined;
  }
  const errors = [...document.errors, ...document.warnings];
  const tabbed = errors.length > 0 ? tabbedLine(text) : undefined;
  // One slip gives several errors of its line; the first says most.
  const told = new Set<number>();
  const keys: ShownKeys = errors.length > 0 ? shownKeys(shape) : new Map();
  for (const error of errors) {
    const place = lines.linePos(beforeEnd(text, error.pos[0]));
    const spot = { file, line: Math.max(1, place.line) };
    if (told.has(spot.line)) continue;
    if (told.add(spot.line).size > MAX_SYNTAX_ERRORS) break;
    const message = tabbed === spot.line ? SYNTAX.TAB_AS_INDENT : SYNTAX[error.code];
    const shown = excerpt({
      text: source[spot.line - 1] ?? "",
      column: place.col - 1,
      above: source.slice(0, spot.line - 1),
      keys,
    });
    const indented = shown.map((line) => `\n    ${line}`);
    problems.add(spot, [], `not valid YAML: ${message ?? "this is not expected here"}${indented.join("")}`);
  }
  if (errors.length > 0) return undefined;
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) {
    problems.add({ file, line: 1 }, [], "the file is empty. It must be a mapping (lines 'key: value').");
    return undefined;
  }
  const located = new Reader(spotAt, problems).read(root as Node, { file, line: 1 }, [], 0);
  if (located === undefined || located.kind === "mapping") return located;
  const found = located.kind === "list" ? "a list" : "a single value";
  problems.add(located.spot, [], `the file must be a mapping (lines 'key: value'), not ${found}.`);
  return undefined;
}

/** An error at the end of the file is reported after the last word, not on the empty lines below. */
function beforeEnd(text: string, offset: number): number {
  return Math.min(offset, text.trimEnd().length);
}

/** The line of a tab in an indentation, which the parser reports under several codes. */
function tabbedLine(text: string): number | undefined {
  const index = text.split("\n").findIndex((line) => /^ *\t+ *[^\s#]/.test(line));
  return index < 0 ? undefined : index + 1;
}

/** PyYAML does not read `y` and `n` as booleans, and its safe loader makes no sets, pairs or bytes. */
export function readAsPyYaml(tags: Tags): Tags {
  const kept: Tags = [];
  for (const tag of tags) {
    if (typeof tag === "string") kept.push(tag);
    else if (tag.tag === "tag:yaml.org,2002:bool" && "test" in tag && tag.test !== undefined) {
      kept.push({
        ...tag,
        test: tag.test.test("yes")
          ? /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/
          : /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/,
      });
    } else if (!/:(?:binary|omap|pairs|set)$/.test(tag.tag)) kept.push(tag);
  }
  return kept;
}

/** `name:value` or `name value` between braces, which YAML reads as a key without a value. The rest may be a secret. */
const BEGUN_KEY = /^[^\s:"']+(?=:[^/\s]|[\s"'])/;
const NO_COLON = "not followed by a colon and a space. Between braces, too, each pair is 'key: value'.";

class Stop extends Error {}

class Reader {
  readonly #spotAt: (offset: number) => Spot;
  readonly #problems: Problems;
  readonly #anchors = new Map<string, { readonly value: Located; readonly nodes: number }>();
  #nodes = 0;

  constructor(spotAt: (offset: number) => Spot, problems: Problems) {
    this.#spotAt = spotAt;
    this.#problems = problems;
  }

  /** `spot`: the key of a collection. */
  read(root: Node, spot: Spot, path: Path, depth: number): Located | undefined {
    try {
      return this.#node(root, spot, path, depth);
    } catch (error) {
      if (error instanceof Stop) return undefined;
      throw error;
    }
  }

  #node(node: Node | null, spot: Spot, path: Path, depth: number): Located {
    if (node === null) return { kind: "scalar", spot, value: null, origin: "file" };
    if (depth > MAX_DEPTH) this.#stop(spot, path, "values are nested too deeply");
    if (isAlias(node)) return this.#alias(node.source, this.#spot(node, spot), path);
    const before = this.#nodes;
    this.#count(1, spot, path);
    const value = this.#value(node, spot, path, depth);
    const anchor = "anchor" in node ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, { value, nodes: this.#nodes - before });
    return value;
  }

  #value(node: Node, spot: Spot, path: Path, depth: number): Located {
    if (isMap(node)) {
      const entries = new Map<string, LocatedEntry>();
      const merged: Located[] = [];
      for (const pair of node.items) {
        const key = pair.key as Node;
        const keySpot = this.#spot(key, spot);
        const name = isScalar(key) ? String(key.value ?? "") : "";
        const begun = pair.value === null && isScalar(key) && key.type === "PLAIN" && BEGUN_KEY.exec(name);
        if (begun) {
          this.#problems.add(keySpot, path, `${quoted(begun[0])} is ${NO_COLON}`);
          continue;
        }
        const value = this.#node(pair.value as Node | null, keySpot, [...path, name], depth + 1);
        if (name === "<<" && isScalar(key) && key.type === "PLAIN")
          merged.push(...this.#mergeable(value, [...path, name]));
        else if (entries.has(name)) this.#twice(keySpot, entries.get(name)?.keySpot, [...path, name]);
        else entries.set(name, { keySpot, value });
      }
      for (const source of merged) {
        if (source.kind !== "mapping") continue;
        for (const [name, entry] of source.entries) if (!entries.has(name)) entries.set(name, entry);
      }
      return { kind: "mapping", spot, entries };
    }
    if (isSeq(node)) {
      const items = node.items.map((item, index) => {
        const child = item as Node | null;
        return this.#node(
          child,
          child === null ? spot : this.#spot(child, spot),
          [...path, index],
          depth + 1,
        );
      });
      return { kind: "list", spot, items };
    }
    const value = isScalar(node) ? node.value : null;
    // The place of an empty value is that of its key, not of the next token.
    const own = value === null ? spot : this.#spot(node, spot);
    if (
      typeof value === "string" ||
      typeof value === "number" ||
      typeof value === "boolean" ||
      value instanceof Date
    ) {
      return { kind: "scalar", spot: own, value, origin: "file" };
    }
    return { kind: "scalar", spot: own, value: value === null ? null : String(value), origin: "file" };
  }

  #alias(name: string, spot: Spot, path: Path): Located {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      return this.#stop(
        spot,
        path,
        "an alias (a word that begins with '*') names no anchor before it; if it is meant as text, put it in quotes",
      );
    }
    this.#count(target.nodes, spot, path);
    const { value } = target;
    return value.kind === "scalar" ? { ...value, spot, origin: "alias" } : { ...value, spot };
  }

  #mergeable(value: Located, path: Path): readonly Located[] {
    const sources = value.kind === "list" ? value.items : [value];
    for (const source of sources) {
      if (source.kind !== "mapping") this.#problems.add(source.spot, path, "only a mapping can be merged.");
    }
    return sources;
  }

  #twice(spot: Spot, first: Spot | undefined, path: Path): void {
    this.#problems.add(
      spot,
      path,
      `the key ${quoted(String(path.at(-1)))} is given twice, first in line ${first?.line ?? 0}. Remove one of them.`,
    );
  }

  #spot(node: Node, fallback: Spot): Spot {
    return node.range ? this.#spotAt(node.range[0]) : fallback;
  }

  /** An alias counts with all values that it stands for: a few lines must not become millions of values. */
  #count(nodes: number, spot: Spot, path: Path): void {
    this.#nodes += nodes;
    if (this.#nodes > MAX_NODES)
      this.#stop(spot, path, `more than ${MAX_NODES} values, those of aliases counted each time`);
  }

  #stop(spot: Spot, path: Path, message: string): never {
    this.#problems.add(spot, path.length > 20 ? path.slice(0, 20) : path, message);
    throw new Stop();
  }
}
