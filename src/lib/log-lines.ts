/**
 * Lines of a pino logger for the one event that every request has: pino writes any object, with serializers and at any
 * depth, and needs three times as long. The lines look the same. `pino.symbols` are meant for such a purpose.
 */
import { type Logger, symbols } from "pino";

/** Values that JSON has; what is undefined is left out. */
export type Facts = Readonly<Record<string, string | number | boolean | null | undefined>>;

const INFO = 30;

/** Writes facts and a message, which pino puts last, at the level `info`, unless that is switched off. */
export function infoLines(logger: Logger): (facts: Facts & { readonly msg: string }) => void {
  const inner = logger as unknown as Inner;
  return (facts) => {
    if (inner[symbols.levelValSym] > INFO) return;
    const start =
      (inner[symbols.lsCacheSym][INFO] ?? "") + inner[symbols.timeSym]() + inner[symbols.chindingsSym];
    inner[symbols.streamSym].write(`${start},${JSON.stringify(facts).slice(1)}\n`);
  };
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
