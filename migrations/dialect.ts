/**
 * Type names of the dialect that migrations run on.
 */
import { type Kysely, PostgresAdapter, type RawBuilder, sql } from "kysely";

export interface Types {
  readonly postgres: boolean;
  /** A point in time, UTC. */
  readonly time: RawBuilder<unknown>;
  readonly json: RawBuilder<unknown>;
}

export function typesOf(db: Kysely<unknown>): Types {
  const postgres = db.getExecutor().adapter instanceof PostgresAdapter;
  return {
    postgres,
    time: postgres ? sql`timestamp with time zone` : sql`datetime`,
    json: postgres ? sql`jsonb` : sql`json`,
  };
}
