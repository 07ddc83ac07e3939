/**
 * Database URIs as the reference reads them (SQLAlchemy's): SQLite files, SQLite in memory, PostgreSQL, or a bare path.
 * Each kind has a file of its own. No message here repeats a URI's password.
 */
import { OperatorError } from "../errors.ts";
import { type PostgresAddress, parsePostgres } from "./postgres.ts";
import { type FileAddress, file, type MemoryAddress, parseSqlite } from "./sqlite.ts";

export type DatabaseAddress = MemoryAddress | FileAddress | PostgresAddress;

const SCHEME = /^([a-z][a-z0-9+_]*):\/\/(.*)$/is;

/** A database's name and the better part of `://`; a folder may have such a name, but `/` follows it only once. */
const ALMOST_SCHEME = /^[\s"'<]*(?:postgres(?:ql)?|sqlite)(?:\+[^:/\\]*)?\s*(?::|\/\/)/i;
/** A user's name and a password where a URI has them, or within one part of a path. */
const PASSWORD = /(?:^|[\\/]{2})[^\\/]*:[^@]*@|:[^\\/@]*@/;
/** Of a path on Windows. */
const DRIVE = /^[a-z]:(?=[\\/])/i;

/** What would be read as something without a secret, a path or a database's name, and so be shown with its password. */
export function isMistyped(uri: string): boolean {
  const [, scheme, rest] = SCHEME.exec(uri) ?? [];
  if (scheme === undefined || rest === undefined)
    return ALMOST_SCHEME.test(uri) || PASSWORD.test(uri.replace(DRIVE, ""));
  return kindOf(scheme) === "postgresql" && /^\/[^?]*:[^?]*@/.test(rest);
}

export function parseDatabaseUri(uri: string | null): DatabaseAddress {
  if (uri === null) return { kind: "memory", shown: "in memory" };
  if (isMistyped(uri)) {
    throw new OperatorError(
      "The database's URI is neither a URI nor a path. It looks like this: sqlite:////path/to/file.db or postgresql://user:password@host:5432/name. A path with such a beginning is written with sqlite:/// before it.",
    );
  }
  if (/^file:/i.test(uri)) {
    throw new OperatorError(
      "The database's URI begins with file:, which is SQLite's own form. Write sqlite:/// before it, or give the path alone.",
    );
  }
  const [, scheme, rest] = SCHEME.exec(uri) ?? [];
  if (scheme === undefined || rest === undefined) return file(uri);
  switch (kindOf(scheme)) {
    case "sqlite":
      return parseSqlite(rest, driverOf(scheme));
    case "postgresql":
      return parsePostgres(rest);
    default:
      throw new OperatorError(
        `A database of the kind "${scheme}" is not supported. Use sqlite:////path/to/file.db or postgresql://user:password@host:5432/name.`,
      );
  }
}

/** Without the driver. */
function kindOf(scheme: string): string | undefined {
  const [name] = scheme.toLowerCase().split("+");
  return name === "postgres" ? "postgresql" : name;
}

function driverOf(scheme: string): string | undefined {
  return scheme.toLowerCase().split("+")[1];
}
