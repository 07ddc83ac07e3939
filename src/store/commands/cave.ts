/**
 * Writes for CAVE: replaces and revokes API tokens, opens and ends login tokens, and notes who accepted which terms of service.
 * Tokens are made by `api-keys.ts`.
 */
import { CAVE_SCOPE } from "../../domain/model/scopes.ts";
import type { CreateApiKey, RevokeApiKeys } from "../../domain/ports/api-keys.ts";
import type { AcceptTerms, CaveStore, EndCaveLogin, OpenCaveLogin } from "../../domain/ports/cave.ts";
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { writeList } from "../base/codec.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { addKey, type KeyRef, noteRevokedKeys } from "./api-keys.ts";
import { note } from "./steps/audit.ts";
import { lockActor, lockSession } from "./steps/authority.ts";

/** Pattern of a key's scopes. Within a list, every other scope is in quotes of its own. */
export const HAS_CAVE = `%"${CAVE_SCOPE}"%`;
const ONLY_CAVE = writeList([CAVE_SCOPE]);
/** A hand-over adds one, so an existing surplus shrinks. */
const DROPPED_AT_ONCE = 20;

const replaceable = statement((db, { principal, now }: Args<{ principal: Uuid; now: Date }>) =>
  db
    .selectFrom("api_keys as k")
    .innerJoin("principals as p", "p.id", "k.principal_id")
    .where("p.uuid", "=", principal)
    .where("k.scopes", "=", ONLY_CAVE)
    .where((eb) => eb.or([eb("k.expiration_time", "is", null), eb("k.expiration_time", ">", now)]))
    .select(["k.first_eight as firstEight", "k.hashed_secret as hashed"])
    .limit(2),
);

const deleteKey = statement((db, key: Args<KeyRef>) =>
  db
    .deleteFrom("api_keys")
    .where("first_eight", "=", key.firstEight)
    .where("hashed_secret", "=", key.hashed)
    .returning("hashed_secret"),
);

const deleteTokens = statement((db, key: Args<{ principal: Uuid; firstEight: string }>) =>
  db
    .deleteFrom("api_keys")
    .where("first_eight", "=", key.firstEight)
    .where("scopes", "like", HAS_CAVE)
    .where("principal_id", "in", db.selectFrom("principals").where("uuid", "=", key.principal).select("id"))
    .returning("hashed_secret"),
);

const surplus = statement((db, { session, kept }: Args<{ session: number; kept: number }>) =>
  db
    .selectFrom("tiled_auth_cave_logins")
    .where("session_id", "=", session)
    .orderBy("time_created", "desc")
    .orderBy("token")
    .select("token")
    .offset(kept)
    .limit(DROPPED_AT_ONCE),
);

interface NewLogin {
  readonly digest: Digest;
  readonly session: number;
  readonly origin: string;
  readonly now: Date;
  readonly expiration: Date;
}

const insertLogin = statement((db, row: Args<NewLogin>) =>
  db.insertInto("tiled_auth_cave_logins").values({
    token: row.digest,
    session_id: row.session,
    origin: row.origin,
    time_created: row.now,
    expiration_time: row.expiration,
  }),
);

const ownerOfLogin = statement((db, { digest, now }: Args<{ digest: Digest; now: Date }>) =>
  db
    .selectFrom("tiled_auth_cave_logins as l")
    .innerJoin("sessions as s", "s.id", "l.session_id")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .where("l.token", "=", digest)
    .where("l.expiration_time", ">", now)
    .select(["p.uuid as principal", "s.uuid as session", "l.origin"]),
);

const deleteLogin = statement((db, { digest }: Args<{ digest: Digest }>) =>
  db.deleteFrom("tiled_auth_cave_logins").where("token", "=", digest),
);

