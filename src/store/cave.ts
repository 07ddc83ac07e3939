/**
 * CAVE's people, tokens and logins: a person is read with the identities, what their providers say, and the terms that were
 * accepted. `commands/cave.ts` holds the writes.
 */
import type { Expression, Kysely } from "kysely";
import type { CaveLogin, CavePerson, CaveToken } from "../domain/model/cave.ts";
import type { IdentityRef } from "../domain/model/entities.ts";
import type { CaveStore } from "../domain/ports/cave.ts";
import type { Digest } from "../lib/secrets.ts";
import type { Uuid } from "../lib/uuid.ts";
import { type Args, type Db, statement } from "./base/statement.ts";
import type { Tables } from "./base/tables.ts";
import { batched } from "./batcher.ts";
import type { Backend } from "./commands/backend.ts";
import { HAS_CAVE } from "./commands/cave.ts";
import { isStorable } from "./identities.ts";

type Ids = readonly (number | Expression<number>)[];

const principals = (db: Kysely<Tables>) =>
  db
    .selectFrom("principals as p")
    .leftJoin("tiled_auth_disabled_principals as d", "d.principal_id", "p.id")
    .leftJoin("tiled_auth_service_notes as n", "n.principal_id", "p.id")
    .where("d.principal_id", "is", null)
    .select(["p.id", "p.uuid", "p.type", "p.time_created as created", "n.note"]);

/** Profiles are looked up one by one: a join of long lists may walk through all of them in PostgreSQL. */
const identitiesOf = (db: Kysely<Tables>, ids: Ids) =>
  db
    .selectFrom("identities as i")
    .where("i.principal_id", "in", ids)
    .select(["i.principal_id as owner", "i.provider", "i.id", "i.latest_login as login"])
    .select((eb) => {
      const profile = eb
        .selectFrom("tiled_auth_profiles as f")
        .whereRef("f.provider", "=", "i.provider")
        .whereRef("f.identity", "=", "i.id");
      return [profile.select("f.name").as("name"), profile.select("f.email").as("email")];
    });

const acceptedBy = (db: Kysely<Tables>, ids: Ids) =>
  db
    .selectFrom("tiled_auth_cave_tos")
    .where("principal_id", "in", ids)
    .select(["principal_id as owner", "tos"]);

/** Those who have logged in, or whose names another program's export brought. */
const known = (db: Kysely<Tables>) =>
  principals(db).where((eb) =>
    eb.exists(
      eb
        .selectFrom("identities as i")
        .leftJoin("tiled_auth_profiles as f", (join) =>
          join.onRef("f.provider", "=", "i.provider").onRef("f.identity", "=", "i.id"),
        )
        .whereRef("i.principal_id", "=", "p.id")
        .where((or) => or.or([or("i.latest_login", "is not", null), or("f.identity", "is not", null)]))
        .select("i.id"),
    ),
  );

const byUuid = statement((db, { uuid }: Args<{ uuid: Uuid }>) => principals(db).where("p.uuid", "=", uuid));

type One = Args<{ principal: number }>;
const identitiesOfOne = statement((db, { principal }: One) => identitiesOf(db, [principal]));
const acceptedByOne = statement((db, { principal }: One) => acceptedBy(db, [principal]));

const page = statement((db, { after, limit }: Args<{ after: number; limit: number }>) =>
  known(db).where("p.type", "=", "user").where("p.id", ">", after).orderBy("p.id").limit(limit),
);

const liveTokens = statement((db, { principal, now }: Args<{ principal: Uuid; now: Date }>) =>
  db
    .selectFrom("api_keys as k")
    .innerJoin("principals as p", "p.id", "k.principal_id")
    .where("p.uuid", "=", principal)
    .where("k.scopes", "like", HAS_CAVE)
    .where((eb) => eb.or([eb("k.expiration_time", "is", null), eb("k.expiration_time", ">", now)]))
    .select(["k.first_eight as firstEight", "k.note as description", "k.time_created as created"])
    .select(["k.time_updated as updated", "k.latest_activity as lastUsed"])
    .select("k.expiration_time as expirationTime")
    .orderBy("k.time_created", "desc")
    .orderBy("k.first_eight"),
);

const logins = (db: Kysely<Tables>) =>
  db
    .selectFrom("tiled_auth_cave_logins as l")
    .innerJoin("sessions as s", "s.id", "l.session_id")
    .innerJoin("principals as p", "p.id", "s.principal_id")
    .select(["l.token as digest", "p.uuid as principal", "s.uuid as session", "l.origin"])
    .select("l.expiration_time as expirationTime");

const loginByDigest = statement((db, { digest }: Args<{ digest: Digest }>) =>
  logins(db).where("l.token", "=", digest),
);

type Principals = ReturnType<typeof principals>;
type PrincipalRow = Awaited<ReturnType<Principals["execute"]>>[number];
type IdentityRow = Awaited<ReturnType<ReturnType<typeof identitiesOf>["execute"]>>[number];

