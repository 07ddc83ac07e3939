/**
 * Finds identities of one provider that differ only in case or Unicode form. If the provider's backend treats them as one user,
 * a second spelling would give that user a second account, which would not be disabled with the first.
 */
import { sql } from "kysely";
import type { IdentityRef } from "../../../domain/model/entities.ts";
import { foldedDigest } from "../../../lib/fold.ts";
import type { Uuid } from "../../../lib/uuid.ts";
import { type Args, type Db, statement } from "../../base/statement.ts";

/** Number of the newest identities to check for ones that a real Tiled added. */
const LOOK_BACK = 50;
const LAST_ID = 2_147_483_647;

const newest = statement((db, { below }: Args<{ below: number }>) =>
  db
    .selectFrom("identities as i")
    .leftJoin("tiled_auth_folded_identities as f", (join) =>
      join.onRef("f.id", "=", "i.id").onRef("f.provider", "=", "i.provider"),
    )
    .where("i.principal_id", "<=", below)
    .select(["i.id", "i.provider", "i.principal_id as principal", "f.folded"])
    .orderBy("i.principal_id", "desc")
    .limit(LOOK_BACK),
);

const insertFolded = statement((db, row: Args<IdentityRef & { folded: string }>) =>
  db.insertInto("tiled_auth_folded_identities").values((eb) => ({
    id: row.id,
    provider: row.provider,
    folded: row.folded,
    twin: eb
      .exists(
        eb
          .selectFrom("tiled_auth_folded_identities as o")
          .where("o.provider", "=", row.provider)
          .where("o.folded", "=", row.folded)
          .select("o.id"),
      )
      .$castTo<boolean>(),
  })),
);

const sameFolded = statement((db, { provider, folded }: Args<{ provider: string; folded: string }>) =>
  db
    .selectFrom("tiled_auth_folded_identities as f")
    .innerJoin("identities as i", (join) =>
      join.onRef("i.id", "=", "f.id").onRef("i.provider", "=", "f.provider"),
    )
    .innerJoin("principals as p", "p.id", "i.principal_id")
    .where("f.provider", "=", provider)
    .where("f.folded", "=", folded)
    .select(["f.id", "p.uuid"])
    .orderBy("i.principal_id")
    .limit(20),
);

const twins = statement((db, { provider }: Args<{ provider: string }>) =>
  db
    .selectFrom("tiled_auth_folded_identities as f")
    .innerJoin("tiled_auth_folded_identities as o", (join) =>
      join.onRef("o.provider", "=", "f.provider").onRef("o.folded", "=", "f.folded"),
    )
    .where("f.provider", "=", provider)
    .where("f.twin", "=", (eb) => eb.lit(true))
    .select(["o.id", "o.folded"])
    .distinct()
    .orderBy("o.folded")
    .limit(20),
);

/** Serializes first logins of one name in two spellings at two servers. */
const lockName = statement((db, { name }: Args<{ name: string }>) =>
  db.selectNoFrom(sql`pg_advisory_xact_lock(hashtextextended(${name}, 0))`.as("held")),
);

/** Stores the folded name of an identity. */
export async function foldIdentity(db: Db, { provider, id }: IdentityRef): Promise<void> {
  await db.run(insertFolded, { provider, id, folded: foldedDigest(id) });
}

/** An identity and its principal. */
export interface Spelling extends IdentityRef {
  readonly principal: Uuid;
}

/** The oldest other identity of the provider with the same folded name. */
export async function otherSpelling(db: Db, { provider, id }: IdentityRef): Promise<Spelling | undefined> {
  const folded = foldedDigest(id);
  if (db.dialect === "postgresql") await db.all(lockName, { name: `${provider} ${folded}` });
  await foldNew(db);
  const found = (await db.all(sameFolded, { provider, folded })).find((other) => other.id !== id);
  return found && { provider, id: found.id, principal: found.uuid };
}

/**
 * Folds the identities that another program has added. Everything before our own newest identity is folded already, so the
 * search ends at the first batch without a missing row.
 */
export async function foldNew(db: Db): Promise<void> {
  for (let below = LAST_ID; ; ) {
    const rows = await db.all(newest, { below });
    const missing = rows.filter(({ folded }) => folded === null);
    for (const identity of missing) await foldIdentity(db, identity);
    const last = rows.at(-1)?.principal ?? 0;
    if (missing.length === 0 || rows.length < LOOK_BACK || last >= below) return;
    below = last;
  }
}

/** Names with several spellings, for each provider. At most twenty identities per provider are read. */
export async function listTwins(
  db: Db,
  { providers }: { readonly providers: readonly string[] },
): Promise<{ readonly provider: string; readonly spellings: readonly string[] }[]> {
  await foldNew(db);
  const found: { provider: string; spellings: string[] }[] = [];
  for (const provider of providers) {
    const names = new Map<string, string[]>();
    for (const { id, folded } of await db.all(twins, { provider })) {
      names.set(folded, [...(names.get(folded) ?? []), id]);
    }
    for (const spellings of names.values()) {
      if (spellings.length > 1) found.push({ provider, spellings: spellings.sort() });
    }
  }
  return found;
}

/** All spellings of an identity, itself included, oldest first; at most twenty. */
export async function listSpellings(db: Db, { provider, id }: IdentityRef): Promise<IdentityRef[]> {
  await foldNew(db);
  const rows = await db.all(sameFolded, { provider, folded: foldedDigest(id) });
  return rows.map((row) => ({ provider, id: row.id }));
}
