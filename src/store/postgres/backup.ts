/**
 * Backup and restore of a PostgreSQL database with `pg_dump` and `pg_restore`. A backup is read in full, and its row counts are
 * compared with those of its snapshot. A restore needs an empty schema.
 */
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import type pg from "pg";
import type { PostgresAddress } from "../../database-uri/postgres.ts";
import { OperatorError } from "../../errors.ts";
import { codeOf } from "../base/errors.ts";
import { newFile, taken } from "../base/new-file.ts";
import { type Backup, type Counts, type Restored, requireSameRows } from "../base/row-counts.ts";
import type { Inspection } from "../schema/revisions.ts";
import { explain } from "./inspect.ts";
import { makePool } from "./pool.ts";

/** Parameters of a URI to pass to libpq's programs; the others are a driver's own, or are part of the URI proper. */
const LIBPQ =
  /^(ssl\w+|passfile|options|target_session_attrs|keepalives|keepalives_idle|connect_timeout|channel_binding)$/;

/** Start of a table's rows in a dump; a line `\.` ends them. Neither Tiled's table names nor ours need quotes. */
const COPY = /^COPY (?:"(?<quoted>[^"]+)"|(?<schema>[^".]+))\."?(?<table>[^". ]+)"? \(.*\) FROM stdin;$/;

/** Dumps the current schema to `path`. Throws an OperatorError if `path` exists without `force`, or `pg_dump` fails. */
export async function backupPostgres(
  address: PostgresAddress,
  path: string,
  force: boolean,
): Promise<Backup> {
  if (!force && existsSync(path)) throw taken(path);
  return withClient(address, async (client) => {
    await client.query("begin isolation level repeatable read read only");
    const [{ snapshot = "", schema = "" } = {}] = (
      await client.query<{ snapshot: string; schema: string }>(
        "select pg_export_snapshot() as snapshot, current_schema() as schema",
      )
    ).rows;
    const file = newFile(path);
    try {
      const counts = await countRows(client, schema);
      const tables = `--schema=${quoted(schema)}`;
      const how = ["--format=custom", "--no-owner", "--no-privileges", "--no-password", tables];
      const manual = `pg_dump ${how.slice(0, 3).join(" ")} '${tables}' --file=${path} '${libpqUri(address)}'`;
      await run("pg_dump", [...how, `--snapshot=${snapshot}`, `--file=${file.temporary}`], address, manual);
      await client.query("commit");
      requireSameRows((await readDump(file.temporary)).counts, counts);
      file.publish(force);
      return { counts, bytes: statSync(path).size };
    } finally {
      file.remove();
    }
  });
}

/** Restores a dump into the empty schema that the URI names, which must have the same name as the dumped one. */
export async function restorePostgres(
  address: PostgresAddress,
  path: string,
  found: Inspection,
): Promise<Restored> {
  if (found.kind !== "empty") {
    throw new OperatorError(
      `The database at ${found.shown} has tables. Nothing was restored. Create a new database (createdb), restore into it, and set database.uri to it. The old one is not changed.`,
    );
  }
  if (!existsSync(path)) throw new OperatorError(`There is no backup file at ${path}.`);
  const { schema, counts } = await readDump(path);
  for (const needed of ["alembic_version", "principals", "sessions"])
    if (counts[needed] === undefined)
      throw new OperatorError(
        `${path} is not a backup of this server's database: the table ${needed} is missing.`,
      );
  const target = await withClient(address, schemaOf);
  if (target !== schema) {
    throw new OperatorError(
      `The backup is of schema ${schema}, but the database's URI selects ${target}. Add options=-csearch_path%3D${schema} to the URI.`,
    );
  }
  const how = ["--no-owner", "--no-privileges", "--no-password", "--single-transaction", "--exit-on-error"];
  const manual = `pg_restore ${how.join(" ")} --schema=${schema} -d '${libpqUri(address)}' ${path}`;
  await run("pg_restore", [...how, `--schema=${schema}`, path], address, manual);
  await withClient(address, async (client) => requireSameRows(await countRows(client, schema), counts));
  return { counts, aside: null };
}

