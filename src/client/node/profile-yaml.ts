/**
 * The text of a file of profiles, as the Python client reads and writes it: YAML 1.1, with `$NAME` and `${NAME}` in values
 * standing for environment variables.
 */
import { isDeepStrictEqual } from "node:util";
import type * as Yaml from "yaml";
import type { Environment } from "./folders.ts";

/** As in the file: `uri`, `verify`, `headers`, `timeout` and those of the Python client. */
export type ProfileContent = Readonly<Record<string, unknown>>;

export type ProfileFile =
  | { readonly kind: "contents"; readonly contents: ReadonlyMap<string, ProfileContent> }
  | { readonly kind: "problem"; readonly problem: string };

/** The library, which the caller has loaded. */
type Library = Pick<typeof Yaml, "isMap" | "isNode" | "isScalar" | "parseDocument" | "stringify">;

const KEYS = new Set(
  "uri username auth_provider headers direct structure_clients cache timeout token_cache max_connections verify".split(
    " ",
  ),
);

/** The last of two equal keys counts, as in Python. */
const READ = { version: "1.1", uniqueKeys: false, prettyErrors: true, logLevel: "error" } as const;
const WRITE = { version: "1.1", singleQuote: true, indentSeq: false } as const;

export function parseProfiles(text: string, yaml: Library, env: Environment): ProfileFile {
  const document = yaml.parseDocument(text, READ);
  const [error] = document.errors;
  if (error !== undefined)
    return { kind: "problem", problem: `it is not valid YAML: ${firstLine(error.message)}` };
  const { contents: root } = document;
  if (!yaml.isMap(root)) return { kind: "problem", problem: "it has no profiles" };
  const contents = new Map<string, ProfileContent>();
  for (const { key, value } of root.items) {
    const name = nameOf(key, yaml);
    const content = contentOf(value, document, yaml);
    const problem = problemOf(content);
    if (problem !== null) return { kind: "problem", problem: `profile${shown(name)} ${problem}` };
    contents.set(name, expanded(content, env) as ProfileContent);
  }
  return { kind: "contents", contents };
}

/** The content of one profile, as the Python client shows it. */
export function profileYaml(content: ProfileContent, { stringify }: Library): string {
  return stringify(content, { ...WRITE, sortMapEntries: true });
}

/**
 * The text with another content for one profile, or with `null` without it. All other lines stay as they are. The text must be
 * empty, or have no problems. Null if that would change another profile, such as one that takes keys from this one (`*alias`).
 */
export function withProfile(
  text: string,
  name: string,
  content: ProfileContent | null,
  yaml: Library,
): string | null {
  const entry = content === null ? "" : yaml.stringify({ [name]: content }, WRITE);
  const before = parseProfiles(text, yaml, {});
  if (before.kind === "problem") return entry;
  const [start, end] = linesOf(name, text, yaml);
  const line = start > 0 && text[start - 1] !== "\n" ? "\n" : "";
  const changed = text.slice(0, start) + line + entry + text.slice(end);
  const after = parseProfiles(changed, yaml, {});
  if (after.kind === "problem") return null;
  const expected = new Map(before.contents);
  if (content === null) expected.delete(name);
  else expected.set(name, content);
  return isDeepStrictEqual(after.contents, expected) ? changed : null;
}

/** Where the lines of a profile begin and end, without comments and empty lines after them. At the end if there is none. */
function linesOf(name: string, text: string, yaml: Library): readonly [number, number] {
  const { contents: root } = yaml.parseDocument(text, READ);
  const starts = (yaml.isMap(root) ? root.items : []).map(({ key }) => ({
    name: nameOf(key, yaml),
    at: lineStart(text, yaml.isScalar(key) ? (key.range?.[0] ?? 0) : 0),
  }));
  const index = starts.findIndex((start) => start.name === name);
  const start = starts[index]?.at ?? text.length;
  const own = text.slice(start, starts[index + 1]?.at).split(/(?<=\n)/);
  while (/^(?:#.*|\s*)$/.test(own.at(-1)?.trimEnd() ?? "x")) own.pop();
  return [start, start + own.join("").length];
}

function lineStart(text: string, at: number): number {
  return text.slice(0, at).lastIndexOf("\n") + 1;
}

/** Without excerpts of the file, which may have an API key: they follow a colon, with the place after them. */
function firstLine(message: string): string {
  const [line = ""] = message.split("\n", 1);
  const [place = ""] = / at line \d+, column \d+:?$/.exec(line) ?? [];
  return `${line.replace(/:.*/, "").replace(place, "")}${place.replace(/:$/, "")}`;
}

/** Only a plain key is shown, since text with a misplaced colon or bracket may have an API key. */
function shown(key: string): string {
  return /^[\w.-]{1,40}$/.test(key) ? ` ${JSON.stringify(key)}` : "";
}

/** As written: YAML 1.1 takes `1` and `on` for other than text, and the command line has names as text. */
function nameOf(key: unknown, { isScalar }: Library): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : String(key);
}

/** Null for one with an alias that leads nowhere. */
function contentOf(value: unknown, document: Yaml.Document.Parsed, { isNode }: Library): unknown {
  try {
    return isNode(value) ? value.toJS(document) : value;
  } catch {
    return null;
  }
}

function problemOf(content: unknown): string | null {
  if (!isMapping(content)) return "has no keys";
  const unknown = Object.keys(content).find((key) => !KEYS.has(key));
  if (unknown !== undefined) return `has the unknown key${shown(unknown)}`;
  if (typeof content["uri"] !== "string" && !isMapping(content["direct"])) return "has no uri";
  return null;
}

function expanded(value: unknown, env: Environment): unknown {
  if (typeof value === "string")
    return value.replace(
      /\$(?:\{([^}]*)\}|([A-Za-z0-9_]+))/g,
      (whole, braced, plain) => env[braced ?? plain] ?? whole,
    );
  if (Array.isArray(value)) return value.map((item) => expanded(item, env));
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expanded(item, env)]));
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
