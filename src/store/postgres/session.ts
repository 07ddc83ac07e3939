/**
 * The first question on a new connection: is the server what the URI asks for, and does a pooler such as PgBouncer stand in
 * between? Settings of a session are made only where the session is ours; through a pooler each transaction brings its own.
 */
import type pg from "pg";
import { OperatorError } from "../../errors.ts";
import { codeOf } from "../base/errors.ts";
import type { ConnectionSettings } from "./settings.ts";

export interface Session {
  /** False: through a pooler, which may give each transaction another session. */
  readonly direct: boolean;
  /** Whether a single statement runs at `read committed` without being told so. */
  readonly readCommitted: boolean;
  /** What begins a transaction. */
  readonly begin: string;
}

/** The locks of a command rely on it: each statement sees what others committed before it. */
const BEGIN = "begin isolation level read committed";
const PLAIN: Session = { direct: true, readCommitted: true, begin: BEGIN };

const SESSIONS = new WeakMap<object, Session>();

export function sessionOf(client: pg.ClientBase): Session {
  return SESSIONS.get(client) ?? PLAIN;
}

/** Ends transactions and statements that take too long, unless the URI's own options say when. */
export type Timeouts = Readonly<Record<string, number>>;

interface Answer {
  readonly pid: number;
  readonly standby: boolean;
  readonly read_only: string;
  readonly isolation: string;
}

/** For pg's `onConnect`. */
export async function greet(
  client: pg.ClientBase,
  { target, connectTimeout }: Pick<ConnectionSettings, "target" | "connectTimeout">,
  timeouts: Timeouts,
): Promise<void> {
  // A pooler makes up the number that stands for the session.
  const given = (client as { readonly processID?: number | null }).processID ?? 0;
  const own = Object.entries({ ...timeouts, default_transaction_isolation: "read committed" }).map(
    ([name, value]) => `set_config('${name}', '${value}', false)`,
  );
  const { rows } = await client.query<Answer>({
    text: `select pg_backend_pid() as pid, pg_is_in_recovery() as standby, current_setting('default_transaction_read_only') as read_only, current_setting('default_transaction_isolation') as isolation, case when pg_backend_pid() = ${Number(given)} then concat(${own.join(", ")}) end`,
    query_timeout: connectTimeout,
  } as pg.QueryConfig);
  const [found] = rows;
  if (found === undefined) return;
  const wrong = mismatch(target, found);
  if (wrong !== undefined) {
    throw Object.assign(
      new Error(`the server is ${wrong}, and target_session_attrs=${target} asks for another`),
      {
        code: WRONG_SERVER,
      },
    );
  }
  const direct = found.pid === given;
  const locally = Object.entries(timeouts).map(([name, value]) => `; set local ${name} = ${value}`);
  SESSIONS.set(client, {
    direct,
    readCommitted: direct || found.isolation === "read committed",
    begin: direct ? BEGIN : BEGIN + locally.join(""),
  });
}

/** SQLSTATE "the server rejected the connection": callers may try another host. */
export const WRONG_SERVER = "08004";

function mismatch(target: ConnectionSettings["target"], found: Answer): string | undefined {
  if (target !== "any" && found.standby) return "a standby";
  return target === "read-write" && found.read_only === "on" ? "read-only" : undefined;
}

/**
 * Refuses settings of the URI's options that did not arrive: a pooler that ignores them would put the tables into another
 * schema without a word.
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
      // It can be set at the beginning of a session only: nothing to compare with.
      if (codeOf(error) === "55P02") continue;
      throw error;
    }
    throw new OperatorError(
      `The setting ${name} in the options of the database's URI did not reach PostgreSQL: a pooler in between ignores it. Leave it out there, and give it to the user of the database: ALTER ROLE … SET ${name} = …`,
    );
  }
}
