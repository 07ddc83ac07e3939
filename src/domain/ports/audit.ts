/** The audit log in the store: appended to and read, never changed. The rules of `store.ts` hold. */
import type { Uuid } from "../../lib/uuid.ts";
import type { AuditEvent, AuditEventName, AuditRow } from "../model/entities.ts";

export interface AuditFilter {
  /** Rows with a greater id only. */
  readonly after?: number;
  readonly since?: Date;
  readonly events?: readonly AuditEventName[];
  readonly principal?: Uuid;
  readonly limit: number;
  /** The newest `limit` rows, still in ascending order. */
  readonly newest?: boolean;
}

export interface AuditStore {
  /** Of repeated equal events, the first ones of an hour get their own rows, the others share one row with a count. */
  append(events: readonly AuditEvent[]): Promise<void>;
  read(filter: AuditFilter): Promise<readonly AuditRow[]>;
  /**
   * Names of the transactions that may be writing rows. A row with an id below one already read is either visible now, or
   * belongs to one of them.
   */
  writers(): Promise<readonly string[]>;
}
