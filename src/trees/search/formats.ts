/**
 * The media types that data are served as, their short names, and which of them a request gets (RFC 9110, section 12.5.1,
 * without weights: Tiled's clients list what they want best first). The bytes are made by `encoding/arrow.ts` and `encoding/text.ts`.
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

/** A structure family, or the spec of a container that is read as one thing. */
export type Readable = "array" | "table" | "container" | "xarray_dataset";

/** The first of each is what a client gets that does not mind. */
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

/** What the about document tells of this. */
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

/** What a request asks for; the query parameter `format` wins over the header. */
export interface Wish {
  readonly format: string | undefined;
  readonly accept: string | undefined;
}

const MAX_WISHES = 32;

function wishes({ format, accept }: Wish): readonly string[] {
  return (format ?? accept ?? "*/*").split(",", MAX_WISHES).map((item) => item.trim());
}

/** Undefined: nothing that is asked for is offered. */
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

export function refusal(readable: Readable, wish: Wish): string {
  const requested = wishes(wish).join(", ").slice(0, MAX_QUOTED);
  return (
    "None of the media types requested by the client are supported. " +
    `Supported: ${FORMATS[readable].join(", ")}. Requested: ${requested}.`
  );
}
