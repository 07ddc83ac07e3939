/**
 * Takes over the people of a middle_auth server with their numbers, in one transaction that writes nothing if there is a
 * conflict. `import-known.ts` reads the database, `import-matching.ts` finds conflicts and differences.
 */
import { USER_ROLE } from "../../domain/model/scopes.ts";
import type { ImportCave, ImportedPerson, ImportOutcome } from "../../domain/ports/cave-import.ts";
import { foldedDigest } from "../../lib/fold.ts";
import { newUuid, type Uuid } from "../../lib/uuid.ts";
import { toBytes, writeList } from "../base/codec.ts";
import { type Args, type Db, statement } from "../base/statement.ts";
import { chunks, findKnown, type Known } from "./import-known.ts";
import { conflictsOf, differencesOf, isSame } from "./import-matching.ts";
import { eventOf, noteAll } from "./steps/audit.ts";

const SCOPES = writeList(["cave"]);

/** A person to create. */
interface NewPerson extends ImportedPerson {
  readonly uuid: Uuid;
}

export async function importCave(db: Db, request: ImportCave): Promise<ImportOutcome> {
  const { people, dryRun } = request;
  const known = await findKnown(db, request);
  const conflicts = people.flatMap((person) => conflictsOf(person, known));
  if (conflicts.length > 0) return { kind: "conflicts", conflicts };
  const [old, fresh] = [
    people.filter((one) => isSame(one, known)),
    people.filter((one) => !isSame(one, known)),
  ];
  const made = fresh.map((person): NewPerson => ({ ...person, uuid: newUuid() }));
  if (!dryRun && made.length > 0) {
    for (const some of chunks(made)) await write(db, some, request, known);
    if (db.dialect === "postgresql") await advanceNumbers(db);
  }
  const services = new Map<number, Uuid>();
  for (const { id, type } of old) {
    const uuid = known.principals.get(id)?.uuid;
    if (type === "service" && uuid !== undefined) services.set(id, uuid);
  }
  for (const { id, type, uuid } of made) if (type === "service" && !dryRun) services.set(id, uuid);
  return {
    kind: "done",
    created: {
      people: made.filter(({ type }) => type === "user").length,
      services: made.filter(({ type }) => type === "service").length,
      tokens: made.reduce((sum, { tokens }) => sum + tokens.length, 0),
      terms: made.reduce((sum, { accepted }) => sum + accepted.length, 0),
    },
    known: old.length,
    differences: old.flatMap((person) => differencesOf(person, known)),
    services,
  };
}

async function write(db: Db, people: readonly NewPerson[], request: ImportCave, known: Known): Promise<void> {
  const { now } = request;
  await db.query((tables) =>
    tables
      .insertInto("principals")
      .values(
        people.map(({ id, uuid, type, created }) => ({ id, uuid, type, time_created: created ?? now })),
      ),
  );
  await writeIdentities(db, people, request, known);
  const notes = people.filter(({ type }) => type === "service");
  if (notes.length > 0) {
    await db.query((tables) =>
      tables
        .insertInto("tiled_auth_service_notes")
        .values(notes.map(({ id, name }) => ({ principal_id: id, note: name }))),
    );
  }
  await writeTokens(db, people, now);
  await writeTerms(db, people, now);
  await writeEvents(db, people, request);
}

/** People are users of Tiled as after a first login. Services get no role: their tokens open CAVE's routes only. */
async function writeIdentities(
  db: Db,
  people: readonly NewPerson[],
  { provider, now }: ImportCave,
  known: Known,
): Promise<void> {
  const users = people.flatMap((person) =>
    person.email === null ? [] : [{ ...person, email: person.email, folded: foldedDigest(person.email) }],
  );
  if (users.length === 0) return;
  const [role] = await db.all(userRole, {});
  if (role !== undefined) {
    await db.query((tables) =>
      tables
        .insertInto("principal_role_association")
        .values(users.map(({ id }) => ({ principal_id: id, role_id: role.id }))),
    );
  }
  await db.query((tables) =>
    tables.insertInto("identities").values(
      users.map(({ id, email, created }) => ({
        id: email,
        provider,
        principal_id: id,
        latest_login: null,
        time_created: created ?? now,
      })),
    ),
  );
  const folded = users.map(({ email, folded }) => {
    const twin = known.folded.has(folded);
    if (!twin) known.folded.set(folded, email);
    return { id: email, provider, folded, twin };
  });
  await db.query((tables) => tables.insertInto("tiled_auth_folded_identities").values(folded));
  await db.query((tables) =>
    tables
      .insertInto("tiled_auth_profiles")
      .values(users.map(({ email, name }) => ({ provider, identity: email, name, email }))),
  );
}

async function writeTokens(db: Db, people: readonly NewPerson[], now: Date): Promise<void> {
  const tokens = people.flatMap(({ id, tokens }) =>
    tokens.map((token) => ({
      first_eight: token.firstEight,
      hashed_secret: toBytes(token.digest),
      expiration_time: null,
      latest_activity: token.lastUsed,
      note: token.description,
      principal_id: id,
      scopes: SCOPES,
      access_tags: null,
      time_created: token.created ?? now,
    })),
  );
  for (const some of chunks(tokens)) {
    await db.query((tables) => tables.insertInto("api_keys").values(some));
  }
}

async function writeTerms(db: Db, people: readonly NewPerson[], now: Date): Promise<void> {
  const terms = people.flatMap(({ id, accepted }) =>
    accepted.map(({ tos, time }) => ({ principal_id: id, tos, time: time ?? now })),
  );
  for (const some of chunks(terms)) {
    await db.query((tables) => tables.insertInto("tiled_auth_cave_tos").values(some));
  }
}

async function writeEvents(
  db: Db,
  people: readonly NewPerson[],
  { provider, now, context }: ImportCave,
): Promise<void> {
  const events = people.flatMap(({ uuid, type, email, tokens, accepted }) => {
    const identity = email === null ? undefined : { provider, id: email };
    const about = { now, context, principal: uuid, ...(identity && { identity }) };
    const imported = { imported: true };
    const role = type === "user" ? { role: USER_ROLE.name } : {};
    return [
      eventOf("principal_created", about, { type, ...role, ...imported }),
      ...tokens.map(({ firstEight }) =>
        eventOf("api_key_created", about, { first_eight: firstEight, ...imported }),
      ),
      ...accepted.map(({ tos }) => eventOf("cave_terms_accepted", about, { tos, ...imported })),
    ];
  });
  for (const some of chunks(events)) await noteAll(db, some);
}

const userRole = statement((db, _: Args<object>) =>
  db.selectFrom("roles").where("name", "=", USER_ROLE.name).select("id"),
);

/** Moves the sequence past the largest number. SQLite does so by itself. */
async function advanceNumbers(db: Db): Promise<void> {
  await db.raw(
    `select setval(s.name, greatest(coalesce(pg_sequence_last_value(s.name::regclass), 1), p.id))
     from (select pg_get_serial_sequence('principals', 'id') as name) s, (select max(id) as id from principals) p
     where s.name is not null`,
    [],
  );
}
