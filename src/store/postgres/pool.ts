/**
 * Connections to PostgreSQL: builds the pool from a URI and wraps a connection in kysely's interface. A connection that is lost
 * while idle is logged and dropped. Encryption is in `tls.ts`.
 */
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import pg from "pg";
import type { PostgresAddress, PostgresHost } from "../../database-uri/postgres.ts";
import type { NamedQuery } from "../base/statement.ts";
import { BoundClient } from "./binding.ts";
import { type Connections, inOrder, type Way } from "./fallback.ts";
import { passwordSource } from "./passfile.ts";
import { greet, requireOptions, sessionOf, type Timeouts } from "./session.ts";
import { type ConnectionSettings, connectionSettings } from "./settings.ts";
import { type Encryption, encryptionOf } from "./tls.ts";

/** Limits of a pool. */
export interface PoolLimits {
  /** Most connections. */
  readonly size: number;
  /** Milliseconds; undefined for work that may take long, such as building an index. */
  readonly statementTimeout: number | undefined;
  /** Whether to check on each new connection that the URI's options took effect; done once, before the server starts. */
  readonly proveOptions?: boolean;
}

/** Writes a line to the log. */
export type Log = (level: "info" | "warn" | "error", message: string) => void;

const INT8 = 20;
const TIMEOUTS = ["statement_timeout", "idle_in_transaction_session_timeout"] as const;

/** Creates the pool of a URI, or one pool per way if there are several hosts or `sslmode` allows a fallback. */
export function makePool(address: PostgresAddress, limits: PoolLimits, log: Log): Connections {
  const settings = connectionSettings(address);
  const plain = new Set<Way>();
  const ways = settings.hosts.flatMap((host) => {
    const encryptions = encryptionOf(address, host.host);
    return encryptions.map((encryption = false) => {
      const way = {
        pool: poolOf(address, host, encryption, settings, limits, log),
        host: `${host.host}${host.port === undefined ? "" : `:${host.port}`}`,
      };
      if (encryption === false && encryptions[0] !== false) plain.add(way);
      return way;
    });
  });
  const [first, ...others] = ways;
  if (first === undefined) throw new Error("No host.");
  if (others.length === 0) return first.pool;
  let logged = false;
  return inOrder([first, ...others], (taken) => {
    if (!logged && plain.has(taken))
      log("info", `Connections to ${address.shown} are not encrypted. sslmode=require enforces encryption.`);
    logged ||= plain.has(taken);
  });
}

function poolOf(
  address: PostgresAddress,
  { host, port }: PostgresHost & { readonly host: string },
  encryption: Encryption,
  settings: ConnectionSettings,
  { size, statementTimeout: longest, proveOptions }: PoolLimits,
  log: Log,
): pg.Pool {
  const { connectTimeout, options, channelBinding: binding } = settings;
  const statementTimeout = longest === undefined ? undefined : (settings.statementTimeout ?? longest);
  const timeouts: Timeouts = Object.fromEntries(
    TIMEOUTS.flatMap((name) =>
      statementTimeout === undefined || settings.optionSettings.some((option) => option.name === name)
        ? []
        : [[name, statementTimeout]],
    ),
  );
  const password = address.password ?? passwordSource(address, host);
  const pool = new pg.Pool({
    host,
    ...(port === undefined ? {} : { port }),
    ...(address.user === undefined ? {} : { user: address.user }),
    ...(password === undefined ? {} : { password: password as () => string }),
    ...(address.database === undefined ? {} : { database: address.database }),
    ...(options === undefined ? {} : { options }),
    ...(binding === "require" ? { Client: BoundClient } : {}),
    enableChannelBinding: binding === "require" || binding === "prefer",
    ssl: encryption,
    ...(settings.directTls && encryption !== false ? { sslnegotiation: "direct" as const } : {}),
    application_name: settings.applicationName,
    max: size,
    connectionTimeoutMillis: connectTimeout,
    keepAlive: settings.keepAlive,
    keepAliveInitialDelayMillis: settings.keepAliveIdle,
    // If the server vanished without closing the connection, only a timeout on our side ends the wait.
    ...(statementTimeout === undefined ? {} : { query_timeout: statementTimeout + connectTimeout }),
    onConnect: async (client) => {
      await greet(client, settings, timeouts);
      if (proveOptions) await requireOptions(client, settings);
    },
    types: { getTypeParser },
  });
  // An error on a connection in use also fails its query. Without a listener it would end the process.
  pool.on("connect", (client) => client.on("error", () => {}));
  pool.on("error", (error) =>
    log("warn", `A connection to PostgreSQL was lost while idle: ${error.message}`),
  );
  return pool;
}

/** Reads int8 as a number, since counts and ids are far below 2^53; other types as pg does. */
const getTypeParser: typeof pg.types.getTypeParser = (id: number, format?: unknown) =>
  id === INT8 ? Number : pg.types.getTypeParser(id, format as "text");

/** One connection behind kysely's interface. */
export class PostgresConnection implements DatabaseConnection {
  readonly client: pg.PoolClient;

  constructor(client: pg.PoolClient) {
    this.client = client;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const values = query.parameters as unknown[];
    const { name } = query as Partial<NamedQuery>;
    // Through a pooler the next transaction may have another session, which does not know the statement.
    const result =
      name !== undefined && sessionOf(this.client).direct
        ? await this.client.query({ name, text: query.sql, values })
        : await this.client.query(query.sql, values);
    return { rows: result.rows as R[], numAffectedRows: BigInt(result.rowCount ?? 0) };
  }

  /** Required by kysely's interface; nothing in the store streams. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Streaming is not used with PostgreSQL.");
  }
}
