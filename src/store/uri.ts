/**
 * Database URIs as the reference reads them (SQLAlchemy's): SQLite files, SQLite in memory, PostgreSQL, or a bare path.
 * No message here repeats a URI's password.
 */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OperatorError } from "../errors.ts";

export interface PostgresAddress {
  readonly kind: "postgresql";
  /** Undefined: libpq's environment variables and defaults. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly shown: string;
}

export interface FileAddress {
  readonly kind: "file";
  /** Absolute. */
  readonly path: string;
  readonly shown: string;
}

export type DatabaseAddress =
  | { readonly kind: "memory"; readonly shown: string }
  | FileAddress
  | PostgresAddress;

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
  const [, scheme, rest] = SCHEME.exec(uri) ?? [];
  if (scheme === undefined || rest === undefined) return file(uri);
  switch (kindOf(scheme)) {
    case "sqlite":
      return parseSqlite(rest);
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

function file(path: string): DatabaseAddress {
  if (path === "") throw new OperatorError("The database's URI is empty.");
  const absolute = resolve(path);
  return { kind: "file", path: absolute, shown: absolute };
}

function parseSqlite(rest: string): DatabaseAddress {
  const [name = "", query = ""] = splitOnce(rest, "?");
  if (name !== "" && !name.startsWith("/")) {
    throw new OperatorError(
      "A SQLite URI has three slashes before a relative path and four before an absolute one: sqlite:///tiled.db, sqlite:////var/lib/tiled.db.",
    );
  }
  const path = name.slice(1);
  const mode = new URLSearchParams(query).get("mode")?.toLowerCase();
  if (path === "" || path.toLowerCase().includes(":memory:") || mode === "memory") {
    return { kind: "memory", shown: "in memory" };
  }
  if (!path.startsWith("file:")) return file(path);
  return file(path.startsWith("file:///") ? fileURLToPath(path) : decodeURIComponent(path.slice(5)));
}

function parsePostgres(rest: string): PostgresAddress {
  // Up to the first @, so that a password may hold any other character.
  const [userinfo = "", user = "", password] = /^([^:/@]*)(?::([^@]*))?@/.exec(rest) ?? [];
  const [location, query = ""] = splitOnce(rest.slice(userinfo.length), "?");
  const [authority, name = ""] = splitOnce(location, "/");
  // Also in what follows: it may be the end of a password that has a slash, too.
  if (location.includes("@")) {
    throw new OperatorError(
      "The PostgreSQL URI has an @ too many: in a name or a password it is written %40.",
    );
  }
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]*))(?::(\d+))?$/.exec(authority) ?? [];
  if (bracketed === undefined && plain === undefined) {
    throw new OperatorError(
      "The host or the port of the PostgreSQL URI cannot be read. It looks like this: postgresql://user:password@host:5432/name.",
    );
  }
  const parameters = Object.fromEntries(new URLSearchParams(query));
  const host = (bracketed ?? plain) || parameters["host"] || undefined;
  const port = digits ?? parameters["port"];
  const database = name === "" ? undefined : decode(name);
  return {
    kind: "postgresql",
    host,
    port: port === undefined ? undefined : Number(port),
    user: user === "" ? undefined : decode(user),
    password: password === undefined ? undefined : decode(password),
    database,
    parameters,
    shown: `postgresql://${user === "" ? "" : `${user}@`}${host ?? ""}${port === undefined ? "" : `:${port}`}/${database ?? ""}`,
  };
}

function splitOnce(text: string, separator: string): [string, string?] {
  const index = text.indexOf(separator);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + separator.length)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that was meant as itself.
    return text;
  }
}
