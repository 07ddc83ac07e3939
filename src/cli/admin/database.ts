/**
 * Opens the store for administrative verbs, and the verbs about a database as a whole. `target.ts` finds the database.
 */
import type { Config, DatabaseConfig } from "../../config/model.ts";
import { parseDatabaseUri } from "../../database-uri/database-uri.ts";
import { purgeAll } from "../../domain/maintenance.ts";
import type { RequestContext } from "../../domain/model/entities.ts";
import type { Store } from "../../domain/ports/store.ts";
import { OperatorError } from "../../errors.ts";
import { systemClock } from "../../lib/clock.ts";
import {
  initializeDatabase,
  inspectDatabase,
  openStore,
  type StoreOptions,
  upgradeDatabase,
} from "../../store/open.ts";
import { CURRENT_REVISION, complaint, SERVED_REVISIONS } from "../../store/schema/revisions.ts";
import type { Terminal } from "../console/terminal.ts";
import { operatorName } from "./operator.ts";
import { type DatabaseOptions, target } from "./target.ts";

/** The origin of changes made here: no request, address or credential, but a user of this machine. */
export const COMMAND_LINE: RequestContext = {
  address: null,
  requestId: null,
  actor: null,
  operator: operatorName(),
};

export async function withStore<T>(
  options: DatabaseOptions,
  terminal: Terminal,
  work: (store: Store, config: Config | null) => Promise<T>,
  log?: StoreOptions["log"],
): Promise<T> {
  const { database, config } = target(options, terminal);
  return withStoreAt(database, terminal, (store) => work(store, config), log);
}

async function withStoreAt<T>(
  database: DatabaseConfig,
  terminal: Terminal,
  work: (store: Store) => Promise<T>,
  log: StoreOptions["log"] = (_level, message) => terminal.err(message),
): Promise<T> {
  const store = await openStore({
    ...database,
    uri: reachable(database),
    clock: systemClock,
    log,
  });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export function reachable({ uri }: DatabaseConfig): string {
  const text = uri?.reveal() ?? null;
  if (text !== null && parseDatabaseUri(text).kind !== "memory") return text;
  throw new OperatorError(
    "This database is in the server's memory, which other processes cannot reach. Name another one with --database.",
  );
}

export async function initialize(uri: string, terminal: Terminal): Promise<void> {
  await initializeDatabase(uri);
  terminal.err(`Initialized the database at ${parseDatabaseUri(uri).shown}.`);
}

export async function upgrade(uri: string, revision: string | undefined, terminal: Terminal): Promise<void> {
  const wanted = revision === "head" ? CURRENT_REVISION : (revision ?? null);
  if (wanted !== null && !SERVED_REVISIONS.includes(wanted)) {
    throw new OperatorError(`This version serves the revisions ${SERVED_REVISIONS.join(" and ")} only.`);
  }
  const { migrations, behind } = await upgradeDatabase(uri, wanted);
  const { shown } = parseDatabaseUri(uri);
  terminal.err(
    migrations.length === 0
      ? `tiled-auth's own tables in the database at ${shown} are up to date.`
      : `Upgraded tiled-auth's own tables in the database at ${shown}: ${migrations.join(", ")}.`,
  );
  if (behind !== undefined) terminal.err(behind);
}

export async function check(options: DatabaseOptions, terminal: Terminal): Promise<void> {
  const inspection = await inspectDatabase(reachable(target(options, terminal).database));
  if (inspection.kind !== "served") throw new OperatorError(complaint(inspection));
  terminal.out(`The database at ${inspection.shown} can be served.`);
  terminal.out(`  Tiled's tables: revision ${inspection.revision}`);
  terminal.out(
    inspection.level === null
      ? "  tiled-auth's own tables: none yet; the first start creates them"
      : `  tiled-auth's own tables: ${inspection.level}`,
  );
}

export async function purge(options: DatabaseOptions, terminal: Terminal): Promise<void> {
  const { database, auditRetentionDays, config } = target(options, terminal);
  await withStoreAt(database, terminal, async (store) => {
    const { busy, ...counts } = await purgeAll(store.maintenance, {
      clock: systemClock,
      auditRetentionDays,
      context: COMMAND_LINE,
    });
    terminal.out(
      `Deleted: ${counts.sessions} sessions, ${counts.pendingSessions} unfinished logins, ` +
        `${counts.apiKeys} API keys, ${counts.auditRows} audit rows.`,
    );
    if (config === null) {
      terminal.out(
        "No audit rows are deleted without a configuration, whose audit.retention_days is their lifetime. Name it with --config.",
      );
    }
    if (busy)
      throw new OperatorError("A server is purging this database at the moment, and will delete the rest.");
  });
}