const insertAcceptance = statement((db, row: Args<{ principal: Uuid; tos: number; now: Date }>) =>
  db
    .insertInto("tiled_auth_cave_tos")
    .columns(["principal_id", "tos", "time"])
    .expression(
      db
        .selectFrom("principals")
        .where("uuid", "=", row.principal)
        .select((eb) => [
          "id as principal_id",
          eb.cast<number>(row.tos, "integer").as("tos"),
          row.now.as("time"),
        ]),
    )
    .onConflict((conflict) => conflict.doNothing()),
);

/** Makes a key in place of the only token. Nothing is deleted unless the new one is there. */
export async function replaceToken(db: Db, request: CreateApiKey): ReturnType<CaveStore["replaceToken"]> {
  const { principal, now } = request;
  const revokedCredential = await lockActor(db, request, principal);
  if (revokedCredential !== undefined) return revokedCredential;
  const [only, ...others] = await db.all(replaceable, { principal, now });
  if (others.length > 0) return { kind: "several" };
  const added = await addKey(db, request, only === undefined ? 0 : 1);
  if (added.kind !== "created") return added;
  if (only === undefined) return { kind: "made", replaced: null };
  const deleted = await db.all(deleteKey, only);
  const { firstEight } = only;
  const [digest] = await noteRevokedKeys(db, { ...request, firstEight }, deleted);
  return { kind: "made", replaced: digest === undefined ? null : { firstEight, digest } };
}

/** Deletes the principal's keys with the scope `cave` and these first eight digits. */
export async function revokeToken(db: Db, request: RevokeApiKeys): ReturnType<CaveStore["revokeToken"]> {
  const { principal, firstEight } = request;
  const revokedCredential = await lockActor(db, request, principal);
  if (revokedCredential !== undefined) return revokedCredential;
  const digests = await noteRevokedKeys(db, request, await db.all(deleteTokens, { principal, firstEight }));
  return digests.length === 0 ? { kind: "unknown" } : { kind: "revoked", digests };
}

/** Opens a login token for a live session, within the session's limit. */
export async function openCaveLogin(db: Db, request: OpenCaveLogin): ReturnType<CaveStore["openLogin"]> {
  const { digest, principal, origin, limit, now, context } = request;
  const revokedCredential = await lockActor(db, request, principal);
  if (revokedCredential !== undefined) return revokedCredential;
  const session = await db.one(lockSession, { session: request.session, owner: principal, now });
  if (session === undefined) return { kind: "credential_revoked", why: "credential" };
  const dropped = (await db.all(surplus, { session: session.id, kept: limit - 1 })).map(({ token }) => token);
  for (const old of dropped) await db.run(deleteLogin, { digest: old });
  await db.run(insertLogin, {
    digest,
    session: session.id,
    origin,
    now,
    expiration: request.expirationTime,
  });
  const detail = { origin, session: request.session };
  await note(db, "cave_login_token_issued", { now, context, principal }, detail);
  return { kind: "opened", dropped };
}

/** Deletes a login token. Returns its owner, or null if it had ended. */
export async function endCaveLogin(db: Db, request: EndCaveLogin): Promise<Uuid | null> {
  const { digest, now, context } = request;
  if ((await lockActor(db, request, null)) !== undefined) return null;
  const found = await db.one(ownerOfLogin, { digest, now });
  if (found === undefined || (await db.run(deleteLogin, { digest })) === 0) return null;
  const { principal, origin, session } = found;
  await note(db, "cave_login_token_revoked", { now, context, principal }, { origin, session });
  return principal;
}

/** Notes that a principal accepted terms of service. */
export async function acceptTerms(db: Db, request: AcceptTerms): ReturnType<CaveStore["acceptTerms"]> {
  const { principal, tos, now, context } = request;
  const revokedCredential = await lockActor(db, request, principal);
  if (revokedCredential !== undefined) return revokedCredential;
  if ((await db.run(insertAcceptance, { principal, tos, now })) > 0) {
    await note(db, "cave_terms_accepted", { now, context, principal }, { tos });
  }
  return { kind: "accepted" };
}
