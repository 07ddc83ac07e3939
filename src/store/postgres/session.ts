/**
 * The first query on a new connection: checks that the server matches the URI and detects a pooler such as PgBouncer. Session
 * settings are made only on a direct connection; through a pooler each transaction sets its own.
 */
import type pg from "pg";
import { OperatorError } from "../../errors.ts";
import { codeOf } from "../base/errors.ts";
import type { ConnectionSettings } from "./settings.ts";

/** Properties of a connection's session. */
export interface Session {
  /** False through a pooler, which may give each transaction another session. */
  readonly direct: boolean;
  /** Whether `read committed` is the session's default isolation level. */
  readonly readCommitted: boolean;
  /** SQL that begins a transaction. */
  readonly begin: string;
  /** The start of the server process, which tells it from a standby, its successor and itself before a restart. */
  readonly instance: string;
}

/** Required by the locks of commands: each statement sees what others committed before it. */
const BEGIN = "begin isolation level read committed";
const PLAIN: Session = { direct: true, readCommitted: true, begin: BEGIN, instance: "" };

const SESSIONS = new WeakMap<object, Session>();

/** The session of a client that `greet` has seen; a direct one otherwise. */
export function sessionOf(client: pg.ClientBase): Session {
  return SESSIONS.get(client) ?? PLAIN;
}

/** Time limits of statements and transactions by setting, in milliseconds. Limits in the URI's own options are left out. */
export type Timeouts = Readonly<Record<string, number>>;

interface Answer {
  readonly pid: number;
  readonly standby: boolean;
  readonly read_only: string;
  readonly isolation: string;
  readonly instance: string;
}

/** For pg's `onConnect`. Rejects with SQLSTATE 08004 for a server that does not match `target_session_attrs`. */
export async function greet(
  client: pg.ClientBase,
  { target, connectTimeout }: Pick<ConnectionSettings, "target" | "connectTimeout">,
  timeouts: Timeouts,
): Promise<void> {
  // A pooler reports a made-up process id.
  const given = (client as { readonly processID?: number | null }).processID ?? 0;
  const own = Object.entries({ ...timeouts, default_transaction_isolation: "read committed" }).map(
    ([name, value]) => `set_config('${name}', '${value}', false)`,
  );
  const { rows } = await client.query<Answer>({
    text: `select pg_backend_pid() as pid, pg_is_in_recovery() as standby, current_setting('default_transaction_read_only') as read_only, current_setting('default_transaction_isolation') as isolation, extract(epoch from pg_postmaster_start_time())::text as instance, case when pg_backend_pid() = ${Number(given)} then concat(${own.join(", ")}) end`,
    query_timeout: connectTimeout,
  } as pg.QueryConfig);
  const [found] = rows;
  if (found === undefined) return;
  const wrong = mismatch(target, found);
  if (wrong !== undefined) {
    throw Object.assign(new Error(`the server is ${wrong}, which target_session_attrs=${target} excludes`), {
      code: WRONG_SERVER,
    });
  }
  const direct = found.pid === given;
  const locally = Object.entries(timeouts).map(([name, value]) => `; set local ${name} = ${value}`);
  SESSIONS.set(client, {
    direct,
    readCommitted: direct || found.isolation === "read committed",
    begin: direct ? BEGIN : BEGIN + locally.join(""),
    instance: found.instance,
  });
}

/** SQLSTATE "the server rejected the connection": callers may try another host. */
export const WRONG_SERVER = "08004";

function mismatch(target: ConnectionSettings["target"], found: Answer): string | undefined {
  if (target !== "any" && found.standby) return "a standby";
  return target === "read-write" && found.read_only === "on" ? "read-only" : undefined;
}

/**
 * Throws an OperatorError if the settings in the URI's options did not take effect: a pooler that ignores them would silently put
 * the tables into another schema.
 */
export async function requireOptions(
  client: pg.ClientBase,
  { optionSettings }: Pick<ConnectionSettings, "optionSettings">,
): Promise<void> {
  for (const { name, value } of optionSettings) {
    const { rows } = await client.query<{ before: string | null }>(
      "select current_setting($1, true) as before",
      [name],
    );
    const before = rows[0]?.before ?? null;
    try {
      const set = await client.query<{ now: string }>("select set_config($1, $2, true) as now", [
        name,
        value,
      ]);
      if (set.rows[0]?.now === before) continue;
    } catch (error) {
      // The setting can be changed only at the start of a session, so there is no value to compare.
      if (codeOf(error) === "55P02") continue;
      throw error;
    }
    throw new OperatorError(
      `The setting ${name} in the options of the database's URI did not reach PostgreSQL, because a pooler ignores it. Remove it from the URI and set it for the database user: ALTER ROLE … SET ${name} = …`,
    );
  }
}
