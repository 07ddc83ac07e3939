/**
 * Folds equal audit events into one row with a count, so that an account that logs in and out in a loop does not fill the
 * disk. The first events of an hour keep rows of their own. The state is per process: each server folds its own events.
 */
import type { AuditEvent } from "../../domain/model/entities.ts";

const HOUR = 3600_000;
/** Rows per hour of one event of one principal from one address, then from all addresses together. */
const ROWS_OF_ADDRESS = 20;
const ROWS_OF_PRINCIPAL = 200;
const MAX_REMEMBERED = 20_000;

interface Series {
  readonly began: number;
  rows: number;
  /** Id of the row that counts further events; null until it exists. */
  folded: number | null;
}

/** Where an audit event is written. */
export interface Place {
  /** Id of the row to count in, `new` for a row of its own, or `first` for a row that will count further events. */
  readonly into: number | "new" | "first";
  /** Takes the id of a `first` row in `folded`. */
  readonly series: Series;
}

/** Counts the audit events of the current hour. */
export class Folds {
  readonly #series = new Map<string, Series>();

  place(event: AuditEvent): Place {
    const time = event.time.getTime();
    const reason = String(event.detail["reason"] ?? "");
    const what = `${event.event} ${reason} ${event.principal ?? ""} ${event.actor ?? ""}`;
    const near = this.#of(`${what} ${event.address ?? ""}`, time);
    near.rows += 1;
    if (near.rows > ROWS_OF_ADDRESS) return placeIn(near);
    // An event without a principal is known by its address only.
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
