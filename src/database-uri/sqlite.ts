/**
 * SQLite URIs: SQLAlchemy's form with the parameters of Python's sqlite3 module, and SQLite's own `file:` form inside it
 * (sqlite.org/uri.html). A URI with a parameter that cannot take effect is refused.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OperatorError } from "../errors.ts";
import {
  checkParameters,
  oneOf,
  only,
  type ParameterTable,
  readQuery,
  refused,
  seconds,
  splitOnce,
} from "./text.ts";

/** A database in memory. */
export interface MemoryAddress {
  readonly kind: "memory";
  readonly shown: string;
}

/** A database in a file. */
export interface FileAddress {
  readonly kind: "file";
  /** Absolute path. */
  readonly path: string;
  readonly shown: string;
  /** `mode=rw`: a missing file is not created, whatever the configuration says. */
  readonly mustExist?: true;
  /** `timeout`, in milliseconds: how long a write waits for another process. */
  readonly busyTimeout?: number;
}

const DRIVERS = ["aiosqlite", "pysqlite"];

const PYTHON = "it configures Python's sqlite3 module, which is not used here. Leave it out";
const UNSAFE = "SQLite would neither lock the file nor see other processes' changes. Leave it out";

const PARAMETERS: ParameterTable = {
  mode: (value) =>
    value.toLowerCase() === "ro"
      ? "logins are written to this database, so mode=ro cannot work"
      : oneOf("rw", "rwc", "memory")(value),
  cache: only(["private"], "the server's connections do not share a cache. Leave it out"),
  uri: oneOf("true", "1", "false", "0"),
  timeout: seconds(0, 60),
  check_same_thread: refused(PYTHON),
  isolation_level: refused(PYTHON),
  detect_types: refused(PYTHON),
  cached_statements: refused(PYTHON),
  factory: refused(PYTHON),
  autocommit: refused(PYTHON),
  native_datetime: refused(PYTHON),
  immutable: only(["0"], UNSAFE),
  nolock: only(["0"], UNSAFE),
  psow: refused("SQLite's default is used. Leave it out"),
  vfs: refused("SQLite's default VFS is used. Leave it out"),
  modeof: refused("the mode of a new file is 0600. Leave it out"),
};

/** The address of a path. Throws an OperatorError for an empty one. */
export function file(path: string): FileAddress {
  if (path === "") throw new OperatorError("The database's URI is empty.");
  const absolute = resolve(path);
  return { kind: "file", path: absolute, shown: absolute };
}

/** Parses the part of a URI after `://`. Throws an OperatorError for a malformed URI or an unsupported driver. */
export function parseSqlite(rest: string, driver: string | undefined): MemoryAddress | FileAddress {
  if (driver !== undefined && !DRIVERS.includes(driver)) {
    throw new OperatorError(
      `The driver "${driver}" in the database's URI is not supported. This server opens unencrypted SQLite files only. Use sqlite:////path/to/file.db.`,
    );
  }
  const [name = "", query = ""] = splitOnce(rest, "?");
  if (name !== "" && !name.startsWith("/")) {
    throw new OperatorError(
      "A SQLite URI has three slashes before a relative path and four before an absolute one: sqlite:///tiled.db, sqlite:////var/lib/tiled.db.",
    );
  }
  const path = name.slice(1);
  const parameters = readQuery(query);
  const { mode, uri, timeout } = parameters;
  if (path === "" || path.toLowerCase().includes(":memory:") || mode?.toLowerCase() === "memory") {
    // The database has a single connection, so a shared cache makes no difference.
    checkParameters({ ...parameters, cache: "private" }, PARAMETERS, "SQLite");
    return { kind: "memory", shown: "in memory" };
  }
  checkParameters(parameters, PARAMETERS, "SQLite");
  const own = path.startsWith("file:");
  if (own && (uri === "false" || uri === "0"))
    throw new OperatorError("The database's URI has both file: and uri=false. Remove one of them.");
  return {
    ...file(own ? ownPath(path) : path),
    ...(mode?.toLowerCase() === "rw" ? { mustExist: true } : {}),
    ...(timeout === undefined ? {} : { busyTimeout: Math.round(Number(timeout) * 1000) }),
  };
}

/** The path in SQLite's own form. */
function ownPath(path: string): string {
  try {
    return path.startsWith("file:///") ? fileURLToPath(path) : decodeURIComponent(path.slice(5));
  } catch {
    throw new OperatorError(
      "The path after file: in the database's URI is invalid. Write %25 for a percent sign.",
    );
  }
}
