/** Deleting what has expired, in batches. The rules of `store.ts` hold. */
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

export interface Maintenance {
  /**
   * One small batch of what is expired; audit rows older than `auditBefore`. `context`: of who asked for it; absent where a
   * server does it by itself. Audit: database_purged, with the counts, where somebody asked and something was deleted.
   */
  purge(now: Date, batch: number, auditBefore: Date | null, context?: RequestContext): Promise<Purged>;
  /** Throws where the database cannot be changed. */
  ping(): Promise<void>;
}
