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
  /** The newest `limit` rows, still in rising order. */
  readonly newest?: boolean;
}

export interface AuditStore {
  /** Of equal events in a loop the first ones of an hour get rows of their own, the others one row with a count. */
  append(events: readonly AuditEvent[]): Promise<void>;
  read(filter: AuditFilter): Promise<readonly AuditRow[]>;
  /**
   * Names of the transactions that may be writing rows. A row with an id below one that was read before belongs to one of
   * them, or is visible to whoever reads now.
   */
  writers(): Promise<readonly string[]>;
}
