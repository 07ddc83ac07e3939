/**
 * Revokes the role admin and makes sure that at least one administrator can still log in. `steps/roles.ts` grants the role.
 */
import type { Kysely } from "kysely";
import type { CredentialRevoked } from "../../domain/model/revoked.ts";
import { ADMIN_ROLE } from "../../domain/model/scopes.ts";
import type { PrincipalStore, RevokeAdmin } from "../../domain/ports/principals.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import type { Tables } from "../base/tables.ts";
import { note } from "./steps/audit.ts";
import { type Change, lockActor } from "./steps/authority.ts";
import { forgetGroups } from "./steps/roles.ts";
import { findPrincipal, type PrincipalRow } from "./steps/summaries.ts";

/** A lock that serializes removals of administrators, so that two cannot remove each other. */
const lockRole = statement((db, { name }: Args<{ name: string }>, dialect) =>
  db
    .selectFrom("roles")
    .where("name", "=", name)
    .select("id")
    .$if(dialect === "postgresql", (query) => query.forNoKeyUpdate()),
);

type Holder = Args<{ role: number; principal: number }>;

const hasRole = statement((db, { role, principal }: Holder) =>
  db
    .selectFrom("principal_role_association")
    .where("principal_id", "=", principal)
    .where("role_id", "=", role)
    .select("role_id"),
);

const takeRole = statement((db, { role, principal }: Holder) =>
  db
    .deleteFrom("principal_role_association")
    .where("principal_id", "=", principal)
    .where("role_id", "=", role),
);

type Who = "=" | "!=";

/** Finds one enabled holder of the role: the principal itself (`=`) or another one (`!=`). */
const holders = (db: Kysely<Tables>, { role, principal }: Holder, who: Who) =>
  db
    .selectFrom("principal_role_association as a")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "a.principal_id")
    .where("a.role_id", "=", role)
    .where("a.principal_id", who, principal)
    .where("d.principal_id", "is", null)
    .select("a.principal_id")
    .limit(1);

const enabled = (who: Who) => statement((db, holder: Holder) => holders(db, holder, who));

/** The join starts from the few holders of the role. */
const loggedIn = (who: Who) =>
  statement((db, holder: Holder) =>
    holders(db, holder, who)
      .innerJoin("identities as i", "i.principal_id", "a.principal_id")
      .where("i.latest_login", "is not", null),
  );

const withKey = (who: Who) =>
  statement((db, holder: Args<{ role: number; principal: number; now: Date }>) =>
    holders(db, holder, who)
      .innerJoin("api_keys as k", "k.principal_id", "a.principal_id")
      .where((eb) => eb.or([eb("k.expiration_time", "is", null), eb("k.expiration_time", ">", holder.now)])),
  );

const SELF = { enabled: enabled("="), loggedIn: loggedIn("="), withKey: withKey("=") };
const OTHER = { enabled: enabled("!="), loggedIn: loggedIn("!="), withKey: withKey("!=") };

type Locked =
  | CredentialRevoked
  | { readonly kind: "unknown" }
  /** `role` is undefined if the database has no such role. */
  | { readonly kind: "locked"; readonly principal: PrincipalRow; readonly role: number | undefined };

/** Takes the locks for disabling, or revoking the role of, a principal that may be an administrator. */
export async function lockAdmins(db: Db, change: Change & { readonly principal: Uuid }): Promise<Locked> {
  const revokedCredential = await lockActor(db, change, change.principal);
  if (revokedCredential !== undefined) return revokedCredential;
  const role = (await db.one(lockRole, { name: ADMIN_ROLE.name }))?.id;
  const principal = await findPrincipal(db, change.principal);
  return principal === undefined ? { kind: "unknown" } : { kind: "locked", principal, role };
}

/**
 * Whether no one else could do an administrator's work. An administrator who never logged in and has no key, perhaps a mistyped
 * name, does not replace one who can log in; it replaces only another of its kind, on a new server.
 */
export async function isLastAdmin(db: Db, role: number, principal: number, now: Date): Promise<boolean> {
  const about = { role, principal, now };
  const some = async (who: typeof SELF) =>
    ((await db.one(who.loggedIn, about)) ?? (await db.one(who.withKey, about))) !== undefined;
  if ((await db.one(SELF.enabled, about)) === undefined) return false;
  if (await some(SELF)) return !(await some(OTHER));
  return (await db.one(OTHER.enabled, about)) === undefined;
}

/** Revokes the role admin, unless the principal is the last working administrator. */
export async function revokeAdmin(db: Db, request: RevokeAdmin): ReturnType<PrincipalStore["revokeAdmin"]> {
  const { now, context } = request;
  const locked = await lockAdmins(db, request);
  if (locked.kind !== "locked") return locked;
  const { role, principal } = locked;
  if (role === undefined) return { kind: "no_admin" };
  const holder = { role, principal: principal.id };
  if ((await db.one(hasRole, holder)) === undefined) return { kind: "no_admin" };
  if (await isLastAdmin(db, role, principal.id, now)) return { kind: "last_admin" };
  await db.run(takeRole, holder);
  await db.run(forgetGroups, { principal: principal.id });
  await note(db, "role_revoked", { now, context, principal: principal.uuid }, { role: ADMIN_ROLE.name });
  return { kind: "done" };
}
