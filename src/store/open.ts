/**
 * Opens a store from a URI: inspects the database before touching it, initializes and migrates it where that is allowed,
 * and connects. Also holds the database commands of `tiled admin`.
 */
import { MIGRATIONS } from "../../migrations/index.ts";
import { type DatabaseAddress, parseDatabaseUri } from "../database-uri/database-uri.ts";
import type { FailureCounters } from "../domain/ports/failures.ts";
import type { Store } from "../domain/ports/store.ts";
import { OperatorError } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { accountStore } from "./account.ts";
import { apiKeyStore } from "./api-keys.ts";
import { auditStore } from "./audit.ts";
import { messageOf } from "./base/errors.ts";
import { browserLoginStore } from "./browser-logins.ts";
import { browserSessionStore } from "./browser-session.ts";
import { caveStore } from "./cave.ts";
import { caveImporter } from "./cave-import.ts";
import type { Backend } from "./commands/backend.ts";
import { deviceLoginStore } from "./device.ts";
import { memoryCounters, postgresCounters } from "./failures.ts";
import { localAccountStore } from "./local-accounts.ts";
import { maintenance } from "./maintenance.ts";
import { principalStore } from "./principals.ts";
import type { Preparation } from "./schema/prepare.ts";
import { behind, type Inspection, refuse } from "./schema/revisions.ts";
import { sessionStore } from "./sessions.ts";
import { checkFile, openMemory, prepareFile } from "./sqlite/database.ts";
import { inspectFile } from "./sqlite/inspect.ts";
import { sqliteFileBackend, sqliteMemoryBackend } from "./sqlite/sqlite.ts";

/** Options of `openStore`. */
export interface StoreOptions {
  /** Null for a database in memory. */
  readonly uri: string | null;
  readonly initIfNotExists: boolean;
  readonly poolSize: number;
  readonly maxOverflow: number;
  readonly poolPrePing: boolean;
  /** Whether only tiled-auth writes to a PostgreSQL database. */
  readonly exclusiveWriter: boolean;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
  readonly clock: Clock;
}

/** Time limit of one statement in milliseconds. None of the store's takes a hundredth of it. */
const STATEMENT_TIMEOUT = 15_000;

/**
 * Opens the store, after creating or migrating the database where the options allow it.
 * @throws OperatorError if the database is missing, cannot be reached, or is not one that this version serves
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { log, clock } = options;
  const address = parseDatabaseUri(options.uri);
  if (address.kind === "memory") return assemble(sqliteMemoryBackend(await openMemory()), memoryCounters());
  const { created, migrations } = await prepareDatabase(address, options.initIfNotExists);
  if (created) log("info", `Created a new database at ${address.shown}.`);
  if (migrations.length > 0)
    log("info", `Migrated the database at ${address.shown}: ${migrations.join(", ")}.`);
  if (address.kind === "file") {
    const backend = sqliteFileBackend({ path: address.path, busyTimeout: address.busyTimeout, clock, log });
    return assemble(await working(backend), memoryCounters());
  }
  const limits = { size: options.poolSize + options.maxOverflow, statementTimeout: STATEMENT_TIMEOUT };
  const { makePool, postgresBackend } = await postgres();
  const pool = makePool(address, limits, log);
  // What is said of connections, the pool says of its own.
  const quiet: typeof log = (level, message) => (level === "info" ? undefined : log(level, message));
  const listening = options.exclusiveWriter ? makePool(address, { ...limits, size: 1 }, quiet) : null;
  const backend = postgresBackend({ pool, prePing: options.poolPrePing, listening, clock, log });
  return assemble(await working(backend), postgresCounters(backend));
}

/** Fails at the start, not at the first request, if the database cannot be read. */
async function working(backend: Backend): Promise<Backend> {
  try {
    await backend.ping();
    return backend;
  } catch (error) {
    await backend.close();
    throw new OperatorError(`The database cannot be read: ${messageOf(error)}.`);
  }
}

