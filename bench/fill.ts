/**
 * Fills a database of any size in bulk. The rows are those that the servers would write, and every id, secret and name follows
 * from a row number, so a client can use any of them. SQLite here, PostgreSQL in `fill-postgres.ts`.
 */
import { hash } from "node:crypto";
import { closeSync, fsyncSync, openSync } from "node:fs";
import Sqlite from "better-sqlite3";

export interface Sizes {
  readonly principals: number;
  readonly sessions: number;
  readonly keys: number;
}

export const REST_OF_SECRET = "ab".repeat(32);
/** Odd, so that multiplication only permutes the numbers below 2^32. */
export const SHUFFLE = 2654435761;
const LATER = "2099-01-01 00:00:00.000000";

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");

/**
 * The UUID of principal or session `number`, not in the order of the numbers, because ordered ones would be easier on an index
 * than real ones.
 */
export function uuidOf(number: number): string {
  const shuffled = Number((BigInt(number) * BigInt(SHUFFLE)) % 2n ** 32n);
  return `${hex(shuffled, 8)}-0000-4000-8000-${hex(number, 12)}`;
}

export const userOf = (number: number) => `user-${number}`;

export function firstEightOf(number: number, { keys }: Sizes): string {
  return hex(Math.floor((number * 2 ** 32) / (keys + 1)), 8);
}

export const secretOf = (number: number, sizes: Sizes) => firstEightOf(number, sizes) + REST_OF_SECRET;

export const digestOf = (number: number, sizes: Sizes) =>
  hash("sha256", Buffer.from(secretOf(number, sizes), "hex"), "buffer");

/** The principal that owns a session or key. */
export const ownerOf = (number: number, { principals }: Sizes) => 1 + (number % principals);

export interface Insert {
  readonly count: number;
  /** A table, optionally with its columns. */
  readonly into: string;
  /** SQL expressions in `i`, from 1 to `count`, and the functions `uuid_of`, `first_eight_of` and `digest_of`. */
  readonly values: string;
}

/** Inserts in SQL that both dialects understand. `offset`: the highest id of existing principals. */
export function insertsOf(sizes: Sizes, offset: number): readonly Insert[] {
  const { principals, sessions, keys } = sizes;
  const owner = `${offset} + 1 + i % ${principals}`;
  return [
    {
      count: principals,
      into: "principals (id, uuid, type)",
      values: `${offset} + i, uuid_of(i), 'user'`,
    },
    {
      count: principals,
      into: "identities (id, provider, principal_id)",
      values: `'user-' || i, 'any', ${offset} + i`,
    },
    {
      count: principals,
      into: "principal_role_association",
      values: `${offset} + i, (select id from roles where name = 'user')`,
    },
    {
      count: sessions,
      into: "sessions (uuid, refresh_count, expiration_time, principal_id, revoked, state)",
      values: `uuid_of(i), 0, '${LATER}', ${owner}, false, '{}'`,
    },
    {
      count: sessions,
      into: "tiled_auth_session_origins (session_id, provider, identity)",
      values: `(select id from sessions where uuid = uuid_of(i)), 'any', 'user-' || (1 + i % ${principals})`,
    },
    {
      count: keys,
      into: "api_keys (first_eight, hashed_secret, principal_id, scopes)",
      values: `first_eight_of(i), digest_of(i), ${owner}, '["inherit", "cave"]'`,
    },
  ].filter(({ count }) => count > 0);
}

/**
 * SQL for the row inserted at position `k`: in random order and into existing indexes. Indexes built afterwards would be so
 * densely packed that each further row would split a page of each, which is rare in a database that has grown.
 */
export const inNoOrder = (k: string, { count }: Insert) => `1 + ${k} * ${SHUFFLE} % ${count}`;

/** Fills a database file that is initialized, has the default roles, and is not in use. Existing principals keep their rows. */
export function fill(file: string, sizes: Sizes): void {
  const database = new Sqlite(file);
  database.pragma("journal_mode = off");
  database.pragma("synchronous = off");
  database.pragma("cache_size = -500000");
  database.function("uuid_of", { deterministic: true }, (number) => uuidOf(Number(number)));
  database.function("first_eight_of", { deterministic: true }, (number) =>
    firstEightOf(Number(number), sizes),
  );
  database.function("digest_of", { deterministic: true }, (number) => digestOf(Number(number), sizes));
  const offset = database.prepare("select coalesce(max(id), 0) from principals").pluck().get();
  for (const insert of insertsOf(sizes, Number(offset))) {
    database.exec(
      `insert into ${insert.into} with recursive n(k, i) as (select 1, ${inNoOrder("1", insert)} union all select k + 1, ${inNoOrder("(k + 1)", insert)} from n where k < ${insert.count}) select ${insert.values} from n`,
    );
  }
  database.close();
  // Pending disk writes would slow down the first operations.
  const written = openSync(file, "r+");
  fsyncSync(written);
  closeSync(written);
}
