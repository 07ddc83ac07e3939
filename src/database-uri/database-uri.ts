/**
 * Database URIs in SQLAlchemy's form, as Tiled reads them: SQLite files, SQLite in memory, PostgreSQL, or a bare path. Each kind
 * has a file of its own. No message here repeats a URI's password.
 */
import { OperatorError } from "../errors.ts";
import { type PostgresAddress, parsePostgres } from "./postgres.ts";
import { type FileAddress, file, type MemoryAddress, parseSqlite } from "./sqlite.ts";

/** A parsed database URI. */
export type DatabaseAddress = MemoryAddress | FileAddress | PostgresAddress;

const SCHEME = /^([a-z][a-z0-9+_]*):\/\/(.*)$/is;

/** A database's scheme with a mistyped `://`. A folder may have such a name, but a single `/` follows it. */
const ALMOST_SCHEME = /^[\s"'<]*(?:postgres(?:ql)?|sqlite)(?:\+[^:/\\]*)?\s*(?::|\/\/)/i;
/** A user name and password at their place in a URI, or within one component of a path. */
const PASSWORD = /(?:^|[\\/]{2})[^\\/]*:[^@]*@|:[^\\/@]*@/;
/** Drive letter of a Windows path. */
const DRIVE = /^[a-z]:(?=[\\/])/i;

/** Whether a text is a mistyped URI that would be taken for a path or a database name, and be shown with its password. */
export function isMistyped(uri: string): boolean {
  const [, scheme, rest] = SCHEME.exec(uri) ?? [];
  if (scheme === undefined || rest === undefined)
    return ALMOST_SCHEME.test(uri) || PASSWORD.test(uri.replace(DRIVE, ""));
  return kindOf(scheme) === "postgresql" && /^\/[^?]*:[^?]*@/.test(rest);
}

/**
 * Parses a database URI or path; null is a database in memory.
 * @throws OperatorError, without the password, for a URI that is malformed or whose parameters cannot take effect
 * @example parseDatabaseUri("sqlite:////var/lib/tiled.db") // { kind: "file", path: "/var/lib/tiled.db", … }
 */
export function parseDatabaseUri(uri: string | null): DatabaseAddress {
  if (uri === null) return { kind: "memory", shown: "in memory" };
  if (isMistyped(uri)) {
    throw new OperatorError(
      "The database's URI is neither a URI nor a path. Write sqlite:////path/to/file.db or postgresql://user:password@host:5432/name. Write sqlite:/// before a path that begins like this.",
    );
  }
  if (/^file:/i.test(uri)) {
    throw new OperatorError(
      "The database's URI begins with file:, SQLite's own form. Write sqlite:/// before it, or use the path alone.",
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
        `Databases of type "${scheme}" are not supported. Use sqlite:////path/to/file.db or postgresql://user:password@host:5432/name.`,
      );
  }
}

/** The scheme without its driver. */
function kindOf(scheme: string): string | undefined {
  const [name] = scheme.toLowerCase().split("+");
  return name === "postgres" ? "postgresql" : name;
}

function driverOf(scheme: string): string | undefined {
  return scheme.toLowerCase().split("+")[1];
}
