/**
 * UUIDs: 36 characters with dashes in tables and documents, 32 hex digits in tokens and paths. A `Uuid` is always the
 * canonical lower-case form with dashes (RFC 9562, section 4).
 */
import { randomUUID } from "node:crypto";

export type Uuid = string & { readonly __brand: "Uuid" };

const DASHED = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const BARE = /^[0-9a-f]{32}$/;

export function newUuid(): Uuid {
  return randomUUID() as Uuid;
}

/** Reads a UUID with or without dashes, in any case; otherwise undefined. */
export function parseUuid(text: unknown): Uuid | undefined {
  if (typeof text !== "string") return undefined;
  const lower = text.toLowerCase();
  if (DASHED.test(lower)) return lower as Uuid;
  if (!BARE.test(lower)) return undefined;
  return `${lower.slice(0, 8)}-${lower.slice(8, 12)}-${lower.slice(12, 16)}-${lower.slice(16, 20)}-${lower.slice(20)}` as Uuid;
}

/** The 32 hex digits used in tokens. */
export function uuidHex(uuid: Uuid): string {
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24);
}
