/** Looks up accounts that this server keeps itself, for reads and commands alike. */
import type { LocalAccount, LocalAccountState } from "../../domain/ports/local-accounts.ts";
import { type Args, type Db, statement } from "../base/statement.ts";

type Key = Args<{ provider: string; key: string }>;

/** Also accounts that were removed, whose names stay reserved. */
export const rowByKey = statement((db, { provider, key }: Key) =>
  db
    .selectFrom("tiled_auth_accounts")
    .where("provider", "=", provider)
    .where("name_key", "=", key)
    .select(["id", "name", "email", "password", "state"]),
);

const groupsOfOne = statement((db, { id }: Args<{ id: number }>) =>
  db.selectFrom("tiled_auth_account_groups").where("account_id", "=", id).select("name").orderBy("name"),
);

const groupsOfAll = statement((db, { provider }: Args<{ provider: string }>) =>
  db
    .selectFrom("tiled_auth_account_groups as g")
    .innerJoin("tiled_auth_accounts as a", "a.id", "g.account_id")
    .where("a.provider", "=", provider)
    .select(["g.account_id as id", "g.name"])
    .orderBy("g.name"),
);

/** A removed account counts as disabled wherever a state is needed. */
export function livingState(state: LocalAccountState | "removed"): LocalAccountState {
  return state === "active" ? "active" : "disabled";
}

/** Undefined for an account that was removed, too. */
export async function findAccount(db: Db, provider: string, key: string): Promise<LocalAccount | undefined> {
  const row = await db.one(rowByKey, { provider, key });
  if (row === undefined || row.state === "removed") return undefined;
  const groups = (await db.all(groupsOfOne, { id: row.id })).map(({ name }) => name);
  return { ...row, state: livingState(row.state), groups: groups.sort() };
}

/** Groups by the account's id, sorted. */
export async function groupsOf(db: Db, provider: string): Promise<ReadonlyMap<number, readonly string[]>> {
  const groups = new Map<number, string[]>();
  for (const { id, name } of await db.all(groupsOfAll, { provider })) {
    groups.set(id, [...(groups.get(id) ?? []), name].sort());
  }
  return groups;
}
