/**
 * Search filters in a query string: `filter[eq][condition][key]=color&filter[eq][condition][value]="red"`.
 * `trees/search/filters.ts` implements them.
 */
import { Failure } from "../../errors.ts";
import { FILTERS, type Filter, UNSUPPORTED_QUERIES } from "../../trees/search/filters.ts";
import { Repeated, unreadable } from "./query.ts";

function parameter(name: string, field: string): string {
  return `filter[${name}][condition][${field}]`;
}

/** The filters' part of a search route's query schema. */
export function filterParameters() {
  const parameters = Object.entries(FILTERS).flatMap(([name, { fields }]) =>
    fields.map((field) => [parameter(name, field), Repeated({ type: "string" })] as const),
  );
  return Object.fromEntries(parameters);
}

const MAX_QUOTED = 100;

/** Reads all filters, which must all match. Unknown ones are refused, because ignoring them would find too much. */
export function readFilters(query: Readonly<Record<string, unknown>>): readonly Filter[] {
  for (const key of Object.keys(query)) if (key.startsWith("filter")) checkName(key);
  return Object.keys(FILTERS).flatMap((name) => filtersOf(name, query));
}

function checkName(key: string): void {
  const [, name = "", field = ""] = /^filter\[(\w+)\]\[condition\]\[(\w+)\]$/.exec(key) ?? [];
  if (Object.hasOwn(FILTERS, name) && FILTERS[name]?.fields.includes(field)) return;
  if (Object.hasOwn(UNSUPPORTED_QUERIES, name)) {
    throw new Failure("bad_request", {
      detail: `The query type '${UNSUPPORTED_QUERIES[name]}' is not supported on this node.`,
    });
  }
  throw unreadable(key.slice(0, MAX_QUOTED), { type: "extra_forbidden", msg: "This filter does not exist" });
}

/** A filter may be repeated: the first values of its fields form one filter, the second values the next, and so on. */
function filtersOf(name: string, query: Readonly<Record<string, unknown>>): readonly Filter[] {
  const kind = FILTERS[name];
  if (kind === undefined) return [];
  const lists = kind.fields.map(
    (field) => [field, (query[parameter(name, field)] ?? []) as readonly string[]] as const,
  );
  const count = Math.max(...lists.map(([, values]) => values.length));
  const filters: Filter[] = [];
  for (let index = 0; index < count; index += 1) {
    const values: Record<string, string> = {};
    for (const [field, given] of lists) {
      const value = given[index];
      if (value === undefined)
        throw unreadable(parameter(name, field), { type: "missing", msg: "Field required" });
      values[field] = value;
    }
    const filter = kind.make(values);
    if (typeof filter !== "function") {
      throw unreadable(parameter(name, filter.field), {
        type: "enum",
        msg: `Input should be ${filter.expected}`,
      });
    }
    filters.push(filter);
  }
  return filters;
}
