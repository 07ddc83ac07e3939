/**
 * Principals with everything that whoami and the administrators' list show. A page takes as many statements as a single
 * principal: each table is queried once for all ids.
 */
import { type Expression, type Kysely, sql } from "kysely";
import type { ApiKey, PrincipalDocument, Session } from "../domain/model/entities.ts";
import type { PageRange } from "../domain/ports/principals.ts";
import { readList } from "./base/codec.ts";
import { type Args, type Db, statement } from "./base/statement.ts";
import type { Tables } from "./base/tables.ts";
import { SHOWN_REVOKED } from "./commands/end-session.ts";
import type { PrincipalRow } from "./commands/steps/summaries.ts";
import { type States, shownStates, stateLength } from "./login-states.ts";
import type { Position, Positions } from "./positions.ts";

/** Comparator for small lists, which are sorted here: in the database each would need an index. */
function before<T extends string | number>(left: T, right: T): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

type Ids = readonly (number | Expression<number>)[];

const identitiesOf = (db: Kysely<Tables>, ids: Ids) =>
  db
    .selectFrom("identities")
    .where("principal_id", "in", ids)
    .select(["principal_id as owner", "provider", "id", "latest_login as latestLogin"]);

const rolesOf = (db: Kysely<Tables>, ids: Ids) =>
  db
    .selectFrom("principal_role_association as a")
    .innerJoin("roles as r", "r.id", "a.role_id")
    .where("a.principal_id", "in", ids)
    .select(["a.principal_id as owner", "r.name", "r.scopes"])
    .orderBy("a.role_id");

const sessionsOf = (db: Kysely<Tables>, ids: Ids) =>
  db
    .selectFrom("sessions as s")
    .leftJoin("tiled_auth_login_states as k", "k.session_id", "s.id")
    .where("s.principal_id", "in", ids)
    .select(["s.id", "s.principal_id as owner", "s.uuid", "s.expiration_time as expirationTime", "s.revoked"])
    .select(["s.time_last_refreshed as refreshed", stateLength.as("stateLength")])
    .orderBy("s.id");

const keysOf = (db: Kysely<Tables>, ids: Ids) =>
  db
    .selectFrom("api_keys")
    .where("principal_id", "in", ids)
    .select(["principal_id as owner", "first_eight", "expiration_time", "note", "scopes", "access_tags"])
    .select(["latest_activity", "time_created"]);

const notesOf = (db: Kysely<Tables>, ids: Ids) =>
  db
    .selectFrom("tiled_auth_service_notes")
    .where("principal_id", "in", ids)
    .select(["principal_id as owner", "note"]);

type One = Args<{ principal: number }>;
const notesOfOne = statement((db, { principal }: One) => notesOf(db, [principal]));
const identitiesOfOne = statement((db, { principal }: One) => identitiesOf(db, [principal]));
const rolesOfOne = statement((db, { principal }: One) => rolesOf(db, [principal]));
const liveSessionsOfOne = statement((db, { principal }: One) => liveSessionsOf(db, [principal]));

const revokedSessionsOfOne = statement((db, { principal }: One) =>
  sessionsOf(db, [principal])
    .where("s.revoked", "=", true)
    .clearOrderBy()
    .orderBy("s.id", "desc")
    .limit(SHOWN_REVOKED),
);

/** The same for several principals. The cross join makes SQLite start with the principals. */
const revokedSessionsOf = (db: Kysely<Tables>, ids: Ids) =>
  db
    .selectFrom("principals as p")
    .crossJoin("sessions as s")
    .leftJoin("tiled_auth_login_states as k", "k.session_id", "s.id")
    .where("p.id", "in", ids)
    .whereRef("s.principal_id", "=", "p.id")
    .where("s.revoked", "=", true)
    .where("s.id", ">=", (eb) =>
      eb.fn.coalesce(
        eb
          .selectFrom("sessions as x")
          .whereRef("x.principal_id", "=", "p.id")
          .where("x.revoked", "=", true)
          .select("x.id")
          .orderBy("x.id", "desc")
          .limit(1)
          .offset(SHOWN_REVOKED - 1),
        eb.lit(0),
      ),
    )
    .select(["s.principal_id as owner", "s.uuid", "s.expiration_time as expirationTime", "s.revoked"])
    .select(["s.time_last_refreshed as refreshed", "s.id", stateLength.as("stateLength")]);

