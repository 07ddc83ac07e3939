/**
 * Classifies a PostgreSQL database by its catalogs, and explains connection errors to the operator.
 */
import { type Kysely, sql } from "kysely";
import { OperatorError } from "../../errors.ts";
import { codeOf, messageOf } from "../base/errors.ts";
import type { Tables } from "../base/tables.ts";
import { classify, type Inspection } from "../schema/revisions.ts";

/** Inspects the current schema. `shown` is the database's URI without the password. */
export async function inspectPostgres(db: Kysely<Tables>, shown: string): Promise<Inspection> {
  const column = async (query: ReturnType<typeof sql<{ name: string }>>) =>
    (await query.execute(db)).rows.map(({ name }) => name);
  const [schema] = await column(sql`select current_schema() as name`);
  if (schema == null) {
    const [path] = await column(sql`select current_setting('search_path') as name`);
    throw new OperatorError(
      `The database at ${shown} has none of the schemas of its search_path (${path}). Create it first: CREATE SCHEMA ${path}`,
    );
  }
  const tables = new Set(
    await column(sql`select tablename as name from pg_tables where schemaname = current_schema()`),
  );
  const revisions = tables.has("alembic_version")
    ? await column(sql`select version_num as name from alembic_version`)
    : [];
  const levels = tables.has("tiled_auth_migration")
    ? await column(sql`select name from tiled_auth_migration order by name desc limit 1`)
    : [];
  return { shown, dialect: "postgresql", level: levels[0] ?? null, ...classify(tables, revisions) };
}

/** The error of a first connection, in words for the operator and without the password. */
export function explain(error: unknown, shown: string): Error {
  if (error instanceof OperatorError) return error;
  const reason = messageOf(error) || codeOf(error) || "no reason given";
  switch (codeOf(error)) {
    case "3D000":
      return new OperatorError(
        `There is no database at ${shown}: ${reason}. Create it first, for example with createdb.`,
      );
    case "28P01":
    case "28000":
      return new OperatorError(
        `PostgreSQL refused the login to ${shown}: ${reason}. Check the user and password in the URI.`,
      );
    case "08P01":
      if (!/startup parameter/i.test(reason)) break;
      return new OperatorError(
        `The pooler at ${shown} refuses the connection: ${reason}. A pooler does not pass options on. Remove them from the URI and set them for the database user: ALTER ROLE … SET search_path = …`,
      );
    case "42501":
      return new OperatorError(`The user of ${shown} lacks a privilege: ${reason}. It must own its schema.`);
  }
  // PgBouncer uses one code for all errors.
  if (/password|authentication failed|no such user|no such database/i.test(reason)) {
    return new OperatorError(
      `The login to ${shown} was refused: ${reason}. Check the user, password and database in the URI.`,
    );
  }
  return new OperatorError(`The database at ${shown} cannot be used: ${reason}.`);
}
