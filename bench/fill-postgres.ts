/**
 * The same rows as in `fill.ts`, made by PostgreSQL itself.
 */
import pg from "pg";
import { inNoOrder, insertsOf, REST_OF_SECRET, SHUFFLE, type Sizes } from "./fill.ts";

/** What a server needs that is filled in bulk and then measured: memory enough for the indexes, and durable commits. */
export const SETTINGS = {
  fsync: "on",
  shared_buffers: "2GB",
  max_wal_size: "16GB",
  checkpoint_timeout: "1h",
};

/** As those of the same names in `fill.ts`; the division is one of floating-point numbers there, too. */
const functionsOf = ({ keys }: Sizes): Readonly<Record<string, readonly [returns: string, as: string]>> => ({
  uuid_of: [
    "text",
    `lpad(to_hex(i * ${SHUFFLE} % 4294967296), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(i), 12, '0')`,
  ],
  first_eight_of: ["text", `lpad(to_hex(floor((i::float8 * 4294967296) / ${keys + 1})::bigint), 8, '0')`],
  digest_of: ["bytea", `sha256(decode(first_eight_of(i) || '${REST_OF_SECRET}', 'hex'))`],
});

/** `uri`: of a database that is initialized, with the default roles, and not in use; a superuser's. */
export async function fillPostgres(uri: string, sizes: Sizes): Promise<void> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  try {
    // Foreign keys would be looked up row by row.
    await client.query("set session_replication_role = replica; set synchronous_commit = off");
    const functions = Object.entries(functionsOf(sizes));
    for (const [name, [returns, as]] of functions) {
      await client.query(
        `create function ${name}(i bigint) returns ${returns} immutable language sql as $$ select ${as} $$`,
      );
    }
    const { rows } = await client.query("select coalesce(max(id), 0) as highest from principals");
    for (const insert of insertsOf(sizes, Number(rows[0]?.highest))) {
      await client.query(
        `insert into ${insert.into} select ${insert.values} from (select ${inNoOrder("k", insert)} as i from generate_series(1::bigint, ${insert.count}) as k) as n`,
      );
    }
    await client.query("select setval(pg_get_serial_sequence('principals', 'id'), max(id)) from principals");
    for (const [name] of functions.toReversed()) await client.query(`drop function ${name}`);
    // What is still to be done in the background would be in the way of the first operations.
    await client.query("vacuum (freeze, analyze)");
    await client.query("checkpoint");
  } finally {
    await client.end();
  }
}