function toPerson(row: PrincipalRow, own: readonly IdentityRow[], accepted: readonly number[]): CavePerson {
  const { id, uuid, type, created } = row;
  // In memory: there are few. The newest login first, identities without one last.
  const newest = own.toSorted((one, other) => (other.login?.getTime() ?? 0) - (one.login?.getTime() ?? 0));
  const named = newest.find(({ name }) => name !== null)?.name ?? newest[0]?.id;
  return {
    id,
    uuid,
    type,
    created,
    name: (type === "service" ? row.note : named) ?? uuid,
    email: newest.find(({ email }) => email !== null)?.email ?? "",
    identities: own.map(({ provider, id: name }) => ({ provider, id: name })).sort(byName),
    acceptedTos: accepted.toSorted((one, other) => one - other),
  };
}

function byName(one: IdentityRef, other: IdentityRef): number {
  const [left, right] = [`${one.provider}\0${one.id}`, `${other.provider}\0${other.id}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

async function toPeople(db: Db, rows: readonly PrincipalRow[]): Promise<CavePerson[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const identities = Map.groupBy(await db.query((tables) => identitiesOf(tables, ids)), ({ owner }) => owner);
  const accepted = Map.groupBy(await db.query((tables) => acceptedBy(tables, ids)), ({ owner }) => owner);
  return rows
    .map((row) => {
      const tos = accepted.get(row.id)?.map((one) => one.tos) ?? [];
      return toPerson(row, identities.get(row.id) ?? [], tos);
    })
    .sort((one, other) => one.id - other.id);
}

async function findPerson(db: Db, uuid: Uuid): Promise<CavePerson | undefined> {
  const row = await db.one(byUuid, { uuid });
  if (row === undefined) return undefined;
  const identities = await db.all(identitiesOfOne, { principal: row.id });
  const accepted = await db.all(acceptedByOne, { principal: row.id });
  return toPerson(
    row,
    identities,
    accepted.map(({ tos }) => tos),
  );
}

/** `values`: what `where` looks for. PostgreSQL takes no empty list. */
async function findPeople<V>(
  db: Db,
  values: readonly V[],
  where: (all: Principals, values: readonly V[]) => Principals,
): Promise<CavePerson[]> {
  if (values.length === 0) return [];
  return toPeople(db, await db.query((tables) => where(principals(tables), values)));
}

const withUuids = (all: Principals, uuids: readonly Uuid[]) => all.where("p.uuid", "in", uuids);
const withNumbers = (all: Principals, ids: readonly number[]) => all.where("p.id", "in", ids);

/** One question for each provider: SQLite finds no index for a list of pairs. */
async function findByIdentity(db: Db, identities: readonly IdentityRef[]): Promise<CavePerson[]> {
  const rows = new Map<number, PrincipalRow>();
  for (const [provider, named] of Map.groupBy(identities.filter(isStorable), (one) => one.provider)) {
    const names = named.map(({ id }) => id);
    const found = await db.query((tables) =>
      known(tables).where("p.id", "in", (eb) =>
        eb
          .selectFrom("identities as o")
          .where("o.provider", "=", provider)
          .where("o.id", "in", names)
          .select("o.principal_id"),
      ),
    );
    for (const row of found) rows.set(row.id, row);
  }
  return toPeople(db, [...rows.values()]);
}

/** Implements `CaveStore`. */
export function caveStore(backend: Backend): CaveStore {
  const oneLogin = (digest: Digest) =>
    backend.read((db): Promise<CaveLogin | undefined> => db.one(loginByDigest, { digest }));
  const onePerson = (uuid: Uuid) => backend.read((db) => findPerson(db, uuid));
  // As for API keys: see `api-keys.ts`.
  const sqlite = backend.dialect === "sqlite";
  return {
    person: sqlite
      ? onePerson
      : batched<Uuid, CavePerson>(async (uuids) => {
          const [first, ...others] = uuids;
          if (first !== undefined && others.length === 0) return [await onePerson(first)];
          const people = await backend.read((db) => findPeople(db, uuids, withUuids));
          const found = new Map(people.map((person) => [person.uuid, person]));
          return uuids.map((uuid) => found.get(uuid));
        }),
    peopleByNumber: (ids) => backend.read((db) => findPeople(db, ids, withNumbers)),
    peopleByIdentity: (identities) => backend.read((db) => findByIdentity(db, identities)),
    people: (after, limit) => backend.read(async (db) => toPeople(db, await db.all(page, { after, limit }))),
    tokens: (principal, now) =>
      backend.read((db): Promise<CaveToken[]> => db.all(liveTokens, { principal, now })),
    login: sqlite
      ? oneLogin
      : batched<Digest, CaveLogin>(async (digests) => {
          const [first, ...others] = digests;
          if (first !== undefined && others.length === 0) return [await oneLogin(first)];
          const rows = await backend.read((db) =>
            db.query((tables) => logins(tables).where("l.token", "in", digests)),
          );
          const found = new Map(rows.map((row) => [row.digest, row]));
          return digests.map((digest) => found.get(digest));
        }),
    replaceToken: (request) => backend.write("cave.replace_token", request),
    revokeToken: (request) => backend.write("cave.revoke_token", request),
    openLogin: (request) => backend.write("cave.open_login", request),
    endLogin: async (request) => (await backend.write("cave.end_login", request)) !== null,
    acceptTerms: (request) => backend.write("cave.accept_terms", request),
  };
}
