/** The dependencies of a tree besides its arguments. */
import type { Clock } from "../../lib/clock.ts";
import type { ScanWish } from "../data-thread/messages.ts";
import type { CsvScan } from "../files/csv-scan.ts";

export interface TreeContext {
  /** The folder of the configuration file, for relative paths. */
  readonly directory: string;
  readonly clock: Clock;
  /** Writes a warning to the operator's log. */
  warn(message: string): void;
  /** Scans a CSV file on another thread; absent: scan on this one. */
  scan?(wish: ScanWish): Promise<CsvScan>;
}
