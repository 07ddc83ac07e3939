/**
 * Infers the type of a CSV column from its texts (int64, float64, bool, or else text) and converts them. Numbers and missing
 * values are those that pandas recognizes.
 */
import type { Values } from "../model/columns.ts";

export type ColumnType = "int64" | "float64" | "bool" | "text";

const MISSING: ReadonlySet<string> = new Set([
  "",
  "#N/A",
  "#N/A N/A",
  "#NA",
  "-1.#IND",
  "-1.#QNAN",
  "-NaN",
  "-nan",
  "1.#IND",
  "1.#QNAN",
  "<NA>",
  "N/A",
  "NA",
  "NULL",
  "NaN",
  "None",
  "n/a",
  "nan",
  "null",
]);

const WHOLE = /^\s*[+-]?\d+\s*$/;
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const INFINITE = /^\s*([+-]?)inf(?:inity)?\s*$/i;
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["True", true],
  ["TRUE", true],
  ["true", true],
  ["False", false],
  ["FALSE", false],
  ["false", false],
]);

/** Digits that always fit into 64 bits, and digits that a JavaScript number holds exactly. */
const SAFE_DIGITS = 18;
const EXACT_DIGITS = 15;

/** No number needs more characters. */
const LONGEST_NUMBER = 400;

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;

/** Collects what is needed to infer the type of one column. */
export class ColumnSeen {
  #numbers = true;
  #whole = true;
  #booleans = true;
  #missing = false;
  #any = false;
  /** Characters of the longest text. */
  #width = 0;

  add(text: string): void {
    if (MISSING.has(text)) {
      this.#missing = true;
      return;
    }
    this.#any = true;
    if (this.#booleans && !BOOLEANS.has(text)) this.#booleans = false;
    if (this.#numbers && text.length > LONGEST_NUMBER) this.#numbers = false;
    if (this.#numbers) {
      if (WHOLE.test(text)) {
        // Parsing it as a number would change its value.
        if (text.length > SAFE_DIGITS && !fits(text)) this.#numbers = false;
      } else {
        this.#whole = false;
        if (!NUMBER.test(text) && !INFINITE.test(text)) this.#numbers = false;
      }
    }
    if (text.length > this.#width) this.#width = Math.max(this.#width, Array.from(text).length);
  }

  get type(): ColumnType {
    if (!this.#any) return "float64";
    if (this.#numbers) return this.#whole && !this.#missing ? "int64" : "float64";
    return this.#booleans && !this.#missing ? "bool" : "text";
  }

  get width(): number {
    return this.#width;
  }
}

function fits(text: string): boolean {
  const value = BigInt(text.trim().replace(/^\+/, ""));
  return value >= MIN_INT && value <= MAX_INT;
}

/** Converts texts to values of a type that `ColumnSeen` inferred for them. */
export function valuesOf(texts: readonly string[], type: ColumnType): Values {
  switch (type) {
    case "int64":
      return { type, data: BigInt64Array.from(texts, wholeOf) };
    case "float64":
      return { type, data: Float64Array.from(texts, numberOf) };
    case "bool":
      return { type, data: Uint8Array.from(texts, (text) => (BOOLEANS.get(text) ? 1 : 0)) };
    case "text":
      return { type, data: texts.map((text) => (MISSING.has(text) ? null : text)) };
  }
}

function wholeOf(text: string): bigint {
  return text.length <= EXACT_DIGITS ? BigInt(Number(text)) : BigInt(text.trim().replace(/^\+/, ""));
}

function numberOf(text: string): number {
  if (MISSING.has(text)) return Number.NaN;
  const infinite = INFINITE.exec(text);
  if (infinite === null) return Number(text);
  return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
