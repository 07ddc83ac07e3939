/** API keys, looked up by the first eight digits and the digest of the secret. The secret itself never gets here. */
import type { Kysely } from "kysely";
import type { ApiKeyRecord } from "../domain/model/entities.ts";
import type { ApiKeyStore } from "../domain/ports/api-keys.ts";
import type { Digest } from "../lib/secrets.ts";
import { readList } from "./base/codec.ts";
import { type Args, type Db, statement } from "./base/statement.ts";
import type { Tables } from "./base/tables.ts";
import { batched } from "./batcher.ts";
import type { KeyRef } from "./commands/api-keys.ts";
import type { Backend } from "./commands/backend.ts";

const records = (db: Kysely<Tables>) =>
  db
    .selectFrom("api_keys as k")
    .innerJoin("principals as p", "p.id", "k.principal_id")
    .select(["k.first_eight", "k.hashed_secret", "k.expiration_time", "k.latest_activity", "k.note"])
    .select(["k.scopes", "k.access_tags", "p.uuid"]);

const find = statement((db, key: Args<KeyRef>) =>
  records(db).where("k.first_eight", "=", key.firstEight).where("k.hashed_secret", "=", key.hashed),
);

type Row = Awaited<ReturnType<ReturnType<typeof records>["execute"]>>[number];

function toRecord(row: Row): ApiKeyRecord {
  return {
    firstEight: row.first_eight,
    digest: row.hashed_secret.toString("hex") as Digest,
    principal: row.uuid,
    expirationTime: row.expiration_time,
    latestActivity: row.latest_activity,
    note: row.note,
    scopes: readList(row.scopes),
    accessTags: row.access_tags === null ? null : readList(row.access_tags),
  };
}

async function findKey(db: Db, { firstEight, hashed }: KeyRef): Promise<ApiKeyRecord | undefined> {
  const row = await db.one(find, { firstEight, hashed });
  return row && toRecord(row);
}

async function findKeys(db: Db, keys: readonly KeyRef[]): Promise<(ApiKeyRecord | undefined)[]> {
  const [first, ...others] = keys;
  if (first !== undefined && others.length === 0) return [await findKey(db, first)];
  const rows = await db.query((tables) =>
    records(tables)
      .where("k.first_eight", "in", [...new Set(keys.map(({ firstEight }) => firstEight))])
      .where(
        "k.hashed_secret",
        "in",
        keys.map(({ hashed }) => hashed),
      ),
  );
  const found = new Map(rows.map(toRecord).map((key) => [key.firstEight + key.digest, key]));
  return keys.map(({ firstEight, hashed }) => found.get(firstEight + hashed.toString("hex")));
}

/** Implements `ApiKeyStore`. `commands/api-keys.ts` holds the writes. */
export function apiKeyStore(backend: Backend): ApiKeyStore {
  // SQLite is read synchronously on the main thread, so batching would save no connection.
  const lookUp =
    backend.dialect === "sqlite"
      ? (key: KeyRef) => backend.read((db) => findKey(db, key))
      : batched<KeyRef, ApiKeyRecord>((keys) => backend.read((db) => findKeys(db, keys)));
  return {
    find: (firstEight, digest) => lookUp({ firstEight, hashed: Buffer.from(digest, "hex") }),
    create: (request) => backend.write("api_key.create", request),
    revoke: (request) => backend.write("api_key.revoke", request),
    touch: async (uses) => {
      if (uses.length > 0) await backend.write("api_key.touch", uses);
    },
  };
}
