/**
 * What a PostgreSQL database holds, by reading its catalogs only, and what is wrong where it cannot be reached at all.
 */
import { type Kysely, sql } from "kysely";
import { OperatorError } from "../../errors.ts";
import { codeOf, messageOf } from "../base/errors.ts";
import type { Tables } from "../base/tables.ts";
import { classify, type Inspection } from "../schema/revisions.ts";

export async function inspectPostgres(db: Kysely<Tables>, shown: string): Promise<Inspection> {
  const column = async (query: ReturnType<typeof sql<{ name: string }>>) =>
    (await query.execute(db)).rows.map(({ name }) => name);
  const [schema] = await column(sql`select current_schema() as name`);
  if (schema == null) {
    const [path] = await column(sql`select current_setting('search_path') as name`);
    throw new OperatorError(
      `The database at ${shown} has none of the schemas of its search_path (${path}). Make it first: CREATE SCHEMA ${path}`,
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

/** Errors of the first contact, for the operator; never the password. */
export function explain(error: unknown, shown: string): Error {
  if (error instanceof OperatorError) return error;
  const reason = messageOf(error) || codeOf(error) || "no reason given";
  switch (codeOf(error)) {
    case "3D000":
      return new OperatorError(
        `There is no database at ${shown}: ${reason}. Make it first, for example with createdb.`,
      );
    case "28P01":
    case "28000":
      return new OperatorError(
        `PostgreSQL refuses the login to ${shown}: ${reason}. Check user and password of the URI.`,
      );
    case "08P01":
      if (!/startup parameter/i.test(reason)) break;
      return new OperatorError(
        `The pooler at ${shown} refuses the connection: ${reason}. A pooler passes no options: take them out of the URI and give them to the user of the database: ALTER ROLE … SET search_path = …`,
      );
    case "42501":
      return new OperatorError(
        `The user of ${shown} lacks a privilege: ${reason}. It must own the schema that it uses.`,
      );
  }
  // PgBouncer has one code for everything.
  if (/password|authentication failed|no such user|no such database/i.test(reason)) {
    return new OperatorError(
      `The login to ${shown} is refused: ${reason}. Check user, password and database of the URI.`,
    );
  }
  return new OperatorError(`The database at ${shown} cannot be used: ${reason}.`);
}
