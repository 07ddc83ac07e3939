/**
 * The metadata of an entry, read from `X.json` beside it: a JSON object that every client can receive.
 */
import { isUtf8 } from "node:buffer";
import type { Inside, Mark } from "../files/inside.ts";
import { readStart } from "../files/reading.ts";
import type { FilePath } from "../files/steps.ts";

export type Metadata = Readonly<Record<string, unknown>>;

export const NO_METADATA: Metadata = {};

const LARGEST = 1024 * 1024;
const MAX_DEPTH = 32;

export type ReadMetadata =
  | { readonly kind: "read"; readonly mark: Mark; readonly metadata: Metadata; readonly bytes: number }
  | { readonly kind: "broken"; readonly mark: Mark; readonly why: string }
  | { readonly kind: "absent" };

/** Reads a metadata file; `broken` says why it cannot be used. */
export async function readMetadata(inside: Inside, path: FilePath): Promise<ReadMetadata> {
  const file = await inside.file(path);
  if (file === undefined) return { kind: "absent" };
  try {
    const { mark, size } = file;
    if (size > LARGEST) return { kind: "broken", mark, why: `it has more than ${LARGEST} bytes` };
    const metadata = parse(await readStart(file, LARGEST));
    return typeof metadata === "string"
      ? { kind: "broken", mark, why: metadata }
      : { kind: "read", mark, metadata, bytes: size };
  } finally {
    await file.handle.close();
  }
}

/** Returns the metadata, or the reason why there are none. */
function parse(bytes: Buffer): Metadata | string {
  if (!isUtf8(bytes)) return "it is not UTF-8";
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString().replace(/^\ufeff/, ""));
  } catch {
    return "it is not JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is not an object";
  const wellFormed = tidied(value, 0);
  return wellFormed === undefined ? "it is nested too deeply" : (wellFormed as Metadata);
}

/** JSON can contain lone surrogates, which cannot be encoded in UTF-8. Undefined: nested too deeply. */
function tidied(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => tidied(item, depth + 1));
    return items.includes(undefined) ? undefined : items;
  }
  const pairs = Object.entries(value).map(
    ([key, item]) => [key.toWellFormed(), tidied(item, depth + 1)] as const,
  );
  return pairs.some(([, item]) => item === undefined) ? undefined : Object.fromEntries(pairs);
}
