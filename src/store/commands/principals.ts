/**
 * Creates service principals and users, applies the operator's list of administrators, and disables and enables principals.
 */

import { refusedSpelling } from "../../domain/callers/spelling.ts";
import type { IdentityRef, PrincipalSummary, RequestContext } from "../../domain/model/entities.ts";
import { METRICS_ROLE } from "../../domain/model/scopes.ts";
import type {
  CreateService,
  EnsureUser,
  PrincipalStore,
  SetDisabled,
} from "../../domain/ports/principals.ts";
import { writeList } from "../base/codec.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { isLastAdmin, lockAdmins } from "./admins.ts";
import { note } from "./steps/audit.ts";
import { lockActor } from "./steps/authority.ts";
import { withdrawOthers } from "./steps/group-roles.ts";
import { keepProfile } from "./steps/profiles.ts";
import { allRoles, grantAdmin, makePrincipal, makeUser } from "./steps/roles.ts";
import { otherSpelling } from "./steps/spellings.ts";
import { findPrincipalOfIdentity, summarize } from "./steps/summaries.ts";

const insertNote = statement((db, row: Args<{ principal: number; note: string }>) =>
  db.insertInto("tiled_auth_service_notes").values({ principal_id: row.principal, note: row.note }),
);

const METRICS = { ...METRICS_ROLE, scopes: writeList(METRICS_ROLE.scopes) };

const insertRole = statement((db, row: Args<{ name: string; description: string; scopes: string }>) =>
  db
    .insertInto("roles")
    .values({ name: row.name, description: row.description, scopes: row.scopes })
    .onConflict((conflict) => conflict.column("name").doNothing()),
);

const disable = statement((db, { principal, now }: Args<{ principal: number; now: Date }>) =>
  db
    .insertInto("tiled_auth_disabled_principals")
    .values({ principal_id: principal, time: now })
    .onConflict((conflict) => conflict.doNothing()),
);

const enable = statement((db, { principal }: Args<{ principal: number }>) =>
  db.deleteFrom("tiled_auth_disabled_principals").where("principal_id", "=", principal),
);

/** Creates a service principal with one role. */
export async function createService(
  db: Db,
  request: CreateService,
): ReturnType<PrincipalStore["createService"]> {
  const { role, now, context } = request;
  const revokedCredential = await lockActor(db, request, null);
  if (revokedCredential !== undefined) return revokedCredential;
  if (role === METRICS_ROLE.name) await db.run(insertRole, METRICS);
  const roles = await db.all(allRoles, {});
  if (!roles.some(({ name }) => name === role)) return { kind: "unknown_role" };
  const { uuid, id } = await makePrincipal(db, "service", role, now);
  if (request.note !== undefined) await db.run(insertNote, { principal: id, note: request.note });
  await note(db, "principal_created", { now, context, principal: uuid }, { type: "service", role });
  return { kind: "created", uuid };
}

/** Disables or enables a principal. The last working administrator is disabled only with `evenLastAdmin`. */
export async function setDisabled(db: Db, request: SetDisabled): ReturnType<PrincipalStore["setDisabled"]> {
  const { now, context } = request;
  const locked = await lockAdmins(db, request);
  if (locked.kind !== "locked") return locked;
  const { role, principal } = locked;
  const refusable = request.disabled && !request.evenLastAdmin && role !== undefined;
  if (refusable && (await isLastAdmin(db, role, principal.id, now))) return { kind: "last_admin" };
  const changed = request.disabled
    ? await db.run(disable, { principal: principal.id, now })
    : await db.run(enable, { principal: principal.id });
  const event = request.disabled ? "principal_disabled" : "principal_enabled";
  if (changed > 0) await note(db, event, { now, context, principal: principal.uuid });
  return { kind: "done" };
}

interface EnsureAdminsCommand {
  readonly identities: readonly (IdentityRef & { readonly caseSensitive: boolean })[];
  /** Providers with a group in `tiled_admins`; absent: not asked. */
  readonly groupProviders?: readonly string[] | undefined;
  readonly now: Date;
  readonly context: RequestContext;
}

/** Grants the configured administrators their roles, creating their principals. Returns those known by another spelling. */
export async function ensureAdmins(
  db: Db,
  { identities, groupProviders, now, context }: EnsureAdminsCommand,
): ReturnType<PrincipalStore["ensureAdmins"]> {
  const refused: { identity: IdentityRef; known: string }[] = [];
  for (const { provider, id, caseSensitive } of identities) {
    const identity = { provider, id };
    const found = await findPrincipalOfIdentity(db, identity);
    const spelled = found || caseSensitive ? undefined : await otherSpelling(db, identity);
    if (spelled !== undefined) {
      refused.push({ identity, known: spelled.id });
      continue;
    }
    const principal = found ?? (await makeUser(db, identity, null, { now, context }));
    await grantAdmin(db, principal, identity, { now, context });
  }
  if (groupProviders !== undefined) await withdrawOthers(db, groupProviders, { now, context });
  return refused;
}

/** Finds or creates the user of an identity. Throws the `Failure` of `refusedSpelling` for another spelling of a known one. */
export async function ensureUser(db: Db, request: EnsureUser): Promise<PrincipalSummary> {
  const { identity, now, context } = request;
  const found = await findPrincipalOfIdentity(db, identity);
  const spelled = found || request.caseSensitive !== false ? undefined : await otherSpelling(db, identity);
  if (spelled !== undefined) throw refusedSpelling(identity, spelled.id);
  if (found !== undefined) return summarize(db, found);
  const made = await makeUser(db, identity, now, { now, context });
  await keepProfile(db, identity, request.profile);
  return summarize(db, made);
}
