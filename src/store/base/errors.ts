/**
 * A database's errors as ours: full, or not usable at the moment. What is neither stays what it is, a bug. Messages of
 * the databases go to the log only, and never with the values that a row holds.
 */
import { Failure, type FailureCode } from "../../errors.ts";

/** An error that crosses the border of a thread. */
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

/**
 * SQLSTATEs that mean: the database cannot be used at the moment. 42P01 (no such table): the schema was dropped.
 */
const UNAVAILABLE = /^(08...|57...|53...|58...|25006|28...|3D000|42P01|55P03|40...|XX...)$/;
/**
 * The database is there and has no time: too many connections or locks, or a statement that took too long. Who can cause
 * that must not make it count as a database that cannot be reached.
 */
const BUSY = /^(53300|57014|55P03|40...)$/;
/** pg's, without a code: every connection of the pool was in use for too long. */
const POOL_FULL = "timeout exceeded when trying to connect";
/** The server ended the connection, or Node's socket did. */
const CONNECTION_LOST = /^(08...|57P0.|E(?!RR_)[A-Z_]+|ERR_(TLS|SSL)_.*|.*CERT.*)$/;
/** What pg says without a code when a connection ends or cannot be had. */
const POOL_MESSAGES =
  /connection terminated|query read timeout|SSL connection|client has encountered a connection error|not queryable|connection ended|after calling end/i;

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
  // A text that the database cannot hold: a NUL character or too many characters (PostgreSQL).
  if (code === "22021" || code === "22P05" || code === "22001") return new Failure("invalid", { log });
  return undefined;
}

/** Whether a SQLite connection must be opened anew after this error. */
export function isUnusable(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && /^SQLITE_(IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|NOMEM)/.test(code);
}

export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined ? messageOf(error) === POOL_FULL : BUSY.test(code);
}

export function isConnectionLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined ? POOL_MESSAGES.test(messageOf(error)) : CONNECTION_LOST.test(code);
}

export function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `SQLITE_IOERR_WRITE` is a kind of `SQLITE_IOERR`. */
function primary(code: string): string {
  return code.split("_").slice(0, 2).join("_");
}

export function toPlain(error: unknown): PlainError {
  const failure = asFailure(error);
  if (failure !== undefined) return { kind: "failure", code: failure.code, log: failure.message };
  return { kind: "bug", message: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
}

export function fromPlain(plain: PlainError): Error {
  if (plain.kind === "failure") return new Failure(plain.code, { log: plain.log });
  const error = new Error(plain.message);
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}

/** A command that finds itself overtaken by another is begun anew, as one that the database itself turns back. */
export function lostRace(what: string): Error {
  return Object.assign(new Error(`A command lost a race: ${what}.`), { code: "40001" });
}

/** What was asked before the database was lost, and not answered. Not even "nothing was changed" can be promised. */
export function uncertain(log: string): Failure {
  return new Failure("store_unavailable", {
    detail:
      "The database was lost while it was being changed. Whether it was changed is not known: look, then try again.",
    log: `Whether a change was committed is not known: ${log}`,
  });
}

export function busy(log: string): Failure {
  return new Failure("store_busy", { log, headers: { "retry-after": "1" } });
}

export function unavailable(log: string, cause?: unknown): Failure {
  return new Failure("store_unavailable", { log, cause });
}
