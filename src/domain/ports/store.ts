/**
 * The store, one small interface for each aggregate. `store/` implements them for SQLite and PostgreSQL with the same code, and
 * one conformance suite tests both against the rules here.
 *
 * Rules for every method:
 * - A method that writes resolves only once the change is durable, and writes its audit rows in the same transaction.
 * - An outcome that a caller must distinguish is a value (`kind`). Only a broken or full database throws, a `Failure`
 *   `store_unavailable`, `store_busy` or `store_full`; nothing is changed then.
 * - Limits hold under concurrency: the principal's row is locked while they are counted.
 * - A change by an actor (`context.credential`) happens only if that credential is valid and its principal enabled, both
 *   checked inside the change's transaction; otherwise the outcome is `credential_revoked`.
 */
import type { AccountStore, BrowserSessionStore } from "./accounts.ts";
import type { ApiKeyStore } from "./api-keys.ts";
import type { AuditStore } from "./audit.ts";
import type { CaveStore } from "./cave.ts";
import type { CaveImporter } from "./cave-import.ts";
import type { Changes } from "./changes.ts";
import type { FailureCounters } from "./failures.ts";
import type { LocalAccountStore } from "./local-accounts.ts";
import type { BrowserLoginStore, DeviceLoginStore } from "./logins.ts";
import type { Maintenance } from "./maintenance.ts";
import type { PrincipalStore } from "./principals.ts";
import type { SessionStore } from "./sessions.ts";

export interface Store {
  readonly dialect: "sqlite" | "postgresql";
  /** Whether the data outlives the process. */
  readonly durable: boolean;
  readonly changes: Changes;
  readonly principals: PrincipalStore;
  readonly sessions: SessionStore;
  readonly apiKeys: ApiKeyStore;
  readonly audit: AuditStore;
  readonly maintenance: Maintenance;
  readonly failures: FailureCounters;
  readonly deviceLogins: DeviceLoginStore;
  readonly browserLogins: BrowserLoginStore;
  readonly browserSessions: BrowserSessionStore;
  readonly accounts: AccountStore;
  readonly localAccounts: LocalAccountStore;
  readonly caveImporter: CaveImporter;
  readonly cave: CaveStore;
  /** Finishes work in progress and closes the database. */
  close(): Promise<void>;
}
