/**
 * The summary of a principal that every authenticated request needs: its identities, whether it is disabled, and its roles.
 */
import { sql } from "kysely";
import type { IdentityRef, PrincipalSummary } from "../../../domain/model/entities.ts";
import { setBounded } from "../../../lib/bounded-map.ts";
import type { Uuid } from "../../../lib/uuid.ts";
import { readList } from "../../base/codec.ts";
import { type Args, type Db, statement } from "../../base/statement.ts";

/** A principal with the id of its row. */
export interface PrincipalRow {
  readonly id: number;
  readonly uuid: Uuid;
  readonly type: "user" | "service";
  readonly disabledSince: Date | null;
}

const byUuid = statement((db, { uuid }: Args<{ uuid: Uuid }>) =>
  db
    .selectFrom("principals as p")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "p.id")
    .where("p.uuid", "=", uuid)
    .select(["p.id", "p.uuid", "p.type", "d.time as disabledSince"]),
);

const byIdentity = statement((db, identity: Args<IdentityRef>) =>
  db
    .selectFrom("identities as i")
    .innerJoin("principals as p", "p.id", "i.principal_id")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "p.id")
    .where("i.id", "=", identity.id)
    .where("i.provider", "=", identity.provider)
    .select(["p.id", "p.uuid", "p.type", "d.time as disabledSince"]),
);

/** Identities (provider, id), roles (name, scopes) and whether the principal is disabled, in one statement. */
const facts = statement((db, { principal }: Args<{ principal: number }>) =>
  db
    .selectFrom("identities")
    .where("principal_id", "=", principal)
    .select([sql.lit("identity").as("kind"), "provider as left", "id as right"])
    .unionAll(
      db
        .selectFrom("principal_role_association as a")
        .innerJoin("roles as r", "r.id", "a.role_id")
        .where("a.principal_id", "=", principal)
        .select([sql.lit("role").as("kind"), "r.name as left", "r.scopes as right"]),
    )
    .unionAll(
      db
        .selectFrom("tiled_auth_disabled_principals")
        .where("principal_id", "=", principal)
        .select([sql.lit("disabled").as("kind"), sql.lit("").as("left"), sql.lit("").as("right")]),
    ),
);

/** Finds a principal by its UUID. */
export function findPrincipal(db: Db, uuid: Uuid): Promise<PrincipalRow | undefined> {
  return db.one(byUuid, { uuid });
}

/** Finds the principal of an identity. */
export function findPrincipalOfIdentity(db: Db, identity: IdentityRef): Promise<PrincipalRow | undefined> {
  return db.one(byIdentity, identity);
}

/** Lists of scopes that many principals have. Their number is bounded, since a list may be anything. */
const LISTS = new Map<string, readonly string[]>();
const MAX_LISTS = 1000;

/** Equal lists are the same object, which takes the memory of one. */
function shared(scopes: readonly string[]): readonly string[] {
  const text = scopes.join("\n");
  const known = LISTS.get(text);
  if (known !== undefined) return known;
  setBounded(LISTS, text, scopes, MAX_LISTS);
  return scopes;
}

/** Reads the current summary: the given row may be older than a lock that was waited for. */
export async function summarize(
  db: Db,
  principal: Pick<PrincipalRow, "id" | "uuid" | "type">,
): Promise<PrincipalSummary> {
  const identities: IdentityRef[] = [];
  const scopes = new Set<string>();
  let disabled = false;
  for (const fact of await db.all(facts, { principal: principal.id })) {
    if (fact.kind === "identity") identities.push({ provider: fact.left, id: fact.right });
    else if (fact.kind === "disabled") disabled = true;
    else for (const scope of readList(fact.right)) scopes.add(scope);
  }
  return {
    uuid: principal.uuid,
    type: principal.type,
    disabled,
    identities,
    scopes: shared([...scopes].sort()),
  };
}
