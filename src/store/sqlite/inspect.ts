/**
 * Classifies a SQLite file without changing a byte of it.
 */
import { existsSync, statSync } from "node:fs";
import { OperatorError } from "../../errors.ts";
import { codeOf, messageOf, unavailable } from "../base/errors.ts";
import { classify, complaint, type Inspection } from "../schema/revisions.ts";
import { SqliteConnection } from "./connection.ts";

/** Inspects the file at a path. Throws an OperatorError if it cannot be opened. */
export function inspectFile(path: string): Inspection {
  const about = { shown: path, dialect: "sqlite", revision: null, level: null } as const;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { ...about, kind: "absent" };
  if (!found.isFile()) return { ...about, kind: "no_database" };
  if (found.size === 0 && !existsSync(`${path}-wal`)) return { ...about, kind: "empty" };
  let connection: SqliteConnection | undefined;
  try {
    // A journal left by a crash must be rolled back before anything can be read.
    connection = new SqliteConnection(path, { readonly: !existsSync(`${path}-journal`) });
    return inspectConnection(connection, path);
  } catch (error) {
    if (codeOf(error) === "SQLITE_NOTADB") return { ...about, kind: "no_database" };
    throw new OperatorError(`The database at ${path} cannot be opened: ${messageOf(error)}.`);
  } finally {
    connection?.close();
  }
}

/** Inspects an open database. `shown` is its name in messages. */
export function inspectConnection({ raw }: SqliteConnection, shown: string): Inspection {
  const column = (query: string) => raw.prepare(query).pluck().all() as string[];
  const names = column("select name from sqlite_master where type = 'table'");
  const tables = new Set(names.filter((name) => !name.startsWith("sqlite_")));
  const revisions = tables.has("alembic_version") ? column("select version_num from alembic_version") : [];
  const levels = tables.has("tiled_auth_migration")
    ? column("select name from tiled_auth_migration order by name desc limit 1")
    : [];
  return { shown, dialect: "sqlite", level: levels[0] ?? null, ...classify(tables, revisions) };
}

/** Throws `store_unavailable` if a file that is reopened while the server runs is no longer one it can serve. */
export function requireServable(inspection: Inspection): void {
  if (inspection.kind !== "served" || inspection.level === null) throw unavailable(complaint(inspection));
}