const liveSessionsOf = (db: Kysely<Tables>, ids: Ids) => sessionsOf(db, ids).where("s.revoked", "=", false);
const keysOfOne = statement((db, { principal }: One) => keysOf(db, [principal]));

const allPrincipals = (db: Kysely<Tables>) =>
  db
    .selectFrom("principals as p")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "p.id")
    .select(["p.id", "p.uuid", "p.type", "d.time as disabledSince"])
    .orderBy("p.id");

const pageOf = statement((db, { offset, limit }: Args<{ offset: number; limit: number }>) =>
  allPrincipals(db).limit(limit).offset(offset),
);

const pageFrom = statement(
  (db, { first, offset, limit }: Args<{ first: number; offset: number; limit: number }>) =>
    allPrincipals(db).where("p.id", ">=", first).limit(limit).offset(offset),
);

const extent = statement((db) =>
  db.selectNoFrom([
    sql<number>`(select min(id) from principals)`.as("first"),
    sql<number>`(select max(id) from principals)`.as("last"),
    sql<number>`(select count(*) from principals)`.as("count"),
  ]),
);

/** Below this offset, skipping rows is faster than counting them. */
const FAR = 1000;

/**
 * A page at a large offset costs as much as the first one. Without a shortcut through the ids that holds only once the page,
 * or the one before it, has been read.
 */
async function principalsOf(
  db: Db,
  { offset, limit }: PageRange,
  positions: Positions,
  now: Date,
): Promise<PrincipalRow[]> {
  if (offset < FAR) return await db.all(pageOf, { offset, limit });
  const from = (await jump(db, offset, now)) ?? positions.before(offset, now);
  const rows =
    from === undefined
      ? await db.all(pageOf, { offset, limit })
      : await db.all(pageFrom, { first: from.id, offset: offset - from.offset, limit });
  const [first] = rows;
  if (first !== undefined) positions.note({ offset, id: first.id, since: from?.since ?? now.getTime() });
  return rows;
}

/** On SQLite, ids without gaps turn an offset into an id, and counting rows is cheap. Neither holds on PostgreSQL. */
async function jump(db: Db, offset: number, now: Date): Promise<Position | undefined> {
  if (db.dialect !== "sqlite") return undefined;
  const all = await db.one(extent, {});
  if (all === undefined || all.last - all.first + 1 !== all.count) return undefined;
  return { offset, id: all.first + offset, since: now.getTime() };
}

/** A session that was revoked between the statements is in both lists: `live` was read first, so that it is not in neither. */
function inOrder<R extends { readonly id: number }>(live: readonly R[], revoked: readonly R[]): R[] {
  const ended = new Set(revoked.map(({ id }) => id));
  return [...live.filter(({ id }) => !ended.has(id)), ...revoked].sort((left, right) => left.id - right.id);
}

/** The document of one principal at `now`. */
export async function documentOf(db: Db, principal: PrincipalRow, now: Date): Promise<PrincipalDocument> {
  const of = { principal: principal.id };
  const sessions = inOrder(await db.all(liveSessionsOfOne, of), await db.all(revokedSessionsOfOne, of));
  return assemble(
    principal,
    {
      identities: await db.all(identitiesOfOne, of),
      roles: await db.all(rolesOfOne, of),
      sessions,
      states: await shownStates(db, sessions),
      notes: principal.type === "service" ? await db.all(notesOfOne, of) : [],
      keys: await db.all(keysOfOne, of),
    },
    now,
  );
}

