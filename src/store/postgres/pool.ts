/**
 * Connections to PostgreSQL: the pool's options from a URI, and one connection behind kysely's interface. A connection
 * that is lost while idle leaves the pool with a line in the log and nothing else. Encryption is in `tls.ts`.
 */
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import pg from "pg";
import type { PostgresAddress, PostgresHost } from "../../database-uri/postgres.ts";
import { BoundClient } from "./binding.ts";
import { type Connections, inOrder, type Way } from "./fallback.ts";
import { passwordSource } from "./passfile.ts";
import { greet, requireOptions, type Timeouts } from "./session.ts";
import { type ConnectionSettings, connectionSettings } from "./settings.ts";
import { type Encryption, encryptionOf } from "./tls.ts";

export interface PoolLimits {
  readonly size: number;
  /** Milliseconds; none for what may take long, such as building an index. */
  readonly statementTimeout: number | undefined;
  /** Whether each new connection proves that the URI's options arrived: once, before a server begins. */
  readonly proveOptions?: boolean;
}

export type Log = (level: "info" | "warn" | "error", message: string) => void;

const INT8 = 20;
const TIMEOUTS = ["statement_timeout", "idle_in_transaction_session_timeout"] as const;

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
  let told = false;
  return inOrder([first, ...others], (taken) => {
    if (!told && plain.has(taken))
      log("info", `Connections to ${address.shown} are not encrypted: sslmode=require asks for it.`);
    told ||= plain.has(taken);
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
    // Where the server is gone without a word, nothing but our own clock ends the wait.
    ...(statementTimeout === undefined ? {} : { query_timeout: statementTimeout + connectTimeout }),
    onConnect: async (client) => {
      await greet(client, settings, timeouts);
      if (proveOptions) await requireOptions(client, settings);
    },
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
