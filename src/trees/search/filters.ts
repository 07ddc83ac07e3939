/**
 * The queries that narrow a search by the keys, specs and metadata of a container's children. `http/tree/search.ts` reads them
 * from requests.
 */
import { isDeepStrictEqual } from "node:util";
import type { Entry, TreeNode } from "../model/contract.ts";

export type Filter = (entry: Entry) => boolean;

type Values = Readonly<Record<string, string>>;

interface FilterKind {
  /** All of them are required. */
  readonly fields: readonly string[];
  /** Returns the filter, or the field that is invalid. */
  make(values: Values): Filter | UnreadableField;
}

interface UnreadableField {
  readonly field: string;
  readonly type: string;
  readonly expected: string;
}

/** The queries by their name in `filter[NAME][condition][FIELD]`. */
export const FILTERS: Readonly<Record<string, FilterKind>> = {
  fulltext: {
    fields: ["text"],
    make: ({ text = "" }) => {
      const wanted = new Set(words(text));
      return ([, node]) =>
        strings(node.metadata).some((found) => words(found).some((word) => wanted.has(word)));
    },
  },
  lookup: {
    fields: ["key"],
    make:
      ({ key }) =>
      ([name]) =>
        name === key,
  },
  keys_filter: {
    fields: ["keys"],
    make: ({ keys = "" }) =>
      withList("keys", keys, (list) => {
        const wanted = new Set(list);
        return ([name]) => wanted.has(name);
      }),
  },
  eq: {
    fields: ["key", "value"],
    make: ({ key, value }) =>
      withValue(value, (wanted) => onTerm(key, (term) => isDeepStrictEqual(term, wanted))),
  },
  noteq: {
    fields: ["key", "value"],
    make: ({ key, value }) =>
      withValue(value, (wanted) => onTerm(key, (term) => !isDeepStrictEqual(term, wanted))),
  },
  comparison: {
    fields: ["operator", "key", "value"],
    make: ({ operator = "", key, value }) => {
      const compare = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
      if (compare === undefined)
        return { field: "operator", type: "enum", expected: "'lt', 'gt', 'le' or 'ge'" };
      return withValue(value, (wanted) =>
        onTerm(key, (term) => {
          const order = orderOf(term, wanted);
          return order !== undefined && compare(order);
        }),
      );
    },
  },
  contains: {
    fields: ["key", "value"],
    make: ({ key, value }) =>
      withValue(value, (wanted) => onTerm(key, (term) => Array.isArray(term) && includes(term, wanted))),
  },
  in: {
    fields: ["key", "value"],
    make: ({ key, value = "" }) =>
      withList("value", value, (list) => {
        const has = inList(list);
        return onTerm(key, has);
      }),
  },
  notin: {
    fields: ["key", "value"],
    make: ({ key, value = "" }) =>
      withList("value", value, (list) => {
        const has = inList(list);
        return onTerm(key, (term) => !has(term));
      }),
  },
  keypresent: {
    fields: ["key", "exists"],
    make: ({ key, exists = "" }) => {
      const wanted = BOOLEANS.get(exists.toLowerCase());
      if (wanted === undefined) return { field: "exists", type: "bool_parsing", expected: "a valid boolean" };
      return ([, node]) => (termOf(node, key) !== undefined) === wanted;
    },
  },
  specs: {
    fields: ["include", "exclude"],
    make: ({ include = "", exclude = "" }) =>
      withList("include", include, (included) =>
        withList("exclude", exclude, (excluded) => ([, { specs }]) => {
          const names = specs.map(({ name }) => name);
          return (
            included.every((name) => names.includes(String(name))) &&
            !names.some((name) => excluded.includes(name))
          );
        }),
      ),
  },
  structure_family: {
    fields: ["value"],
    make: ({ value = "" }) =>
      FAMILIES.includes(value)
        ? ([, node]) => node.family === value
        : { field: "value", type: "enum", expected: FAMILIES_TEXT },
  },
};

/** The names of all supported queries. */
export const QUERY_NAMES: readonly string[] = Object.keys(FILTERS);

/** Queries of Tiled's clients that need a catalog database. */
export const UNSUPPORTED_QUERIES: Readonly<Record<string, string>> = {
  access_blob_filter: "AccessBlobFilter",
  access_tags_filter: "AccessTagsFilter",
  like: "Like",
  regex: "Regex",
};

const FAMILIES = ["array", "awkward", "bytes", "container", "ragged", "sparse", "table"];

const FAMILIES_TEXT = "'array', 'awkward', 'bytes', 'container', 'ragged', 'sparse' or 'table'";

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  lt: (order) => order < 0,
  gt: (order) => order > 0,
  le: (order) => order <= 0,
  ge: (order) => order >= 0,
};

/** Compares two values. Undefined: they have no order because they are not both numbers or both strings. */
export function orderOf(left: unknown, right: unknown): number | undefined {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "string" && typeof right === "string") return left < right ? -1 : left > right ? 1 : 0;
  return undefined;
}

/** The metadata value at a key such as `sample.name`; undefined: the key is absent. */
export function termOf(node: TreeNode, key = ""): unknown {
  let term: unknown = node.metadata;
  for (const part of key.split(".")) {
    if (typeof term !== "object" || term === null || !Object.hasOwn(term, part)) return undefined;
    term = (term as Readonly<Record<string, unknown>>)[part];
  }
  return term;
}

/** Nodes without the key never match. */
function onTerm(key: string | undefined, matches: (term: unknown) => boolean): Filter {
  return ([, node]) => {
    const term = termOf(node, key);
    return term !== undefined && matches(term);
  };
}

function withValue(text: string | undefined, make: (value: unknown) => Filter): Filter | UnreadableField {
  const value = parseJson(text);
  return value === undefined
    ? { field: "value", type: "json_invalid", expected: "JSON" }
    : make(value.parsed);
}

function withList(
  field: string,
  text: string,
  make: (list: readonly unknown[]) => Filter | UnreadableField,
): Filter | UnreadableField {
  const list = parseJson(text)?.parsed;
  return Array.isArray(list) ? make(list) : { field, type: "list_type", expected: "a valid list, in JSON" };
}

function parseJson(text: string | undefined): { readonly parsed: unknown } | undefined {
  try {
    return { parsed: JSON.parse(text ?? "") };
  } catch {
    return undefined;
  }
}

function includes(list: readonly unknown[], wanted: unknown): boolean {
  return list.some((item) => isDeepStrictEqual(item, wanted));
}

/** Looks up plain values in a set, since both lists may have thousands of items. */
function inList(list: readonly unknown[]): (term: unknown) => boolean {
  const isPlain = (item: unknown) => typeof item !== "object" || item === null;
  const plain = new Set(list.filter(isPlain));
  const others = list.filter((item) => !isPlain(item));
  return (term) => (isPlain(term) ? plain.has(term) : includes(others, term));
}

function words(text: string): readonly string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

/** All strings in metadata at any depth. */
function strings(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(strings) : [];
}
