/** What a tree is given besides its arguments. */
import type { Clock } from "../../lib/clock.ts";
import type { ScanWish } from "../data-thread/messages.ts";
import type { CsvScan } from "../files/csv-scan.ts";

export interface TreeContext {
  /** The folder of the configuration file, for relative paths. */
  readonly directory: string;
  readonly clock: Clock;
  /** Tells the operator. */
  warn(message: string): void;
  /** Scans the columns of a CSV file on another thread; absent: on this one. */
  scan?(wish: ScanWish): Promise<CsvScan>;
}
