/** Deleting expired rows in batches. The rules of `store.ts` hold. */
import type { RequestContext } from "../model/entities.ts";

export interface Purged {
  readonly sessions: number;
  readonly pendingSessions: number;
  readonly apiKeys: number;
  readonly auditRows: number;
  /** Whether a full batch was found, so that there may be more. */
  readonly more: boolean;
  /** Another server holds the lock (PostgreSQL): nothing was done. */
  readonly busy: boolean;
}

export interface Purge {
  readonly now: Date;
  /** Rows of each table at most. */
  readonly batch: number;
  /** Older audit rows are deleted; null: none. */
  readonly auditBefore: Date | null;
  /** The operator's request; absent where a server purges by itself. */
  readonly context?: RequestContext | undefined;
}

export interface Maintenance {
  /** Deletes one batch. Audit: database_purged, with the counts, where an operator asked and something was deleted. */
  purge(request: Purge): Promise<Purged>;
  /** Throws if the database cannot be written to. */
  ping(): Promise<void>;
}
