/**
 * Creates and revokes API keys and records their use. Only the digest of a secret is stored. `store/api-keys.ts` looks keys up.
 */

import type { CredentialRevoked } from "../../domain/model/revoked.ts";
import type { ApiKeyStore, CreateApiKey, RevokeApiKeys } from "../../domain/ports/api-keys.ts";
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { writeList } from "../base/codec.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { note } from "./steps/audit.ts";
import { lockActor } from "./steps/authority.ts";
import { findPrincipal } from "./steps/summaries.ts";

/** Identifies a key without its secret. */
export interface KeyRef {
  readonly firstEight: string;
  readonly hashed: Buffer;
}

const countLive = statement((db, { principal, now }: Args<{ principal: number; now: Date }>) =>
  db
    .selectFrom("api_keys")
    .where("principal_id", "=", principal)
    .where((eb) => eb.or([eb("expiration_time", "is", null), eb("expiration_time", ">", now)]))
    .select((eb) => eb.fn.countAll<number>().as("live")),
);

const findTaken = statement((db, key: Args<KeyRef & { principal: number }>) =>
  db
    .selectFrom("api_keys")
    .where("first_eight", "=", key.firstEight)
    .where((eb) => eb.or([eb("principal_id", "=", key.principal), eb("hashed_secret", "=", key.hashed)]))
    .select("first_eight")
    .limit(1),
);

interface NewKey extends KeyRef {
  readonly expiration: Date | null;
  readonly note: string | null;
  readonly principal: number;
  readonly scopes: string;
  readonly tags: string | null;
  readonly now: Date;
}

const insertKey = statement((db, key: Args<NewKey>) =>
  db.insertInto("api_keys").values({
    first_eight: key.firstEight,
    hashed_secret: key.hashed,
    expiration_time: key.expiration,
    note: key.note,
    principal_id: key.principal,
    scopes: key.scopes,
    access_tags: key.tags,
    time_created: key.now,
  }),
);

const deleteKeys = statement((db, key: Args<{ principal: Uuid; firstEight: string }>) =>
  db
    .deleteFrom("api_keys")
    .where("first_eight", "=", key.firstEight)
    .where("principal_id", "in", db.selectFrom("principals").where("uuid", "=", key.principal).select("id"))
    .returning("hashed_secret"),
);

const lockKey = statement((db, key: Args<KeyRef>, dialect) =>
  db
    .selectFrom("api_keys as k")
    .innerJoin("principals as p", "p.id", "k.principal_id")
    .where("k.first_eight", "=", key.firstEight)
    .where("k.hashed_secret", "=", key.hashed)
    .select(["k.latest_activity", "p.uuid"])
    .$if(dialect === "postgresql", (query) => query.forNoKeyUpdate("k")),
);

const setActivity = statement((db, key: Args<KeyRef & { time: Date }>) =>
  db
    .updateTable("api_keys")
    .set({ latest_activity: key.time, time_updated: key.time })
    .where("first_eight", "=", key.firstEight)
    .where("hashed_secret", "=", key.hashed),
);

/** Creates a key within the principal's limit of live keys. */
export async function createKey(db: Db, request: CreateApiKey): ReturnType<ApiKeyStore["create"]> {
  return (await lockActor(db, request, request.principal)) ?? (await addKey(db, request));
}

/** The same once the actor is checked and the principal locked. `freed`: live keys that the caller deletes afterwards. */
export async function addKey(
  db: Db,
  request: CreateApiKey,
  freed = 0,
): Promise<Exclude<Awaited<ReturnType<ApiKeyStore["create"]>>, CredentialRevoked>> {
  const { key, now, context } = request;
  const hashed = Buffer.from(request.digest, "hex");
  const principal = await findPrincipal(db, request.principal);
  if (principal === undefined) return { kind: "unknown" };
  const count = await db.one(countLive, { principal: principal.id, now });
  if (Number(count?.live ?? 0) - freed >= request.limit) return { kind: "limit" };
  const ref = { firstEight: key.firstEight, hashed, principal: principal.id };
  if ((await db.one(findTaken, ref)) !== undefined) return { kind: "taken" };
  await db.run(insertKey, {
    ...ref,
    expiration: key.expirationTime,
    note: key.note,
    scopes: writeList(key.scopes),
    tags: key.accessTags === null ? null : writeList(key.accessTags),
    now,
  });
  await note(
    db,
    "api_key_created",
    { now, context, principal: request.principal },
    { first_eight: key.firstEight },
  );
  return { kind: "created" };
}

/** Deletes the principal's keys with these first eight digits. */
export async function revokeKeys(db: Db, request: RevokeApiKeys): ReturnType<ApiKeyStore["revoke"]> {
  const { principal, firstEight } = request;
  const revokedCredential = await lockActor(db, request, principal);
  if (revokedCredential !== undefined) return revokedCredential;
  const digests = await noteRevokedKeys(db, request, await db.all(deleteKeys, { principal, firstEight }));
  return digests.length === 0 ? { kind: "unknown" } : { kind: "revoked", digests };
}

/** Records that keys were deleted, and returns their digests. */
export async function noteRevokedKeys(
  db: Db,
  { now, context, principal, firstEight }: RevokeApiKeys,
  deleted: readonly { readonly hashed_secret: Buffer }[],
): Promise<readonly Digest[]> {
  for (const _ of deleted) {
    await note(db, "api_key_revoked", { now, context, principal }, { first_eight: firstEight });
  }
  return deleted.map((row) => row.hashed_secret.toString("hex") as Digest);
}

/** One use of a key. */
export type KeyUse = Parameters<ApiKeyStore["touch"]>[0][number];

/** Records the latest use of each key; an older time changes nothing. Returns the owners of those that changed. */
export async function touchKeys(db: Db, uses: readonly KeyUse[]): Promise<readonly Uuid[]> {
  const owners = new Set<Uuid>();
  // All servers use the same order, so two of them never deadlock on each other's rows.
  const ordered = uses.toSorted((a, b) => (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0));
  for (const { firstEight, digest, time, context } of ordered) {
    const ref = { firstEight, hashed: Buffer.from(digest, "hex") };
    const key = await db.one(lockKey, ref);
    if (key === undefined || (key.latest_activity !== null && key.latest_activity >= time)) continue;
    await db.run(setActivity, { ...ref, time });
    owners.add(key.uuid);
    if (key.latest_activity === null) {
      await note(
        db,
        "api_key_first_used",
        { now: time, context, principal: key.uuid },
        { first_eight: firstEight },
      );
    }
  }
  return [...owners];
}
