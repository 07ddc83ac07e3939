/** What a backup and a restore tell of a database: the rows of each table. */
import { OperatorError } from "../../errors.ts";

/** Rows of each table. */
export type Counts = Readonly<Record<string, number>>;

export interface Backup {
  readonly counts: Counts;
  readonly bytes: number;
}

export interface Restored {
  readonly counts: Counts;
  /** Path of the database that was there before; null without one. */
  readonly aside: string | null;
}

/** Refuses a copy whose tables do not have as many rows as the original's. */
export function requireSameRows(copied: Counts, expected: Counts): void {
  const wrong = Object.keys(expected).filter((table) => copied[table] !== expected[table]);
  if (wrong.length > 0) throw new OperatorError(`The copy lacks rows of ${wrong.join(", ")}.`);
}
