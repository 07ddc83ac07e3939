/**
 * Tiled's schema at revision 0a017b76d0d0, as Tiled 0.2.20 itself creates it, with its default roles. Used for a new database
 * only; an existing one is never touched.
 */
import { type Kysely, sql } from "kysely";
import { DEFAULT_ROLES } from "../../domain/model/scopes.ts";
import { writeList } from "../base/codec.ts";
import type { Dialect } from "../base/statement.ts";
import type { Tables } from "../base/tables.ts";
import { CURRENT_REVISION } from "./revisions.ts";

const INDEXES: readonly (readonly [table: string, column: string, unique?: true])[] = [
  ["principals", "id"],
  ["principals", "uuid"],
  ["roles", "id"],
  ["roles", "name", true],
  ["api_keys", "first_eight"],
  ["api_keys", "hashed_secret"],
  ["sessions", "id"],
  ["sessions", "uuid"],
  ["pending_sessions", "hashed_device_code"],
  ["pending_sessions", "user_code"],
];

/** The dialects differ in the names of types only. */
function statements(dialect: Dialect): string[] {
  const sqlite = dialect === "sqlite";
  const id = sqlite ? "INTEGER NOT NULL" : "SERIAL NOT NULL";
  const time = sqlite ? "DATETIME" : "TIMESTAMP WITH TIME ZONE";
  const bytes = sqlite ? "BLOB" : "BYTEA";
  const json = sqlite ? "JSON" : "JSONB";
  const type = sqlite ? "VARCHAR(7)" : "principaltype";
  const times = `time_created ${time} DEFAULT ${sqlite ? "CURRENT_TIMESTAMP" : "now()"} NOT NULL, time_updated ${time}`;
  const owner = "FOREIGN KEY(principal_id) REFERENCES principals (id)";
  return [
    ...(sqlite ? [] : ["CREATE TYPE principaltype AS ENUM ('user', 'service')"]),
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))",
    `CREATE TABLE principals (id ${id}, uuid VARCHAR(36) NOT NULL, type ${type} NOT NULL, ${times}, PRIMARY KEY (id))`,
    `CREATE TABLE roles (id ${id}, name VARCHAR(255) NOT NULL, description VARCHAR(1023), scopes VARCHAR(511) NOT NULL, ${times}, PRIMARY KEY (id))`,
    `CREATE TABLE principal_role_association (principal_id INTEGER NOT NULL, role_id INTEGER NOT NULL, PRIMARY KEY (principal_id, role_id), ${owner}, FOREIGN KEY(role_id) REFERENCES roles (id))`,
    `CREATE TABLE identities (id VARCHAR(255) NOT NULL, provider VARCHAR(255) NOT NULL, principal_id INTEGER NOT NULL, latest_login ${time}, ${times}, PRIMARY KEY (id, provider), ${owner})`,
    `CREATE TABLE api_keys (first_eight VARCHAR(8) NOT NULL, hashed_secret ${bytes} NOT NULL, expiration_time ${time}, latest_activity ${time}, note VARCHAR(1023), principal_id INTEGER NOT NULL, scopes VARCHAR(511) NOT NULL, access_tags VARCHAR(511), ${times}, PRIMARY KEY (first_eight, hashed_secret), ${owner})`,
    `CREATE TABLE sessions (id ${id}, uuid VARCHAR(36) NOT NULL, time_last_refreshed ${time}, refresh_count INTEGER NOT NULL, expiration_time ${time} NOT NULL, principal_id INTEGER NOT NULL, revoked BOOLEAN NOT NULL, state ${json} NOT NULL, ${times}, PRIMARY KEY (id), ${owner})`,
    `CREATE TABLE pending_sessions (hashed_device_code ${bytes} NOT NULL, user_code VARCHAR(8) NOT NULL, expiration_time ${time} NOT NULL, session_id INTEGER, PRIMARY KEY (hashed_device_code), FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE SET NULL)`,
    ...INDEXES.map(
      ([table, column, unique]) =>
        `CREATE ${unique ? "UNIQUE " : ""}INDEX ix_${table}_${column} ON ${table} (${column})`,
    ),
  ];
}

/** Runs inside the caller's transaction, so that a database is created completely or not at all. */
export async function createSchema(db: Kysely<Tables>, dialect: Dialect): Promise<void> {
  for (const text of statements(dialect)) await sql.raw(text).execute(db);
  for (const role of DEFAULT_ROLES) {
    await db
      .insertInto("roles")
      .values({ name: role.name, description: role.description, scopes: writeList(role.scopes) })
      .execute();
  }
  await db.insertInto("alembic_version").values({ version_num: CURRENT_REVISION }).execute();
}