function assemble(backend: Backend, failures: FailureCounters): Store {
  return {
    dialect: backend.dialect,
    durable: backend.durable,
    changes: backend.news,
    principals: principalStore(backend),
    sessions: sessionStore(backend),
    apiKeys: apiKeyStore(backend),
    audit: auditStore(backend),
    maintenance: maintenance(backend),
    failures,
    deviceLogins: deviceLoginStore(backend),
    browserLogins: browserLoginStore(backend),
    browserSessions: browserSessionStore(backend),
    accounts: accountStore(backend),
    localAccounts: localAccountStore(backend),
    caveImporter: caveImporter(backend),
    cave: caveStore(backend),
    close: () => backend.close(),
  };
}

/** Loads the PostgreSQL client on first use only. */
async function postgres() {
  const [{ postgresBackend }, { inspectPostgresDatabase, preparePostgres }, { makePool }] = await Promise.all(
    [import("./postgres/postgres.ts"), import("./postgres/database.ts"), import("./postgres/pool.ts")],
  );
  return { postgresBackend, inspectPostgresDatabase, preparePostgres, makePool };
}

async function prepareDatabase(address: StoredAddress, mayCreate: boolean): Promise<Preparation> {
  if (address.kind === "file") return prepareFile(address.path, mayCreate && address.mustExist !== true);
  return (await postgres()).preparePostgres(address, mayCreate);
}

/** `tiled admin initialize-database`. Throws an OperatorError for a database that is already initialized. */
export async function initializeDatabase(uri: string): Promise<void> {
  const address = parseStored(uri);
  const found = await inspect(address);
  if (found.kind === "served" || found.kind === "older") {
    throw new OperatorError(
      `The database at ${found.shown} is already initialized (revision ${found.revision}).`,
    );
  }
  if (found.kind !== "absent" && found.kind !== "empty") throw refuse(found);
  await prepareDatabase(address, true);
}

/** Result of `upgradeDatabase`. */
export interface Upgrade {
  /** Names of our own migrations that were run. */
  readonly migrations: readonly string[];
  /** Advice for the operator if Tiled's own tables are behind the newest known revision. */
  readonly behind: string | undefined;
}

/**
 * `tiled admin upgrade-database`: migrates our own tables; Tiled upgrades its tables itself.
 * @throws OperatorError, before anything is changed, if the database is not at `revision`
 */
export async function upgradeDatabase(uri: string, revision: string | null = null): Promise<Upgrade> {
  const address = parseStored(uri);
  const found = await inspect(address);
  if (found.kind === "served" && revision !== null && revision !== found.revision) {
    throw new OperatorError(
      `${behind(found) ?? `The database at ${found.shown} is at revision ${found.revision}, the newest that this version knows.`} Nothing was changed.`,
    );
  }
  const { migrations } = await prepareDatabase(address, false);
  return { migrations, behind: behind(found) };
}

/** Throws what a start would throw, as far as it can tell without a connection: for PostgreSQL only the URI is checked. Changes nothing. */
export function checkBeforeStart(uri: string | null, initIfNotExists: boolean): void {
  const address = parseDatabaseUri(uri);
  if (address.kind === "file") checkFile(address.path, initIfNotExists);
}

/** `tiled admin check database`. Changes nothing. */
export async function inspectDatabase(uri: string): Promise<Inspection> {
  return inspect(parseStored(uri));
}

/** Whether all of our migrations have run, so that opening the database changes nothing. */
export function isCurrent({ kind, level }: Inspection): boolean {
  return kind === "served" && level === Object.keys(MIGRATIONS).at(-1);
}

type StoredAddress = Exclude<DatabaseAddress, { kind: "memory" }>;

function parseStored(uri: string): StoredAddress {
  const address = parseDatabaseUri(uri);
  if (address.kind === "memory") {
    throw new OperatorError("An in-memory database is lost when this command ends. Give the path of a file.");
  }
  return address;
}

async function inspect(address: StoredAddress): Promise<Inspection> {
  if (address.kind === "file") return inspectFile(address.path);
  return (await postgres()).inspectPostgresDatabase(address);
}
