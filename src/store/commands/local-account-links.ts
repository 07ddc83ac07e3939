/**
 * Links that set the password of an account once: invitations and resets. Of an account's links only the newest counts. The
 * principal is locked before the account, and the account before its links.
 */
import {
  type LinkAccount,
  type LinkedAccount,
  type LinkOutcome,
  type LinkPurpose,
  type NewLink,
  nameKey,
  type UsedLink,
  type UseLink,
} from "../../domain/ports/local-accounts.ts";
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { deleteLinks, endSessions, replacePassword } from "./local-account-passwords.ts";
import { findAccount } from "./local-account-rows.ts";
import { note } from "./steps/audit.ts";
import { type Change, lockActor } from "./steps/authority.ts";
import { findPrincipalOfIdentity } from "./steps/summaries.ts";

const insertLink = statement(
  (db, row: Args<NewLink & { readonly account: number; readonly purpose: LinkPurpose }>) =>
    db.insertInto("tiled_auth_account_links").values({
      digest: row.digest,
      account_id: row.account,
      purpose: row.purpose,
      expiration_time: row.expirationTime,
    }),
);

const liveLink = statement((db, { digest, now }: Args<{ digest: Digest; now: Date }>) =>
  db
    .selectFrom("tiled_auth_account_links as l")
    .innerJoin("tiled_auth_accounts as a", "a.id", "l.account_id")
    .where("l.digest", "=", digest)
    .where("l.expiration_time", ">", now)
    .where("a.state", "=", "active")
    .select(["l.purpose", "a.id", "a.provider", "a.name", "a.email"]),
);

const lockAccount = statement((db, { id }: Args<{ id: number }>, dialect) =>
  db
    .selectFrom("tiled_auth_accounts")
    .where("id", "=", id)
    .select("name")
    .$if(dialect === "postgresql", (query) => query.forUpdate()),
);

const deleteKeys = statement((db, { principal }: Args<{ principal: number }>) =>
  db.deleteFrom("api_keys").where("principal_id", "=", principal).returning(["first_eight", "hashed_secret"]),
);

async function liveAccount(db: Db, digest: Digest, now: Date) {
  const account = await db.one(liveLink, { digest, now });
  if (account === undefined) return undefined;
  const principal = await findPrincipalOfIdentity(db, { provider: account.provider, id: account.name });
  return principal?.disabledSince == null ? { account, principal } : undefined;
}

export async function findLink(db: Db, digest: Digest, now: Date): Promise<LinkedAccount | undefined> {
  const found = await liveAccount(db, digest, now);
  if (found === undefined) return undefined;
  const { purpose, provider, name, email } = found.account;
  return { purpose, provider, name, email };
}

/** Replaces the account's links by a new one. */
export async function newLink(db: Db, id: number, purpose: LinkPurpose, link: NewLink): Promise<void> {
  await db.run(deleteLinks, { id });
  await db.run(insertLink, { ...link, account: id, purpose });
}

export async function linkAccount(db: Db, request: LinkAccount): Promise<LinkOutcome> {
  const { provider, purpose, link, endNow, now, context } = request;
  const account = await findAccount(db, provider, nameKey(request.name));
  if (account === undefined) return { kind: "unknown" };
  const identity = { provider, id: account.name };
  const principal = await findPrincipalOfIdentity(db, identity);
  if (account.state === "disabled" || principal?.disabledSince != null) return { kind: "disabled" };
  if (purpose === "invitation" && account.password !== null) return { kind: "has_password" };
  if (purpose === "reset" && account.password === null && principal === undefined)
    return { kind: "no_password" };
  if (principal !== undefined) await lockActor(db, request, principal.uuid);
  await db.one(lockAccount, { id: account.id });
  await newLink(db, account.id, purpose, link);
  const about = { now, context, principal: principal?.uuid ?? null, identity };
  if (purpose === "invitation") await note(db, "account_invited", about);
  else await note(db, "password_reset", about, { by: "link", at_once: endNow });
  if (!endNow) return { kind: "linked", sessions: 0 };
  await db.run(replacePassword, { id: account.id, password: null, now });
  const sessions = principal === undefined ? [] : await endSessions(db, principal.uuid, request);
  return { kind: "linked", sessions: sessions.length };
}

/** Sets the password that a link is for, once. */
export async function useLink(db: Db, request: UseLink): Promise<UsedLink> {
  const { digest, password, revokeKeys, now, context } = request;
  const before = await liveAccount(db, digest, now);
  if (before === undefined) return { kind: "gone" };
  if (before.principal !== undefined) await lockActor(db, request, before.principal.uuid);
  await db.one(lockAccount, { id: before.account.id });
  // Read again, since another request may have used or replaced the link before the lock.
  const found = await liveAccount(db, digest, now);
  if (found === undefined) return { kind: "gone" };
  const { account, principal } = found;
  const { provider, name } = account;
  await db.run(deleteLinks, { id: account.id });
  await db.run(replacePassword, { id: account.id, password, now });
  const identity = { provider, id: name };
  await note(
    db,
    "password_changed",
    { now, context, principal: principal?.uuid ?? null, identity },
    { by: account.purpose },
  );
  const sessions = principal === undefined ? [] : await endSessions(db, principal.uuid, request);
  const keys = revokeKeys && principal !== undefined ? await dropKeys(db, principal, request) : [];
  const groups = (await findAccount(db, provider, nameKey(name)))?.groups ?? [];
  return { kind: "used", provider, name, groups, principal: principal?.uuid ?? null, sessions, keys };
}

async function dropKeys(
  db: Db,
  { id, uuid }: { readonly id: number; readonly uuid: Uuid },
  { now, context }: Change,
): Promise<{ readonly firstEight: string; readonly digest: Digest }[]> {
  const deleted = await db.all(deleteKeys, { principal: id });
  for (const { first_eight } of deleted) {
    await note(db, "api_key_revoked", { now, context, principal: uuid }, { first_eight });
  }
  return deleted.map(({ first_eight, hashed_secret }) => ({
    firstEight: first_eight,
    digest: hashed_secret.toString("hex") as Digest,
  }));
}
