/**
 * The role admin by a group of a provider (`tiled_admins` with `group`). A row says that a provider's group gave the role; a
 * principal that has the role and no row got it otherwise, and keeps it.
 */
import type { IdentityRef } from "../../../domain/model/entities.ts";
import { ADMIN_ROLE, USER_ROLE } from "../../../domain/model/scopes.ts";
import { type Args, type Db, statement } from "../../base/statement.ts";
import { note } from "./audit.ts";
import { grantRole, type Occasion } from "./roles.ts";
import type { PrincipalRow } from "./summaries.ts";

type Given = Args<{ principal: number; provider: string }>;

const insertGiven = statement((db, { principal, provider }: Given) =>
  db
    .insertInto("tiled_auth_group_roles")
    .values({ principal_id: principal, provider })
    .onConflict((conflict) => conflict.doNothing()),
);

const deleteGiven = statement((db, { principal, provider }: Given) =>
  db
    .deleteFrom("tiled_auth_group_roles")
    .where("principal_id", "=", principal)
    .where("provider", "=", provider),
);

const someGiven = statement((db, { principal }: Args<{ principal: number }>) =>
  db.selectFrom("tiled_auth_group_roles").where("principal_id", "=", principal).select("provider").limit(1),
);

const allGiven = statement((db, _: Args<object>) =>
  db.selectFrom("tiled_auth_group_roles").select(["principal_id as principal", "provider"]),
);

// Joined, PostgreSQL might read all principals.
const uuidOf = statement((db, { principal }: Args<{ principal: number }>) =>
  db.selectFrom("principals").where("id", "=", principal).select(["id", "uuid"]),
);

const takeRole = statement((db, { principal, role }: Args<{ principal: number; role: string }>) =>
  db
    .deleteFrom("principal_role_association")
    .where("principal_id", "=", principal)
    .where("role_id", "=", (eb) => eb.selectFrom("roles").where("name", "=", role).select("id")),
);

/** Gives the role to a member of a group, or takes it back from a person who is in none any more. */
export async function followGroups(
  db: Db,
  principal: PrincipalRow,
  identity: IdentityRef,
  isMember: boolean,
  occasion: Occasion,
): Promise<void> {
  const given = { principal: principal.id, provider: identity.provider };
  if (!isMember) {
    await withdraw(db, principal, identity.provider, identity, occasion);
    return;
  }
  await grantRole(db, principal.id, USER_ROLE.name);
  const isNew = await grantRole(db, principal.id, ADMIN_ROLE.name);
  // Two providers' groups may both give it: it stays until neither does.
  if (!isNew && (await db.one(someGiven, { principal: principal.id })) === undefined) return;
  await db.run(insertGiven, given);
  if (isNew) await noteRole(db, principal, identity, occasion, "granted", identity.provider);
}

/** Takes back what the provider's group gave. Nothing happens to a role that was given otherwise. */
export async function withdraw(
  db: Db,
  principal: Pick<PrincipalRow, "id" | "uuid">,
  provider: string,
  identity: IdentityRef | null,
  occasion: Occasion,
): Promise<void> {
  if ((await db.run(deleteGiven, { principal: principal.id, provider })) === 0) return;
  if ((await db.one(someGiven, { principal: principal.id })) !== undefined) return;
  if ((await db.run(takeRole, { principal: principal.id, role: ADMIN_ROLE.name })) > 0)
    await noteRole(db, principal, identity, occasion, "revoked", provider);
}

/** Takes back the roles of providers without a group in `tiled_admins`. */
export async function withdrawOthers(
  db: Db,
  providers: readonly string[],
  occasion: Occasion,
): Promise<void> {
  for (const { principal, provider } of await db.all(allGiven, {})) {
    if (providers.includes(provider)) continue;
    const row = await db.one(uuidOf, { principal });
    if (row !== undefined) await withdraw(db, row, provider, null, occasion);
  }
}

function noteRole(
  db: Db,
  principal: Pick<PrincipalRow, "uuid">,
  identity: IdentityRef | null,
  occasion: Occasion,
  change: "granted" | "revoked",
  provider: string,
): Promise<void> {
  const about = { ...occasion, principal: principal.uuid, ...(identity !== null && { identity }) };
  return note(db, "role_by_group", about, { role: ADMIN_ROLE.name, change, provider });
}
