/**
 * Follows the audit table: yields each new row once, even if rows become visible out of the order of their ids or the
 * database is unavailable for a while. `cli/admin/audit.ts` prints the rows.
 */
import { Failure } from "../errors.ts";
import type { AuditRow } from "./model/entities.ts";
import type { AuditFilter, AuditStore } from "./ports/audit.ts";

/** The position from which to continue. */
export interface Followed {
  /** Rows with a greater id are new, except `known`. */
  readonly after: number;
  readonly known: readonly AuditRow[];
  /** The greatest id so far. */
  readonly last: number;
}

/** Every row is read again this many times, since a standby does not show who is writing. */
const LOOK_BACK = 10;
const BATCH = 1_000;
/** The least number of newest rows to know; rows that are still being written are among them. */
const KNOWN = 1_000;

/** The newest rows, whether older ones exist, and the position from which to follow them. */
export async function newest(
  store: AuditStore,
  filter: AuditFilter,
): Promise<{ readonly rows: readonly AuditRow[]; readonly more: boolean; readonly followed: Followed }> {
  const limit = Math.max(filter.limit + 1, KNOWN);
  const known = await store.read({ ...filter, limit, newest: true });
  const last = known.at(-1)?.id ?? (await store.read({ limit: 1, newest: true }))[0]?.id ?? 0;
  const after = known.length < limit ? 0 : (known[0]?.id ?? 1) - 1;
  const more = known.length > filter.limit;
  return { rows: known.slice(-filter.limit), more, followed: { after, known, last } };
}

/** What following needs from the command. */
export interface Reader {
  /** Between two readings. */
  wait(): Promise<unknown>;
  readonly stop: AbortSignal;
  /** The database cannot be read; called once, until `back`. */
  lost(failure: Failure): void;
  back(): void;
}

/**
 * Of two transactions, the one with the smaller ids may commit later. Every transaction that could still commit such an id
 * was among the writers when the greater one was read, so reading starts before that id until those writers have ended, and
 * skips rows already printed. No reader waits for it, and rows of long transactions are not lost.
 */
export async function* follow(
  store: AuditStore,
  filter: AuditFilter,
  from: Followed,
  { wait, stop, lost, back }: Reader,
): AsyncGenerator<AuditRow> {
  const known = new Set(from.known.map((row) => row.id));
  const open: { readonly last: number; writers: readonly string[] }[] = [];
  let { after, last } = from;

  /** A failed reading keeps its progress: the next one begins at the same position, or before. */
  const reading = async function* () {
    const writers = new Set(await store.writers());
    for (const seen of open) seen.writers = seen.writers.filter((writer) => writers.has(writer));
    open.push({ last, writers: [...writers] });
    let settled = after;
    while (open.length > LOOK_BACK && open[0]?.writers.length === 0) settled = open.shift()?.last ?? settled;
    for (let read = BATCH, end = after; read === BATCH && !stop.aborted; ) {
      const rows = await store.read({ ...filter, after: end, limit: BATCH });
      for (const row of rows) {
        last = Math.max(last, row.id);
        if (known.has(row.id)) continue;
        known.add(row.id);
        yield row;
      }
      read = rows.length;
      end = rows.at(-1)?.id ?? end;
    }
    // Only now, since rows of writers that have ended became visible before this reading.
    after = settled;
    for (const id of known) if (id <= after) known.delete(id);
  };

  for (let away = false; !stop.aborted; await wait()) {
    try {
      yield* reading();
      if (away) back();
      away = false;
    } catch (error) {
      if (!passes(error)) throw error;
      if (!away && !stop.aborted) lost(error);
      away = true;
    }
  }
}

/** Whether the next reading may succeed where this one did not. */
function passes(error: unknown): error is Failure {
  return error instanceof Failure && (error.code === "store_unavailable" || error.code === "store_busy");
}