async function schemaOf(client: pg.PoolClient): Promise<string> {
  const { rows } = await client.query<{ schema: string }>("select current_schema() as schema");
  return rows[0]?.schema ?? "";
}

async function withClient<T>(
  address: PostgresAddress,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const pool = makePool(address, { size: 1, statementTimeout: undefined }, () => {});
  try {
    const client = await pool.connect();
    try {
      return await work(client);
    } finally {
      client.release(true);
    }
  } catch (error) {
    throw explain(error, address.shown);
  } finally {
    await pool.end();
  }
}

async function countRows(client: pg.PoolClient, schema: string): Promise<Counts> {
  const { rows } = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = $1",
    [schema],
  );
  const counts: Record<string, number> = {};
  for (const { name } of rows) {
    const text = `select count(*)::int as n from ${quoted(schema)}.${quoted(name)}`;
    counts[name] = (await client.query<{ n: number }>(text)).rows[0]?.n ?? 0;
  }
  return counts;
}

/** Reads a dump to its end and counts the rows of each table. */
async function readDump(path: string): Promise<{ readonly schema: string; readonly counts: Counts }> {
  const child = spawn("pg_restore", ["--data-only", "--file=-", path], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = finished(child, "pg_restore", `pg_restore --list ${path}`);
  const counts: Record<string, number> = {};
  let [schema, table]: (string | undefined)[] = [];
  // One character per byte, since text columns may hold Unicode line separators.
  child.stdout.setEncoding("latin1");
  const read = async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const begun = table === undefined ? COPY.exec(line)?.groups : undefined;
      if (begun !== undefined) {
        schema = begun["quoted"] ?? begun["schema"];
        table = begun["table"] ?? "";
        counts[table] = 0;
      } else if (line === "\\.") table = undefined;
      else if (table !== undefined) counts[table] = (counts[table] ?? 0) + 1;
    }
  };
  await Promise.all([read(), ended]);
  return { schema: schema ?? "", counts };
}

/** Passes the password in the environment, where other users of the machine cannot see it. */
async function run(
  program: string,
  args: readonly string[],
  address: PostgresAddress,
  manual: string,
): Promise<void> {
  const env = address.password === undefined ? process.env : { ...process.env, PGPASSWORD: address.password };
  const child = spawn(program, [...args, `--dbname=${libpqUri(address)}`], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  await finished(child, program, manual);
}

async function finished(child: ReturnType<typeof spawn>, program: string, manual: string): Promise<void> {
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(0, 2000);
  });
  const code = await new Promise((resolve, reject) => {
    child.once("close", resolve);
    child.once("error", reject);
  }).catch((error: unknown) => {
    if (codeOf(error) !== "ENOENT") throw error;
    throw new OperatorError(
      `${program} is not on this machine's PATH. Install PostgreSQL's client programs (postgresql-client), or run this on a machine that has them: ${manual}`,
    );
  });
  if (code !== 0) throw new OperatorError(`${program} failed: ${stderr.trim() || `exit code ${code}`}`);
}

/** The URI for libpq's programs, without the password. */
function libpqUri({ shown, parameters, hosts }: PostgresAddress): string {
  const [place = ""] = shown.split("?");
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (LIBPQ.test(name)) query.set(name, value);
  const mode = parameters["ssl"];
  if (mode !== undefined && parameters["sslmode"] === undefined)
    query.set("sslmode", /^(true|1)$/i.test(mode) ? "require" : /^(false|0)$/i.test(mode) ? "disable" : mode);
  // Without a host, pg connects to localhost, but libpq to a socket.
  const at = hosts.length === 1 && hosts[0]?.host === undefined && !process.env["PGHOST"] ? "localhost" : "";
  if (at !== "") query.set("host", at);
  const text = query.toString().replaceAll("+", "%20");
  return text === "" ? place : `${place}?${text}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
