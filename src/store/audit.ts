/**
 * The audit table: rows are only ever added (in the transaction of what they tell of) and purged by age. Never a
 * secret in it. Reading goes on from an id: no row with a smaller id appears later.
 */
import { sql } from "kysely";
import type { AuditEvent, AuditEventName, AuditRow, IdentityRef, Origin } from "../domain/model.ts";
import type { AuditFilter, AuditStore } from "../domain/ports.ts";
import type { Uuid } from "../lib/uuid.ts";
import type { Backend } from "./backend.ts";
import { type Args, type Db, statement } from "./statement.ts";

interface NewRow {
  readonly time: Date;
  readonly event: string;
  readonly actor: Uuid | null;
  readonly principal: Uuid | null;
  readonly provider: string | null;
  readonly identity: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly detail: string;
}

const insertRow = statement((db, row: Args<NewRow>) =>
  db.insertInto("tiled_auth_audit").values({
    time: row.time,
    event: row.event,
    actor: row.actor,
    principal: row.principal,
    provider: row.provider,
    identity: row.identity,
    address: row.address,
    request_id: row.requestId,
    detail: row.detail,
  }),
);

const lockTable = statement((db, _: Args<object>) => ({
  compile: () => sql`lock table tiled_auth_audit in share mode`.compile(db),
}));

export async function appendEvent(db: Db, event: AuditEvent): Promise<void> {
  await db.run(insertRow, {
    time: event.time,
    event: event.event,
    actor: event.actor,
    principal: event.principal,
    provider: event.identity?.provider ?? null,
    identity: event.identity?.id ?? null,
    address: event.address,
    requestId: event.requestId,
    detail: JSON.stringify(event.detail),
  });
}

/** One event of a command. */
export function note(
  db: Db,
  event: AuditEventName,
  about: {
    readonly now: Date;
    readonly origin: Origin;
    readonly principal: Uuid | null;
    readonly identity?: IdentityRef;
  },
  detail: AuditEvent["detail"] = {},
): Promise<void> {
  const { address, requestId, actor } = about.origin;
  const identity = about.identity ?? null;
  return appendEvent(db, {
    time: about.now,
    event,
    principal: about.principal,
    identity,
    detail,
    address,
    requestId,
    actor,
  });
}

export async function appendEvents(db: Db, events: readonly AuditEvent[]): Promise<void> {
  for (const event of events) await appendEvent(db, event);
}

/**
 * On PostgreSQL rows become visible in another order than their ids rise: who goes on from an id waits for those that
 * are being written, or would miss them for good.
 */
export async function readOn(db: Db, filter: AuditFilter): Promise<AuditRow[]> {
  await db.run(lockTable, {});
  return read(db, filter);
}

async function read(db: Db, filter: AuditFilter): Promise<AuditRow[]> {
  const rows = await db.query((tables) => {
    let query = tables.selectFrom("tiled_auth_audit").selectAll().limit(filter.limit);
    if (filter.after !== undefined) query = query.where("id", ">", filter.after);
    if (filter.since !== undefined) query = query.where("time", ">=", filter.since);
    if (filter.events !== undefined) query = query.where("event", "in", filter.events);
    if (filter.principal !== undefined) query = query.where("principal", "=", filter.principal);
    return query.orderBy("id", filter.newest === true ? "desc" : "asc");
  });
  if (filter.newest === true) rows.reverse();
  return rows.map((row) => ({
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
  }));
}

export function auditStore(backend: Backend): AuditStore {
  return {
    append: (events) => backend.write("audit.append", events),
    read: async (filter) => {
      // A list of events that is empty allows none.
      if (filter.events?.length === 0) return [];
      if (backend.dialect === "postgresql" && filter.after !== undefined)
        return backend.write("audit.read_on", filter);
      return backend.read((db) => read(db, filter));
    },
  };
}
