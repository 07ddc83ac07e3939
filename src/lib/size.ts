/**
 * How much memory a value takes in V8, estimated from its shape: what caches are bounded by. Strings that are shared are counted
 * each time, so the estimate is rather too high.
 */

/** A heap object's header, one field, and what V8 rounds up to, in bytes. */
const HEADER = 24;
const FIELD = 8;
const DATE = 96;
/** Characters beyond Latin-1 make a string take two bytes for each. */
const WIDE = /[\u0100-\uffff]/;

export function bytesOf(value: unknown): number {
  if (typeof value === "string") return HEADER + value.length * (WIDE.test(value) ? 2 : 1);
  if (typeof value === "number") return Number.isSafeInteger(value) ? 0 : HEADER;
  if (value === null || typeof value !== "object") return 0;
  if (value instanceof Date) return DATE;
  if (ArrayBuffer.isView(value)) return DATE + value.byteLength;
  let bytes = HEADER;
  if (Array.isArray(value)) {
    for (const item of value) bytes += FIELD + bytesOf(item);
    return bytes + HEADER;
  }
  for (const item of Object.values(value)) bytes += FIELD + bytesOf(item);
  return bytes;
}
