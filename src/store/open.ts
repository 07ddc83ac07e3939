/**
 * Where a store comes from: a URI, looked at before anything is touched, initialized and migrated where that is allowed,
 * and opened. Also what `tiled admin` does to databases.
 */
import type { Store } from "../domain/ports.ts";
import { OperatorError } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { apiKeyStore } from "./api-keys.ts";
import { auditStore } from "./audit.ts";
import type { Backend } from "./backend.ts";
import { memoryCounters } from "./failures.ts";
import { initializeFile, openMemory, prepareFile } from "./initialize-sqlite.ts";
import { inspectFile } from "./inspect-sqlite.ts";
import { principalStore } from "./principals.ts";
import { maintenance } from "./purge.ts";
import { type Inspection, refuse } from "./revisions.ts";
import { sessionStore } from "./sessions.ts";
import { sqliteFileBackend, sqliteMemoryBackend } from "./sqlite.ts";
import { type DatabaseAddress, parseDatabaseUri } from "./uri.ts";

export interface StoreOptions {
  /** Null: in memory. */
  readonly uri: string | null;
  readonly initIfNotExists: boolean;
  readonly poolSize: number;
  readonly maxOverflow: number;
  readonly poolPrePing: boolean;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
  readonly clock: Clock;
}

export async function openStore(options: StoreOptions): Promise<Store> {
  const address = parseDatabaseUri(options.uri);
  return assemble(await openBackend(address, options));
}

async function openBackend(address: DatabaseAddress, options: StoreOptions): Promise<Backend> {
  switch (address.kind) {
    case "memory":
      return sqliteMemoryBackend(await openMemory());
    case "file": {
      const { path } = address;
      const inspection = inspectFile(path);
      const fresh = inspection.kind === "absent" || inspection.kind === "empty";
      if (fresh && !options.initIfNotExists) throw refuse(inspection);
      if (fresh && (await initializeFile(path))) options.log("info", `Made a new database at ${path}.`);
      report(options, path, await prepareFile(path));
      return sqliteFileBackend({ path, clock: options.clock, log: options.log });
    }
    case "postgresql":
      throw new OperatorError("PostgreSQL is not supported.");
  }
}

function report({ log }: StoreOptions, shown: string, migrations: readonly string[]): void {
  if (migrations.length > 0) log("info", `Prepared the database at ${shown}: ${migrations.join(", ")}.`);
}

function assemble(backend: Backend): Store {
  return {
    dialect: backend.dialect,
    durable: backend.durable,
    principals: principalStore(backend),
    sessions: sessionStore(backend),
    apiKeys: apiKeyStore(backend),
    audit: auditStore(backend),
    maintenance: maintenance(backend),
    failures: memoryCounters(),
    close: () => backend.close(),
  };
}

/** `tiled admin initialize-database`. Refuses a database that is there already. */
export async function initializeDatabase(uri: string): Promise<void> {
  const address = parseDatabaseUri(uri);
  const inspection = await inspect(address);
  if (inspection.kind === "served" || inspection.kind === "older") {
    throw new OperatorError(
      `The database at ${inspection.shown} is initialized already (revision ${inspection.revision}).`,
    );
  }
  if (inspection.kind !== "absent" && inspection.kind !== "empty") throw refuse(inspection);
  if (address.kind !== "file") throw memory();
  await initializeFile(address.path);
  await prepareFile(address.path);
}

/** `tiled admin upgrade-database`: our own tables. The migrations that were run. */
export async function upgradeDatabase(uri: string): Promise<readonly string[]> {
  const address = parseDatabaseUri(uri);
  if (address.kind !== "file") throw memory();
  return prepareFile(address.path);
}

/** `tiled admin check database`. */
export async function inspectDatabase(uri: string): Promise<Inspection> {
  return inspect(parseDatabaseUri(uri));
}

async function inspect(address: DatabaseAddress): Promise<Inspection> {
  if (address.kind === "file") return inspectFile(address.path);
  throw memory();
}

function memory(): OperatorError {
  return new OperatorError("A database in memory ends with the command: give the path of a file.");
}
