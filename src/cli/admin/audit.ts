/**
 * `tiled admin audit`: prints the audit table, as text or as JSON lines, and follows it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { follow, newest, type Reader } from "../../domain/audit-following.ts";
import type { AuditEventName, AuditRow } from "../../domain/model/entities.ts";
import type { AuditFilter } from "../../domain/ports/audit.ts";
import type { Store } from "../../domain/ports/store.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { printable, printableJson } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import type { Since } from "../console/values.ts";
import { withStore } from "./database.ts";
import { findPrincipal } from "./principals.ts";
import type { DatabaseOptions } from "./target.ts";

/** Milliseconds from Ctrl-C to the end, even if the database does not answer. */
const STOP_TIMEOUT = 500;

export interface AuditOptions extends DatabaseOptions {
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly since?: Since;
  readonly event?: readonly AuditEventName[];
  readonly principal?: string;
  readonly limit: number;
}

export async function audit(options: AuditOptions, terminal: Terminal): Promise<void> {
  const work = async (store: Store) => {
    const filter = await auditFilter(store, options, systemClock);
    const print = (row: AuditRow) => terminal.out(options.json ? auditJson(row) : auditLine(row));
    const { rows, more, followed } = await newest(store.audit, filter);
    if (more) terminal.err(`These are the newest ${options.limit} events only; --limit shows more.`);
    if (rows.length === 0) terminal.err(options.follow ? "No such events yet." : "No such events.");
    rows.forEach(print);
    if (!options.follow) return;
    for await (const row of follow(store.audit, filter, followed, reader(terminal))) print(row);
  };
  // The next read reports a connection that was lost while idle.
  await withStore(options, terminal, work, (level, message) => {
    if (level !== "warn") terminal.err(message);
  });
}

function reader(terminal: Terminal): Reader {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) {
    terminal.events.once(signal, () => {
      stop.abort();
      setTimeout(() => terminal.exit(0), STOP_TIMEOUT);
    });
  }
  return {
    stop: stop.signal,
    wait: () => delay(1_000, undefined, { signal: stop.signal }).catch(() => undefined),
    lost: ({ message }) =>
      terminal.err(`The database cannot be read, and is tried again: ${oneLine(message)}`),
    back: () => terminal.err("The database can be read again."),
  };
}

function oneLine(message: string): string {
  return printable(message.replaceAll(/\s*\n\s*/g, " "));
}

async function auditFilter(store: Store, options: AuditOptions, clock: Clock): Promise<AuditFilter> {
  const { since, event, principal, limit } = options;
  return {
    limit,
    ...(event === undefined ? {} : { events: event }),
    ...(principal === undefined ? {} : { principal: (await findPrincipal(store, principal)).uuid }),
    ...(since === undefined
      ? {}
      : { since: since.kind === "time" ? since.time : new Date(clock.now() - since.seconds * 1000) }),
  };
}

/** One line for one event: text from users cannot break it. */
export function auditLine(row: AuditRow): string {
  const facts: (readonly [string, string | null])[] = [
    ["identity", row.identity === null ? null : `${row.identity.provider}:${row.identity.id}`],
    ["principal", row.principal],
    ["by", row.actor],
    ["from", row.address],
    ["request", row.requestId],
    ["count", row.count === undefined ? null : String(row.count)],
    ["until", row.lastTime === undefined ? null : `${row.lastTime.toISOString().slice(0, 19)}Z`],
    ...Object.entries(row.detail).map(
      ([name, value]) => [name, value === null ? null : String(value)] as const,
    ),
  ];
  const text = facts.flatMap(([name, value]) =>
    value === null ? [] : [`${printable(name)}=${factValue(value)}`],
  );
  return [`${row.time.toISOString().slice(0, 19)}Z`, row.event.padEnd(21), ...text].join(" ").trimEnd();
}

function factValue(value: string): string {
  const text = printable(value);
  return /^[^\s"=\\]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

export function auditJson(row: AuditRow): string {
  const json = JSON.stringify({
    id: row.id,
    time: row.time,
    event: row.event,
    principal: row.principal,
    identity: row.identity,
    actor: row.actor,
    address: row.address,
    request_id: row.requestId,
    detail: row.detail,
    ...(row.count !== undefined && { count: row.count, last_time: row.lastTime }),
  });
  return printableJson(json);
}
