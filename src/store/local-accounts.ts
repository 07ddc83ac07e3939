/** Reads of the accounts that this server keeps itself. `commands/local-accounts.ts` and its neighbours hold the writes. */
import { isStorableName } from "../domain/model/storable-text.ts";
import { type ListedAccount, type LocalAccountStore, nameKey } from "../domain/ports/local-accounts.ts";
import { type Args, type Db, statement } from "./base/statement.ts";
import type { Backend } from "./commands/backend.ts";
import { findLink } from "./commands/local-account-links.ts";
import { findAccount, groupsOf, livingState } from "./commands/local-account-rows.ts";

const LAST_ID = 2_147_483_647;

const highest = statement((db, { provider }: Args<{ provider: string }>) =>
  db
    .selectFrom("tiled_auth_accounts")
    .where("provider", "=", provider)
    .where("password", "is not", null)
    .select("id")
    .orderBy("id", "desc")
    .limit(1),
);

const nextHash = statement((db, { provider, id }: Args<{ provider: string; id: number }>) =>
  db
    .selectFrom("tiled_auth_accounts")
    .where("provider", "=", provider)
    .where("password", "is not", null)
    .where("id", ">=", id)
    .select("password")
    .orderBy("id")
    .limit(1),
);

const hashLike = statement((db, { provider, pattern }: Args<{ provider: string; pattern: string }>) =>
  db
    .selectFrom("tiled_auth_accounts")
    .where("provider", "=", provider)
    .where("password", "like", pattern)
    .select("id")
    .limit(1),
);

const listed = statement((db, { provider }: Args<{ provider: string }>) =>
  db
    .selectFrom("tiled_auth_accounts as a")
    .leftJoin("identities as i", (join) =>
      join.onRef("i.id", "=", "a.name").onRef("i.provider", "=", "a.provider"),
    )
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "i.principal_id")
    .where("a.provider", "=", provider)
    .where("a.state", "!=", "removed")
    .select([
      "a.id",
      "a.name",
      "a.email",
      "a.password",
      "a.state",
      "i.latest_login",
      "d.principal_id as disabled",
    ])
    .orderBy("a.name_key"),
);

async function sample(db: Db, provider: string, number: number): Promise<string | undefined> {
  const last = (await db.one(highest, { provider }))?.id;
  if (last === undefined) return undefined;
  const id = Math.min(Math.floor(number * last) + 1, LAST_ID);
  return (await db.one(nextHash, { provider, id }))?.password ?? undefined;
}

async function list(db: Db, provider: string): Promise<readonly ListedAccount[]> {
  const rows = await db.all(listed, { provider });
  const groups = await groupsOf(db, provider);
  return rows.map(({ id, name, email, password, state, latest_login, disabled }) => ({
    id,
    name,
    email,
    password,
    state: livingState(state),
    groups: groups.get(id) ?? [],
    latestLogin: latest_login,
    principalDisabled: disabled !== null,
  }));
}

/** Implements `LocalAccountStore`. */
export function localAccountStore(backend: Backend): LocalAccountStore {
  return {
    find: async (provider, name) =>
      isStorableName(nameKey(name))
        ? backend.read((db) => findAccount(db, provider, nameKey(name)))
        : undefined,
    sample: (provider, number) => backend.read((db) => sample(db, provider, number)),
    hasHash: (provider, prefix) =>
      backend.read(async (db) => (await db.one(hashLike, { provider, pattern: `${prefix}%` })) !== undefined),
    list: (provider) => backend.read((db) => list(db, provider)),
    add: (request) => backend.write("local_account.add", request),
    rehash: async (account, from, to, now) => {
      await backend.write("local_account.rehash", { account, from, to, now });
    },
    set: (request) => backend.write("local_account.set", request),
    setPassword: (request) => backend.write("local_account.set_password", request),
    link: (request) => backend.write("local_account.link", request),
    findLink: (digest, now) => backend.read((db) => findLink(db, digest, now)),
    useLink: (request) => backend.write("local_account.use_link", request),
    rename: (request) => backend.write("local_account.rename", request),
    remove: (request) => backend.write("local_account.remove", request),
  };
}
