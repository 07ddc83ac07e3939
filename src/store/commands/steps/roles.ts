/**
 * Creates principals and grants roles: the steps that logins, administrators' lists and service principals share.
 */
import type { IdentityRef, PrincipalType, RequestContext } from "../../../domain/model/entities.ts";
import { ADMIN_ROLE, USER_ROLE } from "../../../domain/model/scopes.ts";
import { newUuid, type Uuid } from "../../../lib/uuid.ts";
import { type Args, type Db, statement } from "../../base/statement.ts";
import { note } from "./audit.ts";
import { foldIdentity, foldNew } from "./spellings.ts";
import type { PrincipalRow } from "./summaries.ts";

const insertPrincipal = statement((db, row: Args<{ uuid: Uuid; type: PrincipalType; now: Date }>) =>
  db
    .insertInto("principals")
    .values({ uuid: row.uuid, type: row.type, time_created: row.now })
    .returning("id"),
);

interface NewIdentity extends IdentityRef {
  readonly principal: number;
  readonly login: Date | null;
  readonly now: Date;
}

const insertIdentity = statement((db, row: Args<NewIdentity>) =>
  db.insertInto("identities").values({
    id: row.id,
    provider: row.provider,
    principal_id: row.principal,
    latest_login: row.login,
    time_created: row.now,
  }),
);

/** Adds an identity to a principal. */
export async function addIdentity(db: Db, identity: NewIdentity): Promise<void> {
  // Rows that other programs added are folded first: later calls only look at rows newer than this one.
  await foldNew(db);
  await db.run(insertIdentity, identity);
  await foldIdentity(db, identity);
}

/** All roles, in order of creation. */
export const allRoles = statement((db, _: Args<object>) =>
  db.selectFrom("roles").select(["name", "scopes"]).orderBy("id"),
);

const insertRole = statement((db, { principal, role }: Args<{ principal: number; role: string }>) =>
  db
    .insertInto("principal_role_association")
    .columns(["principal_id", "role_id"])
    .expression(
      db
        .selectFrom("roles")
        .where("name", "=", role)
        .select((eb) => [eb.cast<number>(principal, "integer").as("principal_id"), "id as role_id"]),
    )
    .onConflict((conflict) => conflict.doNothing()),
);

/** Time and request of a change, for its audit rows. */
export interface Occasion {
  readonly now: Date;
  readonly context: RequestContext;
}

/** Grants a role; true if the principal did not have it. An unknown role is not granted. */
export async function grantRole(db: Db, principal: number, role: string): Promise<boolean> {
  return (await db.run(insertRole, { principal, role })) > 0;
}

/** Creates a principal with one role and no identity. */
export async function makePrincipal(
  db: Db,
  type: PrincipalType,
  role: string,
  now: Date,
): Promise<PrincipalRow> {
  const uuid = newUuid();
  const row = await db.one(insertPrincipal, { uuid, type, now });
  if (row === undefined) throw new Error("The database returned no id for a new principal.");
  await grantRole(db, row.id, role);
  return { id: row.id, uuid, type, disabledSince: null };
}

/** Creates the principal of a new user. `login` is the time of the login, null if the operator's list creates the principal. */
export async function makeUser(
  db: Db,
  identity: IdentityRef,
  login: Date | null,
  occasion: Occasion,
): Promise<PrincipalRow> {
  const { now } = occasion;
  const principal = await makePrincipal(db, "user", USER_ROLE.name, now);
  const { provider, id } = identity;
  await addIdentity(db, { provider, id, principal: principal.id, login, now });
  await noteFor(db, "principal_created", principal, identity, occasion, {
    type: "user",
    role: USER_ROLE.name,
  });
  return principal;
}

/** The role admin is no group's any more. */
export const forgetGroups = statement((db, { principal }: Args<{ principal: number }>) =>
  db.deleteFrom("tiled_auth_group_roles").where("principal_id", "=", principal),
);

/** Grants the roles user and admin, which no group takes back from now on. */
export async function grantAdmin(
  db: Db,
  principal: PrincipalRow,
  identity: IdentityRef,
  occasion: Occasion,
): Promise<void> {
  for (const role of [USER_ROLE.name, ADMIN_ROLE.name]) {
    if (await grantRole(db, principal.id, role))
      await noteFor(db, "role_granted", principal, identity, occasion, { role });
  }
  await db.run(forgetGroups, { principal: principal.id });
}

function noteFor(
  db: Db,
  event: "principal_created" | "role_granted",
  principal: PrincipalRow,
  identity: IdentityRef,
  occasion: Occasion,
  detail: Readonly<Record<string, string>>,
): Promise<void> {
  return note(db, event, { ...occasion, principal: principal.uuid, identity }, detail);
}
