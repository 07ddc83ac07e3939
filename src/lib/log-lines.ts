/**
 * Lines of a pino logger for the one event that every request has: pino writes any object, with serializers and at any
 * depth, and needs three times as long. The lines look the same. `pino.symbols` are meant for such a purpose.
 */
import { type Logger, symbols } from "pino";
import { printableJson } from "./printable.ts";

const INFO = 30;

/** Writes lines with a message at the level `info`, unless that is switched off. `fields`: JSON, `"a":1,"b":"x"`. */
export function infoLines(logger: Logger, message: string): (fields: string) => void {
  const inner = logger as unknown as Inner;
  const start = (inner[symbols.lsCacheSym][INFO] ?? "{") as string;
  const end = `,"msg":${quoted(message)}}\n`;
  return (fields) => {
    if (inner[symbols.levelValSym] > INFO) return;
    inner[symbols.streamSym].write(
      `${start}${inner[symbols.timeSym]()}${inner[symbols.chindingsSym]},${fields}${end}`,
    );
  };
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** As JSON that a terminal can show, whatever stream the logger has. */
export function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : printableJson(JSON.stringify(text));
}

/** What pino's own `asJson` reads. */
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
