/**
 * A parsed configuration whose values know their file and line, so that each error can name file, line and key path. `yaml.ts` makes one from a file, `config/environment.ts` from variables; nothing here knows YAML.
 */
import { printableJson } from "../lib/printable.ts";

/** A line of a file. Line 0: not in a file; `file` is then e.g. `environment variable TILED_SECRET_KEYS`. */
export interface Spot {
  readonly file: string;
  readonly line: number;
}

export interface LocatedMapping {
  readonly kind: "mapping";
  readonly spot: Spot;
  readonly entries: ReadonlyMap<string, LocatedEntry>;
}

export interface LocatedEntry {
  readonly keySpot: Spot;
  readonly value: Located;
}

interface LocatedList {
  readonly kind: "list";
  readonly spot: Spot;
  readonly items: readonly Located[];
}

export interface LocatedScalar {
  readonly kind: "scalar";
  readonly spot: Spot;
  readonly value: string | number | boolean | null | Date;
  /**
   * Messages show values from the file only: an alias may repeat the secret of another key. `unset`: a variable in it
   * could not be replaced, which is reported once.
   */
  readonly origin: "file" | "environment" | "alias" | "unset";
}

export type Located = LocatedMapping | LocatedList | LocatedScalar;

export type Path = readonly (string | number)[];

/** `authentication.providers[0].args`; keys with other characters than words have are quoted. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w-]{1,100}$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${quoted(step)}]`;
  }
  return text;
}

/** A key or name as messages show it: in quotes, on one line, at most 60 characters. */
export function quoted(name: string): string {
  const short = name.length > 60 ? `${name.slice(0, 60)}…` : name;
  return `'${printableJson(JSON.stringify(short)).slice(1, -1)}'`;
}

/** The value at a path, undefined if the path has none. */
export function at(root: Located, path: Path): Located | undefined {
  let node: Located | undefined = root;
  for (const step of path) {
    if (node?.kind === "mapping" && typeof step === "string") node = node.entries.get(step)?.value;
    else if (node?.kind === "list" && typeof step === "number") node = node.items[step];
    else return undefined;
  }
  return node;
}

/** The line of a path; of a missing key, the line of its parent. */
export function spotOf(root: Located, path: Path): Spot {
  for (let length = path.length; length > 0; length--) {
    const node = at(root, path.slice(0, length));
    if (node !== undefined) return node.spot;
  }
  return root.spot;
}

/** The same tree with a value at a path of keys. Missing and null mappings on the way are created. */
export function withValue(root: Located, path: readonly string[], value: Located): Located {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (isNothing(root)) return withValue(emptyMapping(root.spot), path, value);
  if (root.kind !== "mapping") return root;
  const old = root.entries.get(key);
  const child = withValue(old?.value ?? emptyMapping(value.spot), rest, value);
  const entries = new Map(root.entries).set(key, { keySpot: old?.keySpot ?? value.spot, value: child });
  return { ...root, entries };
}

/** `over` laid on `under`: mappings are merged key by key, everything else is replaced. */
export function overlay(under: Located, over: Located): Located {
  if (under.kind !== "mapping" || over.kind !== "mapping") return over;
  const entries = new Map(under.entries);
  for (const [key, entry] of over.entries) {
    const old = entries.get(key);
    entries.set(key, old === undefined ? entry : { ...entry, value: overlay(old.value, entry.value) });
  }
  return { ...under, entries };
}

export function emptyMapping(spot: Spot): LocatedMapping {
  return { kind: "mapping", spot, entries: new Map() };
}

export function isNothing(node: Located): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** Values of JSON, all with one place and one origin. */
export function locate(value: unknown, spot: Spot, origin: LocatedScalar["origin"]): Located {
  if (Array.isArray(value)) {
    return { kind: "list", spot, items: value.map((item) => locate(item, spot, origin)) };
  }
  if (typeof value === "object" && value !== null) {
    const entries = new Map<string, LocatedEntry>();
    for (const [key, item] of Object.entries(value)) {
      entries.set(key, { keySpot: spot, value: locate(item, spot, origin) });
    }
    return { kind: "mapping", spot, entries };
  }
  const scalar =
    typeof value === "number" || typeof value === "boolean" || value === null ? value : String(value);
  return { kind: "scalar", spot, value: scalar, origin };
}

/** The plain value, without places. `__proto__` becomes an ordinary key. */
export function plain(node: Located): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  const result: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) define(result, key, plain(entry.value));
  return result;
}

/** Sets a key without ever touching the prototype. */
export function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}
