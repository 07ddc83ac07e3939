/**
 * The media types of data, their short names, and content negotiation (RFC 9110, section 12.5.1, without weights, since Tiled's
 * clients list their preferred type first). `encoding/` produces the bytes.
 */
import { QUERY_NAMES } from "./filters.ts";

export const ARROW_TYPE = "application/vnd.apache.arrow.file";
export const BYTES_TYPE = "application/octet-stream";
export const JSON_TYPE = "application/json";
const CSV_TYPES: readonly string[] = [
  "text/csv",
  "text/x-comma-separated-values",
  "text/comma-separated-values",
  "text/plain",
];

/** A structure family, or a container spec that is read as a whole. */
export type Readable = "array" | "table" | "container" | "xarray_dataset";

/** The first of each is the default. */
const FORMATS: Readonly<Record<Readable, readonly string[]>> = {
  array: [BYTES_TYPE, JSON_TYPE, ...CSV_TYPES],
  table: [ARROW_TYPE, JSON_TYPE, ...CSV_TYPES],
  container: [JSON_TYPE],
  xarray_dataset: [ARROW_TYPE, JSON_TYPE, ...CSV_TYPES],
};

const ALIASES: Readonly<Record<string, readonly string[]>> = {
  [ARROW_TYPE]: ["arrow", "feather"],
  [JSON_TYPE]: ["json"],
  "text/csv": ["csv"],
  "text/plain": ["text", "txt"],
};

const BY_ALIAS: ReadonlyMap<string, string> = new Map(
  Object.entries(ALIASES).flatMap(([mediaType, names]) => names.map((name) => [name, mediaType] as const)),
);

/** The part of the about document on formats and queries. */
export const OFFER = {
  formats: FORMATS,
  aliases: Object.fromEntries(
    Object.entries(FORMATS).map(([readable, types]) => [readable, aliasesOf(types)]),
  ),
  queries: QUERY_NAMES,
};

function aliasesOf(types: readonly string[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(ALIASES).filter(([mediaType]) => types.includes(mediaType)));
}

export interface MediaType {
  readonly name: string;
  /** CSV only (RFC 4180, section 3): `header=absent`. */
  readonly header: boolean;
}

/** The formats requested; the query parameter `format` takes precedence over the header. */
export interface Wish {
  readonly format: string | undefined;
  readonly accept: string | undefined;
}

const MAX_WISHES = 32;

function wishes({ format, accept }: Wish): readonly string[] {
  return (format ?? accept ?? "*/*").split(",", MAX_WISHES).map((item) => item.trim());
}

/** Chooses the first requested media type that is offered; undefined: none is. */
export function negotiate(readable: Readable, wish: Wish): MediaType | undefined {
  const offered = FORMATS[readable];
  for (const item of wishes(wish)) {
    const [given = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    const name =
      given === "*/*" ? offered[0] : wish.format === undefined ? given : (BY_ALIAS.get(given) ?? given);
    if (name !== undefined && offered.includes(name))
      return { name, header: !parameters.includes("header=absent") };
  }
  return undefined;
}

const MAX_QUOTED = 200;

/** The text of the 406 answer, as Tiled words it. */
export function refusal(readable: Readable, wish: Wish): string {
  const requested = wishes(wish).join(", ").slice(0, MAX_QUOTED);
  return (
    "None of the media types requested by the client are supported. " +
    `Supported: ${FORMATS[readable].join(", ")}. Requested: ${requested}.`
  );
}
