/**
 * Following the audit table: its new rows for ever, each once, also where they do not become visible in the order of
 * their ids or the database is away for a while. What a row looks like to people is the command's, `cli/audit.ts`.
 */
import { Failure } from "../errors.ts";
import type { AuditRow } from "./model/entities.ts";
import type { AuditFilter, AuditStore } from "./ports/audit.ts";

/** Where to go on from. */
export interface Followed {
  /** Of the rows with a greater id all but `known` are new. */
  readonly after: number;
  readonly known: readonly AuditRow[];
  /** The greatest id that there was. */
  readonly last: number;
}

/** So many readings see a row again in any case: on a standby nobody is seen writing. */
const LOOK_BACK = 10;
const BATCH = 1_000;
/** How many of the newest rows are known at the least: what is still being written belongs among them. */
const KNOWN = 1_000;

/** The newest rows, whether there are older ones, and from where to follow them. */
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

/** What following needs of who shows the rows. */
export interface Reader {
  /** Between two readings. */
  wait(): Promise<unknown>;
  readonly stop: AbortSignal;
  /** The database cannot be read at the moment; said once, until `back` says that it can again. */
  lost(failure: Failure): void;
  back(): void;
}

/**
 * Of two transactions the one with the smaller id may end later. Who could still have an id up to a known one was seen
 * writing after that: until they are gone, readings begin before it and leave out what was printed. Nobody waits for it,
 * and however long a transaction takes, its rows come.
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

  /** What a reading that fails has done so far holds: the next one begins where this one did, or before. */
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
    // Only now: what was written by those who are gone became visible before this reading.
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
