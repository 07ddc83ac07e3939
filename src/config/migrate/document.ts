/**
 * A configuration as YAML nodes with comments, to be divided: one file, or a folder merged as at a start. Aliases and merge
 * keys are expanded, since their anchors may go to the other file. Variables stay.
 */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  visit,
  YAMLMap,
  type YAMLSeq,
} from "yaml";
import { JOINED, readSource, readText, sourceFiles } from "../../yaml/files.ts";
import { ConfigError, Problems } from "../../yaml/problems.ts";
import { PYYAML, readAsPyYaml } from "../../yaml/yaml.ts";
import { FILE_SHAPE } from "../schema.ts";

export interface SourceDocument {
  readonly document: Document;
  readonly root: YAMLMap;
  readonly files: readonly string[];
  /** The folder that relative paths of the configuration start from. */
  readonly directory: string;
  /** The permissions that all the files have. */
  readonly mode: number;
}

/** Numbers and booleans are written as they were read: PyYAML reads some other spellings as text. */
const AS_WRITTEN: typeof PYYAML = {
  ...PYYAML,
  customTags: (tags) =>
    readAsPyYaml(tags).map((tag) => {
      if (typeof tag === "string" || !("test" in tag) || tag.stringify === undefined) return tag;
      const { stringify } = tag;
      return { ...tag, stringify: (item, ...rest) => item.source ?? stringify(item, ...rest) };
    }),
};

/** Throws a `ConfigError` if it cannot be read. */
export function readDocument(path: string): SourceDocument {
  const problems = new Problems();
  const found = sourceFiles(path, problems);
  // The source is read twice.
  if (found?.files.some((file) => statSync(file).isFIFO()))
    problems.add({ file: path, line: 0 }, [], "a pipe cannot be read twice. Give the name of a file");
  // Reports the same errors in the YAML as a start.
  if (found !== undefined && problems.all.length === 0) readSource(path, problems, FILE_SHAPE);
  if (found === undefined || problems.all.length > 0) throw new ConfigError(problems.all);
  const parts = found.files.map((file) => {
    const document = parseDocument(readText(file, problems) ?? "", AS_WRITTEN);
    writeOut(document);
    return document;
  });
  const [document] = parts;
  if (document === undefined || !isMap(document.contents)) throw new ConfigError(problems.all);
  const root = document.contents as YAMLMap;
  for (const part of parts.slice(1)) join(root, part);
  const absolute = resolve(path);
  return {
    document,
    root,
    files: found.files,
    directory: found.folder ? absolute : dirname(absolute),
    mode: found.files.map((file) => statSync(file).mode & 0o777).reduce((all, mode) => all & mode, 0o777),
  };
}

function join(root: YAMLMap, part: Document): void {
  if (!isMap(part.contents)) return;
  for (const pair of part.contents.items as Pair<Node, Node>[]) {
    const key = keyOf(pair);
    const old = root.get(key, true) as unknown;
    if (JOINED.has(key) && isSeq(old) && isSeq(pair.value)) old.items.push(...(pair.value as YAMLSeq).items);
    else root.items.push(pair as never);
  }
}

export function keyOf(pair: { readonly key: unknown }): string {
  return isScalar(pair.key) ? String(pair.key.value ?? "") : String(pair.key);
}

/** Expands aliases, whose number was limited when the file was read. */
function writeOut(document: Document): void {
  visit(document, {
    Alias: (_key, alias) => (alias.resolve(document)?.clone() as Node | undefined) ?? visit.REMOVE,
  });
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) delete node.anchor;
      if (isMap(node)) merge(node);
    },
  });
}

function merge(map: YAMLMap): void {
  const isMerge = (pair: Pair) => keyOf(pair) === "<<" && isScalar(pair.key) && pair.key.type === "PLAIN";
  const merged = map.items.filter(isMerge);
  if (merged.length === 0) return;
  map.items = map.items.filter((pair) => !isMerge(pair));
  for (const { value } of merged) {
    for (const source of isSeq(value) ? value.items : [value]) {
      if (!(source instanceof YAMLMap)) continue;
      merge(source);
      for (const pair of source.items) if (!map.has(keyOf(pair))) map.items.push(pair);
    }
  }
}
