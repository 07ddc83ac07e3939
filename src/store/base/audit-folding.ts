/**
 * Equal audit events in a loop become one row with a count, so that an account that logs in and out for ever does not fill
 * the disk. The first ones of an hour keep rows of their own. What is remembered is this process's: several servers fold
 * each for themselves.
 */
import type { AuditEvent } from "../../domain/model/entities.ts";

const HOUR = 3600_000;
/** Rows in an hour of one event of one principal from one address, and from all addresses together. */
const ROWS_OF_ADDRESS = 20;
const ROWS_OF_PRINCIPAL = 200;
const MAX_REMEMBERED = 20_000;

interface Series {
  readonly began: number;
  rows: number;
  /** The row that counts the rest; null until there is one. */
  folded: number | null;
}

export interface Place {
  /** The row to count in, or `new` for a row of its own, `first` for one that further events are counted in. */
  readonly into: number | "new" | "first";
  /** To be told the id of a `first` row. */
  readonly series: Series;
}

export class Folds {
  readonly #series = new Map<string, Series>();

  place(event: AuditEvent): Place {
    const time = event.time.getTime();
    const reason = String(event.detail["reason"] ?? "");
    const what = `${event.event} ${reason} ${event.principal ?? ""} ${event.actor ?? ""}`;
    const near = this.#of(`${what} ${event.address ?? ""}`, time);
    near.rows += 1;
    if (near.rows > ROWS_OF_ADDRESS) return placeIn(near);
    // Of an unknown principal nothing but the address is known.
    if (event.principal === null) return { into: "new", series: near };
    const all = this.#of(what, time);
    all.rows += 1;
    return all.rows > ROWS_OF_PRINCIPAL ? placeIn(all) : { into: "new", series: all };
  }

  #of(key: string, time: number): Series {
    const known = this.#series.get(key);
    if (known !== undefined && Math.abs(time - known.began) < HOUR) return known;
    const series: Series = { began: time, rows: 0, folded: null };
    this.#series.delete(key);
    if (this.#series.size >= MAX_REMEMBERED) {
      const [oldest] = this.#series.keys();
      if (oldest !== undefined) this.#series.delete(oldest);
    }
    this.#series.set(key, series);
    return series;
  }
}

function placeIn(series: Series): Place {
  return { into: series.folded ?? "first", series };
}
