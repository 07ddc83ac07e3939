/**
 * Connections to PostgreSQL: the pool's options from a URI, and one connection behind kysely's interface. A connection
 * that is lost while idle leaves the pool with a line in the log and nothing else. Encryption is in `postgres-tls.ts`.
 */
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import pg from "pg";
import { type Connections, withFallback } from "./postgres-fallback.ts";
import { type Encryption, encryptionOf } from "./postgres-tls.ts";
import type { PostgresAddress } from "./uri.ts";

export interface PoolLimits {
  readonly size: number;
  /** Milliseconds; none for what may take long, such as building an index. */
  readonly statementTimeout: number | undefined;
}

export type Log = (level: "info" | "warn" | "error", message: string) => void;

/** How long a connection may take to be made, and a caller may wait for a free one; milliseconds. */
const CONNECT_TIMEOUT = 5000;
const INT8 = 20;

/**
 * Two single statements that change one row, such as those that count failures, wait for each other: where the database's
 * default is stricter, the second one would fail.
 */
const READ_COMMITTED = {
  text: "set default_transaction_isolation to 'read committed'",
  query_timeout: CONNECT_TIMEOUT,
};

export function makePool(address: PostgresAddress, limits: PoolLimits, log: Log): Connections {
  const [first, second] = encryptionOf(address);
  const pool = poolOf(address, first, limits, log);
  if (second === undefined) return pool;
  let told = first === false;
  return withFallback(pool, poolOf(address, second, limits, log), () => {
    if (!told) log("info", `Connections to ${address.shown} are not encrypted: sslmode=require asks for it.`);
    told = true;
  });
}

function poolOf(
  address: PostgresAddress,
  encryption: Encryption,
  { size, statementTimeout }: PoolLimits,
  log: Log,
): pg.Pool {
  const timeouts =
    statementTimeout === undefined
      ? {}
      : {
          statement_timeout: statementTimeout,
          idle_in_transaction_session_timeout: statementTimeout,
          // Where the server is gone without a word, nothing but our own clock ends the wait.
          query_timeout: statementTimeout + CONNECT_TIMEOUT,
        };
  const pool = new pg.Pool({
    ...(address.host === undefined ? {} : { host: address.host }),
    ...(address.port === undefined ? {} : { port: address.port }),
    ...(address.user === undefined ? {} : { user: address.user }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.database === undefined ? {} : { database: address.database }),
    ssl: encryption,
    application_name: address.parameters["application_name"] ?? "tiled-auth",
    max: size,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    ...timeouts,
    onConnect: (client) => client.query(READ_COMMITTED),
    types: { getTypeParser },
  });
  // A connection in use tells its user by the query that fails; without a listener the process would end.
  pool.on("connect", (client) => client.on("error", () => {}));
  pool.on("error", (error) =>
    log("warn", `A connection to PostgreSQL was lost while idle: ${error.message}`),
  );
  return pool;
}

/** Counts and ids are far below 2^53; everything else as pg reads it. */
const getTypeParser: typeof pg.types.getTypeParser = (id: number, format?: unknown) =>
  id === INT8 ? Number : pg.types.getTypeParser(id, format as "text");

export class PostgresConnection implements DatabaseConnection {
  readonly client: pg.PoolClient;

  constructor(client: pg.PoolClient) {
    this.client = client;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.client.query(query.sql, query.parameters as unknown[]);
    return { rows: result.rows as R[], numAffectedRows: BigInt(result.rowCount ?? 0) };
  }

  /** kysely asks for it; nothing in the store streams. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Streaming is not used with PostgreSQL.");
  }
}
