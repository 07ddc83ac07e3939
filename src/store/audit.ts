/**
 * Reads the audit table in order of id: from the beginning, after an id, or the newest rows; filtered by time, event and
 * principal. The cost depends on the rows found, not on the length of the table.
 */
import { type Kysely, sql } from "kysely";
import type { AuditEventName, AuditRow } from "../domain/model/entities.ts";
import type { AuditFilter, AuditStore } from "../domain/ports/audit.ts";
import { type Args, type Db, statement } from "./base/statement.ts";
import type { Tables } from "./base/tables.ts";
import type { Backend } from "./commands/backend.ts";

/** How long after its own time a row may be written, in milliseconds: key uses are recorded in batches, and clocks differ. */
const LATENESS = 3600_000;

/** The id to start from. `since` itself is checked on each row. */
const firstSince = statement((db, { time }: Args<{ time: Date }>) =>
  db.selectFrom("tiled_auth_audit").where("time", ">=", time).orderBy("time").select("id").limit(1),
);

/** An inserting transaction takes this lock before it gets an id and holds it until its rows are visible. Any role can read it. */
const writing = statement((db, _: Args<object>) => ({
  compile: () =>
    sql<{ name: string }>`
      select distinct virtualtransaction as name from pg_locks
      where relation = 'tiled_auth_audit'::regclass and mode = 'RowExclusiveLock' and granted
        and database = (select oid from pg_database where datname = current_database())`.compile(db),
}));

interface Selection extends Omit<AuditFilter, "events"> {
  readonly from: number;
  readonly events: readonly string[] | undefined;
}

function select(tables: Kysely<Tables>, selection: Selection) {
  const { from, after, since, principal, events, newest } = selection;
  let query = tables
    .selectFrom("tiled_auth_audit")
    .selectAll()
    .where("id", ">=", from)
    .limit(selection.limit);
  if (after !== undefined) query = query.where("id", ">", after);
  if (since !== undefined) query = query.where(notByIndex("time"), ">=", since);
  if (principal !== undefined) query = query.where("principal", "=", principal);
  if (events !== undefined) {
    const [event = ""] = events;
    query =
      principal === undefined
        ? query.where("event", "=", event)
        : query.where(notByIndex("event"), "in", events);
  }
  return query.orderBy("id", newest === true ? "desc" : "asc");
}

/** The indexes on id, principal and single event return rows in order of id; any other index would need a sort. */
function notByIndex<C extends "time" | "event">(column: C) {
  return sql<Tables["tiled_auth_audit"][C]>`coalesce(${sql.ref(column)}, ${sql.ref(column)})`;
}

async function read(db: Db, filter: AuditFilter): Promise<AuditRow[]> {
  const { events, principal, since, limit } = filter;
  let from = 0;
  if (since !== undefined) {
    const first = await db.one(firstSince, { time: new Date(since.getTime() - LATENESS) });
    if (first === undefined) return [];
    from = first.id;
  }
  // The index returns the rows of a single event in order, but not those of several events.
  const groups = events !== undefined && principal === undefined ? events.map((event) => [event]) : [events];
  const rows: Awaited<ReturnType<ReturnType<typeof select>["execute"]>> = [];
  for (const group of groups) {
    rows.push(...(await db.query((tables) => select(tables, { ...filter, from, events: group }))));
  }
  rows.sort((a, b) => a.id - b.id);
  const wanted = filter.newest === true ? rows.slice(Math.max(0, rows.length - limit)) : rows.slice(0, limit);
  return wanted.map((row) => ({
    id: row.id,
    time: row.time,
    event: row.event as AuditEventName,
    actor: row.actor,
    principal: row.principal,
    identity:
      row.provider === null || row.identity === null ? null : { provider: row.provider, id: row.identity },
    address: row.address,
    requestId: row.request_id,
    detail: (row.detail ?? {}) as AuditRow["detail"],
    ...(row.last_time !== null && { count: row.count, lastTime: row.last_time }),
  }));
}

/** Implements `AuditStore`. */
export function auditStore(backend: Backend): AuditStore {
  return {
    append: (events) => backend.write("audit.append", events),
    // An empty list of events matches nothing.
    read: async (filter) => (filter.events?.length === 0 ? [] : backend.read((db) => read(db, filter))),
    // SQLite has one writer at a time, so rows become visible in order of id.
    writers: async () =>
      backend.dialect === "sqlite"
        ? []
        : (await backend.read((db) => db.all(writing, {}))).map(({ name }) => name),
  };
}
