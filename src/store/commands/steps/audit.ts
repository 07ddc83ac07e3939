/**
 * Writes the audit table. Rows are only ever added, in the transaction of the change they record, and purged by age. They never
 * hold a secret. `store/audit.ts` reads them.
 */
import type {
  AuditEvent,
  AuditEventName,
  IdentityRef,
  RequestContext,
} from "../../../domain/model/entities.ts";
import type { Uuid } from "../../../lib/uuid.ts";
import { type Args, type Db, statement } from "../../base/statement.ts";

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

const valuesOf = <Row extends { readonly [K in keyof NewRow]: unknown }>(row: Row) => ({
  time: row.time as Row["time"],
  event: row.event as Row["event"],
  actor: row.actor as Row["actor"],
  principal: row.principal as Row["principal"],
  provider: row.provider as Row["provider"],
  identity: row.identity as Row["identity"],
  address: row.address as Row["address"],
  request_id: row.requestId as Row["requestId"],
  detail: row.detail as Row["detail"],
});

const insertRow = statement((db, row: Args<NewRow>) =>
  db.insertInto("tiled_auth_audit").values(valuesOf(row)),
);

const insertFirst = statement((db, row: Args<NewRow>) =>
  db.insertInto("tiled_auth_audit").values(valuesOf(row)).returning("id"),
);

const countOne = statement((db, { id, time }: Args<{ id: number; time: Date }>) =>
  db
    .updateTable("tiled_auth_audit")
    .set((eb) => ({ count: eb("count", "+", eb.lit(1)), last_time: time }))
    .where("id", "=", id),
);

async function appendEvent(db: Db, event: AuditEvent): Promise<void> {
  const { into, series } = db.folds.place(event);
  // The row may be gone: its transaction was rolled back, or it was purged.
  if (typeof into === "number" && (await db.run(countOne, { id: into, time: event.time })) > 0) return;
  if (into === "new") await db.run(insertRow, newRow(event));
  else series.folded = (await db.one(insertFirst, newRow(event)))?.id ?? null;
}

function newRow(event: AuditEvent): NewRow {
  return {
    time: event.time,
    event: event.event,
    actor: event.actor,
    principal: event.principal,
    provider: event.identity?.provider ?? null,
    identity: event.identity?.id ?? null,
    address: event.address,
    requestId: event.requestId,
    detail: JSON.stringify(event.detail),
  };
}

/** The occasion and the subject of an event. */
interface About {
  readonly now: Date;
  readonly context: RequestContext;
  readonly principal: Uuid | null;
  readonly identity?: IdentityRef;
}

/** Records one event of a command, with the request's address, id and actor. */
export function note(
  db: Db,
  event: AuditEventName,
  about: About,
  detail: AuditEvent["detail"] = {},
): Promise<void> {
  return appendEvent(db, eventOf(event, about, detail));
}

/** Makes an event of a command for `noteAll`. */
export function eventOf(event: AuditEventName, about: About, detail: AuditEvent["detail"] = {}): AuditEvent {
  const { address, requestId, actor, operator } = about.context;
  return {
    time: about.now,
    event,
    principal: about.principal,
    identity: about.identity ?? null,
    detail: operator === undefined ? detail : { ...detail, by: "command line", os_user: operator },
    address,
    requestId,
    actor,
  };
}

/** Records up to 500 events of an operator's command in one statement, without folding. */
export async function noteAll(db: Db, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => valuesOf(newRow(event)));
  await db.query((tables) => tables.insertInto("tiled_auth_audit").values(rows));
}

/** Records events that have no command of their own, such as failed logins. */
export async function appendEvents(db: Db, events: readonly AuditEvent[]): Promise<void> {
  for (const event of events) await appendEvent(db, event);
}
