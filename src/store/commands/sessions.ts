/**
 * Logins: decides whether an identity may log in and opens its session. `rotate-session.ts` refreshes it, `end-session.ts` ends
 * it.
 */
import type { IdentityRef, SessionStatus } from "../../domain/model/entities.ts";
import type { OpenOutcome, OpenSession } from "../../domain/ports/sessions.ts";
import { newUuid, type Uuid } from "../../lib/uuid.ts";
import { lostRace } from "../base/errors.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { note } from "./steps/audit.ts";
import { followGroups } from "./steps/group-roles.ts";
import { keepLongState, LONG_STATE } from "./steps/login-states.ts";
import { keepProfile } from "./steps/profiles.ts";
import { grantAdmin, makeUser } from "./steps/roles.ts";
import { keepOrigin } from "./steps/session-origins.ts";
import { otherSpelling } from "./steps/spellings.ts";
import { type PrincipalRow, summarize } from "./steps/summaries.ts";

/** The lock serializes logins of one principal, so that concurrent ones cannot exceed the limit together. */
export const lockByIdentity = statement((db, identity: Args<IdentityRef>, dialect) =>
  db
    .selectFrom("identities as i")
    .innerJoin("principals as p", "p.id", "i.principal_id")
    .where("i.id", "=", identity.id)
    .where("i.provider", "=", identity.provider)
    .select(["p.id", "p.uuid", "p.type"])
    .$if(dialect === "postgresql", (query) => query.forUpdate("p")),
);

/** Read once the lock is held: an older snapshot would miss what others committed before they released it. */
const standing = statement((db, { principal, now }: Args<{ principal: number; now: Date }>) =>
  db
    .selectFrom("principals as p")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "p.id")
    .where("p.id", "=", principal)
    .select((eb) => [
      "d.time as disabledSince",
      eb
        .selectFrom("sessions as s")
        .whereRef("s.principal_id", "=", "p.id")
        .where("s.revoked", "=", eb.lit(false))
        .where("s.expiration_time", ">", now)
        .select((count) => count.fn.countAll<number>().as("live"))
        .as("live"),
    ]),
);

/** Meanwhile the identity may have been removed, or linked to another principal. */
const noteLogin = statement((db, row: Args<IdentityRef & { principal: number; now: Date }>) =>
  db
    .updateTable("identities")
    .set({ latest_login: row.now, time_updated: row.now })
    .where("id", "=", row.id)
    .where("provider", "=", row.provider)
    .where("principal_id", "=", row.principal),
);

const insertSession = statement(
  (db, row: Args<{ uuid: Uuid; expiration: Date; principal: number; state: string; now: Date }>) =>
    db
      .insertInto("sessions")
      .values((eb) => ({
        uuid: row.uuid,
        refresh_count: eb.lit(0),
        expiration_time: row.expiration,
        principal_id: row.principal,
        revoked: eb.lit(false),
        state: row.state,
        time_created: row.now,
      }))
      .returning("id"),
);

/** `state` is text, so that only plain values are sent to the writer's thread. */
export type OpenCommand = Omit<OpenSession, "state"> & { readonly state: string };

/** Decides whether an identity may log in. Its principal's lock is held until the end of the transaction. */
export async function admit(
  db: Db,
  {
    identity,
    now,
    limit,
    caseSensitive = true,
  }: Pick<OpenCommand, "identity" | "now" | "limit" | "caseSensitive">,
): Promise<
  | Exclude<OpenOutcome, { readonly kind: "opened" }>
  | { readonly kind: "admitted"; readonly known: PrincipalRow | undefined }
> {
  const found = await db.one(lockByIdentity, identity);
  if (found === undefined) {
    if (limit <= 0) return { kind: "limit", principal: null };
    const spelled = caseSensitive ? undefined : await otherSpelling(db, identity);
    if (spelled === undefined) return { kind: "admitted", known: undefined };
    return { kind: "other_spelling", principal: spelled.principal, known: spelled.id };
  }
  const { disabledSince, live } = (await db.one(standing, { principal: found.id, now })) ?? NEWCOMER;
  if (disabledSince !== null) return { kind: "disabled", principal: found.uuid };
  if (Number(live) >= limit) return { kind: "limit", principal: found.uuid };
  return { kind: "admitted", known: { ...found, disabledSince } };
}

/** Opens a session, creating the user at the first login. */
export async function openSession(db: Db, request: OpenCommand): Promise<OpenOutcome> {
  const { identity, now, context } = request;
  const admission = await admit(db, request);
  if (admission.kind !== "admitted") return admission;
  const { known } = admission;
  let principal: PrincipalRow;
  if (known === undefined) principal = await makeUser(db, identity, now, { now, context });
  else {
    principal = known;
    const noted = await db.run(noteLogin, { ...identity, principal: known.id, now });
    if (noted === 0) throw lostRace("the identity was unlinked");
  }
  await keepProfile(db, identity, request.profile);
  if (request.admin) await grantAdmin(db, principal, identity, { now, context });
  else if (request.adminByGroup !== undefined) {
    await followGroups(db, principal, identity, request.adminByGroup, { now, context });
  }
  const short = request.state.length > LONG_STATE ? "{}" : request.state;
  const session: SessionStatus = {
    uuid: newUuid(),
    principal: principal.uuid,
    expirationTime: request.expirationTime,
    revoked: false,
    state: short === request.state ? JSON.parse(short) : {},
  };
  const inserted = await db.one(insertSession, {
    uuid: session.uuid,
    expiration: session.expirationTime,
    principal: principal.id,
    state: short,
    now,
  });
  if (inserted === undefined) throw new Error("The database returned no id for a new session.");
  await keepOrigin(db, inserted.id, identity, context);
  await keepLongState(db, inserted.id, identity, request.state);
  await note(db, "login", { now, context, principal: principal.uuid, identity }, { session: session.uuid });
  return { kind: "opened", principal: await summarize(db, principal), session };
}

const NEWCOMER = { disabledSince: null, live: 0 };
