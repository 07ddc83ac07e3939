/**
 * Log lines of requests, written to a pino logger's stream in the same form. pino itself, which serializes any object, takes
 * three times as long. `pino.symbols` are meant for such use.
 */
import { type Logger, symbols } from "pino";
import { printableJson } from "./printable.ts";

export const DEBUG = 20;
export const INFO = 30;

export interface EventLines {
  writes(level: number): boolean;
  /** `fields`: JSON, `"a":1,"b":"x"`. Ask `writes` first. */
  write(level: number, fields: string): void;
}

/** Writes lines with a message. */
export function eventLines(logger: Logger, message: string): EventLines {
  const inner = logger as unknown as Inner;
  const end = `,"msg":${jsonText(message)}}\n`;
  return {
    writes: (level) => inner[symbols.levelValSym] <= level,
    write: (level, fields) => {
      const start = (inner[symbols.lsCacheSym][level] ?? "{") as string;
      inner[symbols.streamSym].write(
        `${start}${inner[symbols.timeSym]()}${inner[symbols.chindingsSym]},${fields}${end}`,
      );
    },
  };
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** A JSON string that is safe to show on a terminal. */
export function jsonText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : printableJson(JSON.stringify(text));
}

/** The fields that pino's own `asJson` reads. */
interface Inner {
  readonly [symbols.levelValSym]: number;
  /** `{"level":30` */
  readonly [symbols.lsCacheSym]: Readonly<Record<number, string>>;
  /** `,"time":1`, or nothing. */
  [symbols.timeSym](): string;
  /** `,"name":"value"`, or nothing. */
  readonly [symbols.chindingsSym]: string;
  readonly [symbols.streamSym]: { write(line: string): void };
}