/** The documents of a page of principals at `now`, in order of id. `positions` remembers where pages began. */
export async function documentsOf(
  db: Db,
  page: PageRange,
  positions: Positions,
  now: Date,
): Promise<PrincipalDocument[]> {
  const principals = await principalsOf(db, page, positions, now);
  if (principals.length === 0) return [];
  const ids = principals.map(({ id }) => id);
  const identities = byOwner(await db.query((tables) => identitiesOf(tables, ids)));
  const roles = byOwner(await db.query((tables) => rolesOf(tables, ids)));
  const live = await db.query((tables) => liveSessionsOf(tables, ids));
  const all = inOrder(live, await db.query((tables) => revokedSessionsOf(tables, ids)));
  const states = await shownStates(db, all);
  const sessions = byOwner(all);
  const keys = byOwner(await db.query((tables) => keysOf(tables, ids)));
  const notes = byOwner(await db.query((tables) => notesOf(tables, ids)));
  return principals.map((principal) =>
    assemble(
      principal,
      {
        identities: identities.get(principal.id) ?? [],
        roles: roles.get(principal.id) ?? [],
        sessions: sessions.get(principal.id) ?? [],
        states,
        notes: notes.get(principal.id) ?? [],
        keys: keys.get(principal.id) ?? [],
      },
      now,
    ),
  );
}

type Row<F extends (db: Kysely<Tables>, ids: Ids) => { execute(): Promise<unknown[]> }> = Awaited<
  ReturnType<ReturnType<F>["execute"]>
>[number];

interface Belongings {
  readonly identities: readonly Row<typeof identitiesOf>[];
  readonly roles: readonly Row<typeof rolesOf>[];
  readonly sessions: readonly Row<typeof sessionsOf>[];
  readonly states: States;
  readonly notes: readonly Row<typeof notesOf>[];
  readonly keys: readonly Row<typeof keysOf>[];
}

function assemble(principal: PrincipalRow, belongings: Belongings, now: Date): PrincipalDocument {
  const sessions: Session[] = [];
  const apiKeys: ApiKey[] = [];
  let latest: Date | null = null;
  for (const { latestLogin } of belongings.identities) latest = newer(latest, latestLogin);
  for (const { id, uuid, expirationTime, revoked, refreshed } of belongings.sessions) {
    latest = newer(latest, refreshed);
    const state = belongings.states.get(id) ?? {};
    if (expirationTime > now) sessions.push({ uuid, expirationTime, revoked, state });
  }
  for (const row of inOrderOfCreation(belongings.keys)) {
    latest = newer(latest, row.latest_activity);
    if (row.expiration_time !== null && row.expiration_time <= now) continue;
    apiKeys.push({
      firstEight: row.first_eight,
      expirationTime: row.expiration_time,
      note: row.note,
      scopes: readList(row.scopes),
      accessTags: row.access_tags === null ? null : readList(row.access_tags),
      latestActivity: row.latest_activity,
    });
  }
  return {
    uuid: principal.uuid,
    ...belongings.notes.map(({ note }) => ({ note }))[0],
    type: principal.type,
    disabled: principal.disabledSince !== null,
    identities: belongings.identities
      .map(({ provider, id, latestLogin }) => ({ provider, id, latestLogin }))
      .sort((a, b) => before(a.provider, b.provider) || before(a.id, b.id)),
    roles: belongings.roles.map(({ name, scopes }) => ({ name, scopes: readList(scopes) })),
    sessions,
    apiKeys,
    latestActivity: latest,
  };
}

function inOrderOfCreation(keys: Belongings["keys"]): Belongings["keys"] {
  return keys.toSorted(
    (a, b) =>
      before(a.time_created.getTime(), b.time_created.getTime()) || before(a.first_eight, b.first_eight),
  );
}

function newer(left: Date | null, right: Date | null): Date | null {
  if (left === null || right === null) return left ?? right;
  return left > right ? left : right;
}

function byOwner<R extends { readonly owner: number }>(rows: readonly R[]): Map<number, R[]> {
  const owners = new Map<number, R[]>();
  for (const row of rows) {
    const known = owners.get(row.owner);
    if (known === undefined) owners.set(row.owner, [row]);
    else known.push(row);
  }
  return owners;
}
