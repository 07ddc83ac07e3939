/**
 * Renames and removes accounts that this server keeps itself, and replaces their passwords. No account takes over the identity of another: a removed account
 * keeps its name reserved, and a new name must never have been one.
 */
import type { IdentityRef } from "../../domain/model/entities.ts";
import {
  type LocalAccountStore,
  nameKey,
  type RemoveAccount,
  type RemovedAccount,
  type RenameAccount,
  type RenamedAccount,
  type SetPassword,
} from "../../domain/ports/local-accounts.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { deleteLinks, endSessions, replacePassword } from "./local-account-passwords.ts";
import { findAccount, rowByKey } from "./local-account-rows.ts";
import { setDisabled } from "./principals.ts";
import { note } from "./steps/audit.ts";
import { lockActor } from "./steps/authority.ts";
import { foldIdentity, otherSpelling } from "./steps/spellings.ts";
import { findPrincipalOfIdentity } from "./steps/summaries.ts";

const setName = statement((db, row: Args<{ id: number; to: string; key: string; now: Date }>) =>
  db
    .updateTable("tiled_auth_accounts")
    .set({ name: row.to, name_key: row.key, time_updated: row.now })
    .where("id", "=", row.id),
);

const bury = statement((db, { id, now }: Args<{ id: number; now: Date }>) =>
  db
    .updateTable("tiled_auth_accounts")
    .set({ state: "removed", email: null, password: null, time_updated: now })
    .where("id", "=", id),
);

const erase = statement((db, { id }: Args<{ id: number }>) =>
  db.deleteFrom("tiled_auth_accounts").where("id", "=", id),
);

type Move = Args<IdentityRef & { to: string }>;

const dropFolded = statement((db, { provider, id }: Args<IdentityRef>) =>
  db.deleteFrom("tiled_auth_folded_identities").where("provider", "=", provider).where("id", "=", id),
);

const moveIdentity = statement((db, row: Move) =>
  db
    .updateTable("identities")
    .set({ id: row.to })
    .where("provider", "=", row.provider)
    .where("id", "=", row.id),
);

/** The state of the newest login is found by the name, so that keys keep it. */
const moveOrigins = statement((db, row: Move) =>
  db
    .updateTable("tiled_auth_session_origins")
    .set({ identity: row.to })
    .where("provider", "=", row.provider)
    .where("identity", "=", row.id),
);

const dropStates = statement((db, { provider, id }: Args<IdentityRef>) =>
  db.deleteFrom("tiled_auth_login_states").where("provider", "=", provider).where("identity", "=", id),
);

const moveStates = statement((db, row: Move) =>
  db
    .updateTable("tiled_auth_login_states")
    .set({ identity: row.to })
    .where("provider", "=", row.provider)
    .where("identity", "=", row.id),
);

/** Sets a new password, which ends all sessions and links of the old one. */
export async function setPassword(
  db: Db,
  request: SetPassword,
): ReturnType<LocalAccountStore["setPassword"]> {
  const { provider, password, now, context } = request;
  const account = await findAccount(db, provider, nameKey(request.name));
  if (account === undefined) return { kind: "unknown" };
  const identity = { provider, id: account.name };
  const found = await findPrincipalOfIdentity(db, identity);
  if (found !== undefined) await lockActor(db, request, found.uuid);
  await db.run(replacePassword, { id: account.id, password, now });
  await db.run(deleteLinks, { id: account.id });
  const { length: sessions } = found === undefined ? [] : await endSessions(db, found.uuid, request);
  await note(db, "password_reset", { now, context, principal: found?.uuid ?? null, identity });
  return { kind: "done", sessions };
}

/** Gives an account and its identity another name, and ends its sessions. */
export async function renameAccount(db: Db, request: RenameAccount): Promise<RenamedAccount> {
  const { provider, to, now, context } = request;
  const account = await findAccount(db, provider, nameKey(request.name));
  if (account === undefined) return { kind: "unknown" };
  const from = { provider, id: account.name };
  const row = await db.one(rowByKey, { provider, key: nameKey(to) });
  if (row !== undefined && row.id !== account.id) return { kind: "taken", known: row.name };
  if (to === account.name) return { kind: "renamed", from: account.name, sessions: 0 };
  if ((await findPrincipalOfIdentity(db, { provider, id: to })) !== undefined)
    return { kind: "taken", known: to };
  const spelled = await otherSpelling(db, { provider, id: to });
  if (spelled !== undefined && spelled.id !== account.name) return { kind: "taken", known: spelled.id };
  const found = await findPrincipalOfIdentity(db, from);
  if (found !== undefined) await lockActor(db, request, found.uuid);
  await db.run(setName, { id: account.id, to, key: nameKey(to), now });
  let sessions = 0;
  if (found !== undefined) {
    await db.run(dropFolded, from);
    await db.run(moveIdentity, { ...from, to });
    await foldIdentity(db, { provider, id: to });
    await db.run(moveOrigins, { ...from, to });
    await db.run(dropStates, { provider, id: to });
    await db.run(moveStates, { ...from, to });
    sessions = (await endSessions(db, found.uuid, request)).length;
  }
  const about = { now, context, principal: found?.uuid ?? null, identity: { provider, id: to } };
  await note(db, "account_renamed", about, { from: account.name });
  return { kind: "renamed", from: account.name, sessions };
}

/** The name stays reserved if the account ever was an identity, which may own data. */
export async function removeAccount(db: Db, request: RemoveAccount): Promise<RemovedAccount> {
  const { provider, now, context } = request;
  const account = await findAccount(db, provider, nameKey(request.name));
  if (account === undefined) return { kind: "unknown" };
  const identity = { provider, id: account.name };
  const found = await findPrincipalOfIdentity(db, identity);
  if (found !== undefined) {
    const { kind } = await setDisabled(db, { principal: found.uuid, disabled: true, now, context });
    if (kind === "last_admin") return { kind };
    await db.run(deleteLinks, { id: account.id });
    await db.run(bury, { id: account.id, now });
  } else await db.run(erase, { id: account.id });
  await note(db, "account_removed", { now, context, principal: found?.uuid ?? null, identity });
  return { kind: "removed" };
}
