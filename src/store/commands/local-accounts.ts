/**
 * Adds and changes accounts that this server keeps itself. `local-account-ends.ts` renames and removes them. A list of accounts is
 * added wholly or not at all.
 */
import type {
  AddAccounts,
  AddedAccounts,
  LocalAccountStore,
  NewLocalAccount,
  RefusedAccount,
  SetAccount,
} from "../../domain/ports/local-accounts.ts";
import { nameKey } from "../../domain/ports/local-accounts.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { newLink } from "./local-account-links.ts";
import { findAccount, rowByKey } from "./local-account-rows.ts";
import { note } from "./steps/audit.ts";
import { grantAdmin, makeUser } from "./steps/roles.ts";
import { otherSpelling } from "./steps/spellings.ts";
import { findPrincipalOfIdentity } from "./steps/summaries.ts";

interface NewRow extends Pick<NewLocalAccount, "name" | "email" | "state"> {
  readonly password: string | null;
  readonly provider: string;
  readonly key: string;
  readonly now: Date;
}

const insert = statement((db, row: Args<NewRow>) =>
  db
    .insertInto("tiled_auth_accounts")
    .values({
      provider: row.provider,
      name: row.name,
      name_key: row.key,
      email: row.email,
      password: row.password,
      password_time: row.now,
      state: row.state,
      time_created: row.now,
    })
    .returning("id"),
);

const insertGroup = statement((db, { id, name }: Args<{ id: number; name: string }>) =>
  db
    .insertInto("tiled_auth_account_groups")
    .values({ account_id: id, name })
    .onConflict((conflict) => conflict.doNothing()),
);

const deleteGroups = statement((db, { id }: Args<{ id: number }>) =>
  db.deleteFrom("tiled_auth_account_groups").where("account_id", "=", id),
);

const enableAccount = statement((db, { id, now }: Args<{ id: number; now: Date }>) =>
  db.updateTable("tiled_auth_accounts").set({ state: "active", time_updated: now }).where("id", "=", id),
);

const setEmail = statement((db, row: Args<{ id: number; email: string | null; now: Date }>) =>
  db
    .updateTable("tiled_auth_accounts")
    .set({ email: row.email, time_updated: row.now })
    .where("id", "=", row.id),
);

interface Rehash {
  readonly account: number;
  readonly from: string;
  readonly to: string;
  readonly now: Date;
}

const replaceHash = statement((db, row: Args<Rehash>) =>
  db
    .updateTable("tiled_auth_accounts")
    .set({ password: row.to, time_updated: row.now })
    .where("id", "=", row.account)
    .where("password", "=", row.from),
);

/** Undefined if the account may have its name. */
async function refusal(
  db: Db,
  provider: string,
  name: string,
): Promise<Omit<RefusedAccount, "index"> | undefined> {
  const row = await db.one(rowByKey, { provider, key: nameKey(name) });
  if (row !== undefined) {
    return { reason: row.state === "removed" ? "removed" : "exists", known: row.name };
  }
  const identity = { provider, id: name };
  if ((await findPrincipalOfIdentity(db, identity)) !== undefined) return undefined;
  const other = await otherSpelling(db, identity);
  return other && { reason: "other_spelling", known: other.id };
}

/** Adds accounts, all or none. */
export async function addAccounts(db: Db, request: AddAccounts): Promise<AddedAccounts> {
  const { provider, accounts, as, now, context } = request;
  const skip = as !== "added" && as.skip;
  const refused: RefusedAccount[] = [];
  const skipped: number[] = [];
  for (const [index, { name }] of accounts.entries()) {
    const found = await refusal(db, provider, name);
    if (found === undefined) continue;
    if (skip && found.reason === "exists") skipped.push(index);
    else refused.push({ index, ...found });
  }
  if (refused.length > 0) return { kind: "refused", refused };
  const wanted = accounts.filter((_, index) => !skipped.includes(index));
  if (request.dryRun) return { kind: "added", added: wanted.length, skipped };
  for (const account of wanted) await addOne(db, request, account);
  if (as !== "added") {
    const detail = { provider, format: as.format, added: wanted.length, skipped: skipped.length };
    await note(db, "accounts_imported", { now, context, principal: null }, detail);
  }
  return { kind: "added", added: wanted.length, skipped };
}

async function addOne(db: Db, request: AddAccounts, account: NewLocalAccount): Promise<void> {
  const { provider, now, context } = request;
  const { name, email, state } = account;
  const link = typeof account.password === "string" ? null : account.password;
  const password = typeof account.password === "string" ? account.password : null;
  const row = await db.one(insert, { provider, name, key: nameKey(name), email, password, state, now });
  if (row === undefined) throw new Error("The database returned no id for a new account.");
  if (link !== null) await newLink(db, row.id, "invitation", link);
  for (const group of account.groups) await db.run(insertGroup, { id: row.id, name: group });
  const identity = { provider, id: name };
  const known = await findPrincipalOfIdentity(db, identity);
  if (request.as === "added") {
    const event = link === null ? "account_added" : "account_invited";
    await note(db, event, { now, context, principal: known?.uuid ?? null, identity });
  }
  if (!request.admin) return;
  const principal = known ?? (await makeUser(db, identity, null, { now, context }));
  await grantAdmin(db, principal, identity, { now, context });
}

export async function setAccount(db: Db, request: SetAccount): ReturnType<LocalAccountStore["set"]> {
  const found = await findAccount(db, request.provider, nameKey(request.name));
  if (found === undefined) return { kind: "unknown" };
  const { id } = found;
  await db.run(setEmail, { id, email: request.email ?? found.email, now: request.now });
  if (request.enable) await db.run(enableAccount, { id, now: request.now });
  if (request.groups !== undefined) {
    await db.run(deleteGroups, { id });
    for (const name of request.groups) await db.run(insertGroup, { id, name });
  }
  return { kind: "done" };
}

/** Compares and sets, so that a password that was changed meanwhile stays. */
export async function rehash(db: Db, request: Rehash): Promise<void> {
  await db.run(replaceHash, request);
}
