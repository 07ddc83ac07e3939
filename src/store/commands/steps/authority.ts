/**
 * Checks within a change's own transaction that the actor may still make it: since the request was admitted the principal may
 * have been disabled, or its session or key may have ended. The locks last as long as the transaction, so a concurrent
 * revocation comes either before or after the change.
 *
 * Throughout the store a principal is locked before its sessions and keys, and of two principals the older one first, so no two
 * commands wait for each other.
 */
import type { ActorCredential, RequestContext } from "../../../domain/model/entities.ts";
import type { CredentialRevoked } from "../../../domain/model/revoked.ts";
import type { Digest } from "../../../lib/secrets.ts";
import type { Uuid } from "../../../lib/uuid.ts";
import { type Args, type Db, statement } from "../../base/statement.ts";

/** Locks a live session of its owner. */
export const lockSession = statement((db, key: Args<{ session: Uuid; owner: Uuid; now: Date }>, dialect) =>
  db
    .selectFrom("sessions as s")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .where("s.uuid", "=", key.session)
    .where("p.uuid", "=", key.owner)
    .where("s.revoked", "=", (eb) => eb.lit(false))
    .where("s.expiration_time", ">", key.now)
    .select(["s.id", "p.id as principal", "s.time_created as created"])
    .$if(dialect === "postgresql", (query) => query.forNoKeyUpdate("s")),
);

const lockKey = statement(
  (db, key: Args<{ firstEight: string; hashed: Buffer; owner: Uuid; now: Date }>, dialect) =>
    db
      .selectFrom("api_keys as k")
      .innerJoin("principals as p", "p.id", "k.principal_id")
      .where("k.first_eight", "=", key.firstEight)
      .where("k.hashed_secret", "=", key.hashed)
      .where("p.uuid", "=", key.owner)
      .where((eb) => eb.or([eb("k.expiration_time", "is", null), eb("k.expiration_time", ">", key.now)]))
      .select("p.id as principal")
      // This lock allows recording a use of the key, but not deleting it.
      .$if(dialect === "postgresql", (query) => query.forKeyShare("k")),
);

const findCaveLogin = statement((db, { digest, now }: Args<{ digest: Digest; now: Date }>) =>
  db
    .selectFrom("tiled_auth_cave_logins")
    .where("token", "=", digest)
    .where("expiration_time", ">", now)
    .select("token"),
);

const lockPrincipals = statement((db, pair: Args<{ one: Uuid; other: Uuid }>, dialect) =>
  db
    .selectFrom("principals as p")
    .where((eb) => eb.or([eb("p.uuid", "=", pair.one), eb("p.uuid", "=", pair.other)]))
    .select("p.id")
    .orderBy("p.id")
    .$if(dialect === "postgresql", (query) => query.forNoKeyUpdate("p")),
);

const findDisabled = statement((db, { uuid }: Args<{ uuid: Uuid }>) =>
  db
    .selectFrom("tiled_auth_disabled_principals as d")
    .innerJoin("principals as p", "p.id", "d.principal_id")
    .where("p.uuid", "=", uuid)
    .select("p.id"),
);

/** Request and time of a change. */
export interface Change {
  readonly context: RequestContext;
  readonly now: Date;
}

/**
 * Locks the actor's principal and credential, and the principal of `concerned`, whose row is changed. The result is undefined
 * if the actor may proceed.
 */
export async function lockActor(
  db: Db,
  { context, now }: Change,
  concerned: Uuid | null,
): Promise<CredentialRevoked | undefined> {
  const { actor, credential } = context;
  if (actor === null || credential === undefined) {
    if (concerned !== null) await db.all(lockPrincipals, { one: concerned, other: concerned });
    return undefined;
  }
  await db.all(lockPrincipals, { one: actor, other: concerned ?? actor });
  if (!(await counts(db, credential, actor, now))) return { kind: "credential_revoked", why: "credential" };
  if (await isDisabled(db, actor)) return { kind: "credential_revoked", why: "principal" };
  return undefined;
}

/** Runs under the principal's lock, in a separate statement: the one that waited for the lock has an older snapshot. */
async function isDisabled(db: Db, uuid: Uuid): Promise<boolean> {
  return (await db.one(findDisabled, { uuid })) !== undefined;
}

/** Locks a principal and its live session, and returns when the session began. */
export async function lockOwner(
  db: Db,
  key: { readonly session: Uuid; readonly owner: Uuid; readonly now: Date },
): Promise<{ readonly principal: number; readonly created: Date } | undefined> {
  await db.all(lockPrincipals, { one: key.owner, other: key.owner });
  const held = await db.one(lockSession, key);
  return (await isDisabled(db, key.owner)) ? undefined : held;
}

async function counts(db: Db, credential: ActorCredential, owner: Uuid, now: Date): Promise<boolean> {
  switch (credential.kind) {
    case "session":
    case "browser":
      return (await db.one(lockSession, { session: credential.session, owner, now })) !== undefined;
    case "api_key": {
      const { firstEight, digest } = credential;
      const hashed = Buffer.from(digest, "hex");
      return (await db.one(lockKey, { firstEight, hashed, owner, now })) !== undefined;
    }
    case "cave_login": {
      const { session, digest } = credential;
      if ((await db.one(lockSession, { session, owner, now })) === undefined) return false;
      return (await db.one(findCaveLogin, { digest, now })) !== undefined;
    }
    case "token":
      return true;
  }
}
