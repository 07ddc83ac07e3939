/** Reads what the database has of the people of an import: principals, identities, tokens and accepted terms. */
import { sql } from "kysely";
import type { PrincipalType } from "../../domain/model/entities.ts";
import type { ImportCave } from "../../domain/ports/cave-import.ts";
import { foldedDigest } from "../../lib/fold.ts";
import type { Digest } from "../../lib/secrets.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { toBytes } from "../base/codec.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { foldNew } from "./steps/spellings.ts";

/** Key of the advisory lock; an arbitrary number that all servers share. */
const IMPORT_LOCK = 7_446_381_209_553_002n;

/** Serializes imports, so that the second finds what the first has written. */
const lockImport = statement((db, _: Args<object>) =>
  db.selectNoFrom(sql`pg_advisory_xact_lock(${sql.lit(IMPORT_LOCK)})`.as("held")),
);

/** Rows of one statement. */
const CHUNK = 500;

export function chunks<Item>(items: readonly Item[]): Item[][] {
  const found: Item[][] = [];
  for (let start = 0; start < items.length; start += CHUNK) found.push(items.slice(start, start + CHUNK));
  return found;
}

export interface KnownPrincipal {
  readonly uuid: Uuid;
  readonly type: PrincipalType;
  /** A service's note. */
  readonly note: string | null;
  /** `provider:id`, for the operator. */
  readonly identities: string[];
  readonly terms: Set<number>;
}

/** Principals are known by their number. */
export interface Known {
  readonly principals: ReadonlyMap<number, KnownPrincipal>;
  /** The owners of the identities at the provider. */
  readonly owners: ReadonlyMap<string, number>;
  /** Names of people, by identity at the provider. */
  readonly names: ReadonlyMap<string, string | null>;
  /** An identity at the provider by its folded name. */
  readonly folded: Map<Digest, string>;
  readonly tokens: ReadonlyMap<Digest, { readonly owner: number; readonly description: string | null }>;
  /** Whether the provider distinguishes names that differ only in case. */
  readonly caseSensitive: boolean;
}

export async function findKnown(db: Db, request: ImportCave): Promise<Known> {
  const { people, provider, caseSensitive } = request;
  if (db.dialect === "postgresql") await db.all(lockImport, {});
  await foldNew(db);
  const emails = people.flatMap(({ email }) => email ?? []);
  // Before the identities: on PostgreSQL a statement also sees what was committed since the one before it, and the folded
  // name of an unknown identity would be another spelling.
  const folded = await findFolded(db, provider, emails);
  const digests = people.flatMap(({ tokens }) => tokens.map(({ digest }) => digest));
  return {
    principals: await findPrincipals(
      db,
      people.map(({ id }) => id),
    ),
    ...(await findIdentities(db, provider, emails)),
    folded,
    tokens: await findTokens(db, digests),
    caseSensitive,
  };
}

async function findPrincipals(db: Db, ids: readonly number[]): Promise<Map<number, KnownPrincipal>> {
  const found = new Map<number, KnownPrincipal>();
  for (const some of chunks(ids)) {
    const rows = await db.query((tables) =>
      tables.selectFrom("principals").where("id", "in", some).select(["id", "uuid", "type"]),
    );
    // Joined, PostgreSQL might read all notes for so many principals.
    const notes = await db.query((tables) =>
      tables
        .selectFrom("tiled_auth_service_notes")
        .where("principal_id", "in", some)
        .select(["principal_id", "note"]),
    );
    const noteOf = new Map(notes.map(({ principal_id, note }) => [principal_id, note]));
    for (const { id, ...row } of rows) {
      found.set(id, { ...row, note: noteOf.get(id) ?? null, identities: [], terms: new Set() });
    }
    const identities = await db.query((tables) =>
      tables
        .selectFrom("identities")
        .where("principal_id", "in", some)
        .select(["principal_id", "provider", "id"])
        .orderBy("provider")
        .orderBy("id"),
    );
    for (const row of identities) found.get(row.principal_id)?.identities.push(`${row.provider}:${row.id}`);
    const terms = await db.query((tables) =>
      tables
        .selectFrom("tiled_auth_cave_tos")
        .where("principal_id", "in", some)
        .select(["principal_id", "tos"]),
    );
    for (const row of terms) found.get(row.principal_id)?.terms.add(row.tos);
  }
  return found;
}

async function findIdentities(db: Db, provider: string, emails: readonly string[]) {
  const owners = new Map<string, number>();
  const names = new Map<string, string | null>();
  for (const some of chunks(emails)) {
    const rows = await db.query((tables) =>
      tables
        .selectFrom("identities as i")
        .where("i.provider", "=", provider)
        .where("i.id", "in", some)
        .select(["i.id", "i.principal_id"])
        .select((eb) =>
          eb
            .selectFrom("tiled_auth_profiles as f")
            .whereRef("f.provider", "=", "i.provider")
            .whereRef("f.identity", "=", "i.id")
            .select("f.name")
            .as("name"),
        ),
    );
    for (const row of rows) {
      owners.set(row.id, row.principal_id);
      names.set(row.id, row.name);
    }
  }
  return { owners, names };
}

async function findFolded(db: Db, provider: string, emails: readonly string[]): Promise<Map<Digest, string>> {
  const found = new Map<Digest, string>();
  for (const some of chunks(emails)) {
    const rows = await db.query((tables) =>
      tables
        .selectFrom("tiled_auth_folded_identities")
        .where("provider", "=", provider)
        .where("folded", "in", some.map(foldedDigest))
        .select(["id", "folded"]),
    );
    for (const row of rows) found.set(row.folded as Digest, row.id);
  }
  return found;
}

async function findTokens(db: Db, digests: readonly Digest[]) {
  const found = new Map<Digest, { owner: number; description: string | null }>();
  for (const some of chunks(digests)) {
    const rows = await db.query((tables) =>
      tables
        .selectFrom("api_keys")
        .where("hashed_secret", "in", some.map(toBytes))
        .select(["hashed_secret", "principal_id", "note"]),
    );
    for (const row of rows) {
      found.set(row.hashed_secret.toString("hex") as Digest, {
        owner: row.principal_id,
        description: row.note,
      });
    }
  }
  return found;
}
