/** Results of a backup and a restore: the number of rows in each table. */
import { OperatorError } from "../../errors.ts";

/** Number of rows by table. */
export type Counts = Readonly<Record<string, number>>;

/** Result of a backup. */
export interface Backup {
  readonly counts: Counts;
  /** Size of the file. */
  readonly bytes: number;
}

/** Result of a restore. */
export interface Restored {
  readonly counts: Counts;
  /** Path of the database that was replaced; null if there was no database. */
  readonly aside: string | null;
}

/** Throws an OperatorError for a copy whose tables do not have as many rows as the original's. */
export function requireSameRows(copied: Counts, expected: Counts): void {
  const wrong = Object.keys(expected).filter((table) => copied[table] !== expected[table]);
  if (wrong.length > 0) throw new OperatorError(`The copy is missing rows of ${wrong.join(", ")}.`);
}
