/**
 * Parsers of options and arguments. A value that does not fit is wrong usage (exit code 2).
 */
import { InvalidArgumentError } from "commander";
import { parseUuid, type Uuid } from "../../lib/uuid.ts";

export function port(text: string): number {
  const value = whole(text);
  if (value > 65_535) throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return value;
}

export function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It is not a whole number.");
  return Number(text);
}

export function atLeastOne(text: string): number {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError("It must be at least 1.");
  return value;
}

export function notEmpty(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("It is empty.");
  return text;
}

export function uuid(text: string): Uuid {
  const value = parseUuid(text);
  if (value === undefined) throw new InvalidArgumentError("It is not a UUID.");
  return value;
}

export function firstEight(text: string): string {
  // A whole key is accepted too; the rest is dropped and never shown.
  if (!/^[0-9a-f]{8,}$/i.test(text)) {
    throw new InvalidArgumentError("Use the first eight hexadecimal digits of the API key.");
  }
  return text.slice(0, 8).toLowerCase();
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** The value of `--since`: a time, or seconds before now. */
export type Since =
  | { readonly kind: "time"; readonly time: Date }
  | { readonly kind: "ago"; readonly seconds: number };

export function since(text: string): Since {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    return { kind: "ago", seconds: Number(count) * (UNITS[unit] ?? 1) };
  }
  const [, day, hour = "00:00", zone = "Z"] = TIME.exec(text) ?? [];
  const time = new Date(`${day}T${hour}${zone}`);
  if (day === undefined || !isDay(day) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError(
      "Use a time like 2026-01-31 or 2026-01-31T12:00:00 (UTC), or a time ago: 90s, 15m, 2h, 7d.",
    );
  }
  return { kind: "time", time };
}

/** Date reads the 31st of a shorter month as a day of the next month. */
function isDay(text: string): boolean {
  const day = new Date(text);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
