/**
 * Maps database errors to failures: full, busy, or unavailable. Any other error is a bug and stays as it is. Messages of the
 * database go to the log only, and never with the values of a row.
 */
import { Failure, type FailureCode } from "../../errors.ts";

/** An error as a plain value that can be sent between threads. */
export type PlainError =
  | { readonly kind: "failure"; readonly code: FailureCode; readonly log: string }
  | { readonly kind: "bug"; readonly message: string; readonly stack: string | undefined };

const SQLITE_UNAVAILABLE = new Set([
  "SQLITE_BUSY",
  "SQLITE_LOCKED",
  "SQLITE_IOERR",
  "SQLITE_READONLY",
  "SQLITE_CANTOPEN",
  "SQLITE_CORRUPT",
  "SQLITE_NOTADB",
  "SQLITE_PERM",
  "SQLITE_PROTOCOL",
  "SQLITE_NOMEM",
  "SQLITE_SCHEMA",
]);

/** SQLSTATEs of a database that cannot be used at the moment. 42P01 (no such table): the schema was dropped. */
const UNAVAILABLE = /^(08...|57...|53...|58...|25006|28...|3D000|42P01|55P03|40...|XX...)$/;
/**
 * SQLSTATEs of an overloaded database: too many connections or locks, or a statement that took too long. Callers can cause
 * these, so they must not count as a database that cannot be reached.
 */
const BUSY = /^(53300|57014|55P03|40...)$/;
/** pg's message, without a code, when no connection of the pool became free in time. */
const POOL_FULL = "timeout exceeded when trying to connect";
/** The server ended the connection, or Node's socket did. */
const CONNECTION_LOST = /^(08...|57P0.|E(?!RR_)[A-Z_]+|ERR_(TLS|SSL)_.*|.*CERT.*)$/;
/** pg's messages, without a code, for a connection that ended or could not be made. */
const POOL_MESSAGES =
  /connection terminated|query read timeout|SSL connection|client has encountered a connection error|not queryable|connection ended|after calling end/i;

/** The failure that a database error stands for; undefined for a bug. */
export function asFailure(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  const log = `database: ${code === undefined ? "" : `${code}: `}${messageOf(error)}`;
  if (isBusy(error)) return busy(log);
  if (code === "SQLITE_FULL" || code === "53100") return new Failure("store_full", { log });
  if (code !== undefined && SQLITE_UNAVAILABLE.has(primary(code)))
    return new Failure("store_unavailable", { log });
  if (UNAVAILABLE.test(code ?? "") || isConnectionLost(error))
    return new Failure("store_unavailable", { log });
  // Text that PostgreSQL cannot store: a NUL character, or too many characters.
  if (code === "22021" || code === "22P05" || code === "22001") return new Failure("invalid", { log });
  return undefined;
}

/** Whether a SQLite connection must be reopened after this error. */
export function isUnusable(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && /^SQLITE_(IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|NOMEM)/.test(code);
}

/** Whether the database is overloaded rather than unreachable. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined ? messageOf(error) === POOL_FULL : BUSY.test(code);
}

/** Whether the connection to PostgreSQL ended or could not be made. */
export function isConnectionLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined ? POOL_MESSAGES.test(messageOf(error)) : CONNECTION_LOST.test(code);
}

/** The SQLSTATE, SQLite code or errno name of an error. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/** The message of an error, or the thrown value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `SQLITE_IOERR_WRITE` is a kind of `SQLITE_IOERR`. */
function primary(code: string): string {
  return code.split("_").slice(0, 2).join("_");
}

/** Converts an error for another thread. */
export function toPlain(error: unknown): PlainError {
  const failure = asFailure(error);
  if (failure !== undefined) return { kind: "failure", code: failure.code, log: failure.message };
  return { kind: "bug", message: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
}

/** Restores an error from another thread. */
export function fromPlain(plain: PlainError): Error {
  if (plain.kind === "failure") return new Failure(plain.code, { log: plain.log });
  const error = new Error(plain.message);
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}

/** Error of a command that another one overtook. It is retried like a serialization failure of the database. */
export function lostRace(what: string): Error {
  return Object.assign(new Error(`A command lost a race: ${what}.`), { code: "40001" });
}

/** Failure of a change whose outcome is unknown, because the database was lost before it answered. */
export function uncertain(log: string): Failure {
  return new Failure("store_unavailable", {
    detail:
      "The connection to the database was lost during the change, which may have been saved. Check, then try again.",
    log: `A change may or may not have been committed: ${log}`,
  });
}

/** Failure `store_busy`, with `Retry-After: 1`. `log` is for the log only. */
export function busy(log: string): Failure {
  return new Failure("store_busy", { log, headers: { "retry-after": "1" } });
}

/** Failure `store_unavailable`. `log` is for the log only. */
export function unavailable(log: string, cause?: unknown): Failure {
  return new Failure("store_unavailable", { log, cause });
}
