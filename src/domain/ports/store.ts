/**
 * What the domain asks of a store, one small interface per aggregate. SQLite and PostgreSQL implement them with the
 * same code (`store/`), and one conformance suite holds both to what stands here.
 *
 * Rules for every method:
 * - A method that writes resolves only once the change is durable, and writes its audit rows in the same transaction.
 * - An outcome that a caller must tell apart is a value (`kind`); only a broken or full database throws, as a
 *   `Failure` `store_unavailable`, `store_busy` or `store_full`. Nothing is changed then.
 * - Limits hold under concurrency: the principal's row is locked while they are counted.
 * - What an actor changes (`context.credential`) is changed only while that credential counts and its principal is not
 *   disabled, both looked at inside the change's transaction; else the outcome is `shut_out`.
 */
import type { AccountStore, BrowserSessionStore } from "./accounts.ts";
import type { ApiKeyStore } from "./api-keys.ts";
import type { AuditStore } from "./audit.ts";
import type { FailureCounters } from "./failures.ts";
import type { BrowserLoginStore, DeviceLoginStore } from "./logins.ts";
import type { Maintenance } from "./maintenance.ts";
import type { PrincipalStore } from "./principals.ts";
import type { SessionStore } from "./sessions.ts";

export interface Store {
  readonly dialect: "sqlite" | "postgresql";
  /** Whether the data outlives the process. */
  readonly durable: boolean;
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
  /** Finishes what is under way and closes the database. */
  close(): Promise<void>;
}
