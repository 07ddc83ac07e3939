/**
 * Connections to PostgreSQL: the pool's options from a URI, and one connection behind kysely's interface. A connection
 * that is lost while idle leaves the pool with a line in the log and nothing else.
 */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import pg from "pg";
import { OperatorError } from "../errors.ts";
import { messageOf } from "./errors.ts";
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

export function makePool(
  address: PostgresAddress,
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
    ssl: tls(address.parameters),
    application_name: address.parameters["application_name"] ?? "tiled-auth",
    max: size,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    ...timeouts,
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

/** `sslmode` as libpq has it, or `ssl` as asyncpg's URIs do. */
function tls(parameters: Readonly<Record<string, string>>): false | ConnectionOptions {
  const mode = parameters["sslmode"] ?? parameters["ssl"] ?? "disable";
  switch (mode.toLowerCase()) {
    case "disable":
    case "allow":
    case "prefer":
    case "false":
    case "0":
      return false;
    case "require":
    case "true":
    case "1":
      // libpq's meaning: encrypted, the server's certificate checked only where a root is given.
      return { ...files(parameters), rejectUnauthorized: parameters["sslrootcert"] !== undefined };
    case "verify-ca":
      return { ...files(parameters), rejectUnauthorized: true, checkServerIdentity: () => undefined };
    case "verify-full":
      return { ...files(parameters), rejectUnauthorized: true };
    default:
      throw new OperatorError(
        `sslmode=${mode} of the database's URI is not known: disable, allow, prefer, require, verify-ca or verify-full.`,
      );
  }
}

function files(parameters: Readonly<Record<string, string>>): ConnectionOptions {
  const options: ConnectionOptions = {};
  for (const [parameter, option] of [
    ["sslrootcert", "ca"],
    ["sslcert", "cert"],
    ["sslkey", "key"],
  ] as const) {
    const path = parameters[parameter];
    if (path === undefined) continue;
    try {
      options[option] = readFileSync(path);
    } catch (error) {
      throw new OperatorError(`${parameter} of the database's URI cannot be read: ${messageOf(error)}`);
    }
  }
  return options;
}

export class PostgresConnection implements DatabaseConnection {
  readonly client: pg.PoolClient;

  constructor(client: pg.PoolClient) {
    this.client = client;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.client.query(query.sql, query.parameters as unknown[]);
    return { rows: result.rows as R[], numAffectedRows: BigInt(result.rowCount ?? 0) };
  }

  // biome-ignore lint/correctness/useYield: kysely asks for it, nothing in the store streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Streaming is not used with PostgreSQL.");
  }
}
