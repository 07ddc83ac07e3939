/**
 * Every identity's name, case-folded, so that other spellings are found by an index. Neither database folds like Unicode, so
 * existing names are folded here, and those that a real Tiled adds later by `src/store/commands/steps/spellings.ts`.
 */
import { type Kysely, sql } from "kysely";
import { foldedDigest } from "../src/lib/fold.ts";
import { createIndexes, type Index } from "./create-indexes.ts";

const BATCH = 1000;

export const FOLDED: Index = [
  "tiled_auth_ix_folded_identities",
  "tiled_auth_folded_identities",
  ["provider", "folded"],
];
export const TWINS = "tiled_auth_ix_folded_twins";

interface Tables {
  identities: { id: string; provider: string };
  tiled_auth_folded_identities: { id: string; provider: string; folded: string; twin: boolean };
}

export async function up(given: Kysely<unknown>): Promise<void> {
  const db = given as Kysely<Tables>;
  await db.schema
    .createTable("tiled_auth_folded_identities")
    .addColumn("id", "varchar(255)", (column) => column.notNull())
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addColumn("folded", "varchar(64)", (column) => column.notNull())
    // The provider has another identity with another spelling, which was there before.
    .addColumn("twin", "boolean", (column) => column.notNull())
    .addPrimaryKeyConstraint("tiled_auth_pk_folded_identities", ["id", "provider"])
    .addForeignKeyConstraint(
      "tiled_auth_fk_folded_identities",
      ["id", "provider"],
      "identities",
      ["id", "provider"],
      (constraint) => constraint.onDelete("cascade"),
    )
    .execute();
  await fill(db);
  await createIndexes(given, [FOLDED]);
  await sql`
    update tiled_auth_folded_identities set twin = true where (provider, folded) in (
      select provider, folded from tiled_auth_folded_identities group by provider, folded having count(*) > 1
    )`.execute(db);
  await createTwinsIndex(given);
}

/** Of the few that have one. */
export async function createTwinsIndex(db: Kysely<unknown>): Promise<void> {
  const create = sql`create index if not exists ${sql.ref(TWINS)} on tiled_auth_folded_identities (provider) where twin = true`;
  await create.execute(db);
}

async function fill(db: Kysely<Tables>): Promise<void> {
  let last = { id: "", provider: "" };
  for (;;) {
    const rows = await db
      .selectFrom("identities")
      .select(["id", "provider"])
      .where((eb) => eb(eb.refTuple("id", "provider"), ">", eb.tuple(last.id, last.provider)))
      .orderBy("id")
      .orderBy("provider")
      .limit(BATCH)
      .execute();
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end;
    const values = rows.map(({ id, provider }) => ({
      id,
      provider,
      folded: foldedDigest(id),
      twin: sql<boolean>`false`,
    }));
    await db.insertInto("tiled_auth_folded_identities").values(values).execute();
  }
}
