/** Cases for every store: people of a middle_auth server are taken over with their numbers, tokens and accepted terms. */
import assert from "node:assert/strict";
import { USER_ROLE } from "../../../src/domain/model/scopes.ts";
import type { ImportCave, ImportedPerson, ImportOutcome } from "../../../src/domain/ports/cave-import.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { type Digest, randomHex, sha256 } from "../../../src/lib/secrets.ts";
import { at, eventsOf, logIn, NOW, newKey, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

const google = (id: string) => ({ provider: "google", id });
const digestOf = (secret: string): Digest => sha256(Buffer.from(secret, "hex"));
const SECRETS = [randomHex(16), randomHex(16), randomHex(16)] as const;

function token(secret: string, description: string | null = null) {
  const firstEight = secret.slice(0, 8);
  return { firstEight, digest: digestOf(secret), description, created: at(-900), lastUsed: at(-60) };
}

function person(id: number, name: string, changes: Partial<ImportedPerson> = {}): ImportedPerson {
  const email = `${name.toLowerCase()}@example.org`;
  return { id, type: "user", name, email, created: at(-1000), tokens: [], accepted: [], ...changes };
}

const ANN = person(70, "Ann", {
  tokens: [token(SECRETS[0], "laptop"), token(SECRETS[1])],
  accepted: [{ tos: 2, time: at(-500) }],
});
const ROBOT = person(71, "Robot", { type: "service", email: null, tokens: [token(SECRETS[2])] });
const BOB = person(90, "Bob");

function take(store: Store, people: readonly ImportedPerson[], changes: Partial<ImportCave> = {}) {
  return store.caveImporter.import({
    provider: "google",
    caseSensitive: false,
    people,
    dryRun: false,
    now: NOW,
    context: ORIGIN,
    ...changes,
  });
}

function done(outcome: ImportOutcome) {
  assert.equal(outcome.kind, "done", JSON.stringify(outcome));
  return outcome.kind === "done" ? outcome : assert.fail();
}

async function conflictsOf(outcome: Promise<ImportOutcome>) {
  const found = await outcome;
  return found.kind === "conflicts" ? found.conflicts : assert.fail(found.kind);
}

const count = async (store: Store) => (await store.principals.list({ offset: 0, limit: 100 }, NOW)).length;

export const caveImportCases: readonly Case[] = [
  [
    "imported people have their role, tokens and audit rows, and log in as themselves",
    async (store) => {
      const outcome = done(await take(store, [ANN, ROBOT, BOB]));
      assert.deepEqual(outcome.created, { people: 2, services: 1, tokens: 3, terms: 1 });
      assert.deepEqual([outcome.known, outcome.differences], [0, []]);
      const ann = await store.principals.summaryOfIdentity(google("ann@example.org"));
      assert.ok(ann !== undefined);
      assert.deepEqual([ann.type, ann.scopes], ["user", [...USER_ROLE.scopes].sort()]);
      const again = await logIn(store, "ann@example.org", { identity: google("ann@example.org") });
      assert.equal(again.principal.uuid, ann.uuid);
      const key = await store.apiKeys.find(SECRETS[0].slice(0, 8), digestOf(SECRETS[0]));
      assert.deepEqual(key, {
        firstEight: SECRETS[0].slice(0, 8),
        digest: digestOf(SECRETS[0]),
        principal: ann.uuid,
        expirationTime: null,
        latestActivity: at(-60),
        note: "laptop",
        scopes: ["cave"],
        accessTags: null,
      });
      assert.deepEqual((await eventsOf(store, ann.uuid)).sort(), [
        "api_key_created",
        "api_key_created",
        "cave_terms_accepted",
        "login",
        "principal_created",
      ]);
      const robot = outcome.services.get(71);
      assert.ok(robot !== undefined);
      const summary = await store.principals.summary(robot);
      assert.deepEqual([summary?.type, summary?.scopes, summary?.identities], ["service", [], []]);
      const robots = await store.apiKeys.find(SECRETS[2].slice(0, 8), digestOf(SECRETS[2]));
      assert.equal(robots?.principal, robot);
    },
  ],
  [
    "a second import changes nothing and gives the same services",
    async (store) => {
      const first = done(await take(store, [ANN, ROBOT, BOB]));
      const rows = await store.audit.read({ limit: 100 });
      const second = done(await take(store, [ANN, ROBOT, BOB]));
      assert.deepEqual(second.created, { people: 0, services: 0, tokens: 0, terms: 0 });
      assert.deepEqual([second.known, second.differences], [3, []]);
      assert.deepEqual(second.services, first.services);
      assert.deepEqual(await store.audit.read({ limit: 100 }), rows);
    },
  ],
  [
    "a later import adds new people and tells differences of known ones, which stay",
    async (store) => {
      done(await take(store, [ANN, ROBOT]));
      const changed = person(70, "Anna", {
        email: "ann@example.org",
        tokens: [token(SECRETS[0], "desk"), token(SECRETS[1]), token("0123abcd".repeat(4))],
        accepted: [
          { tos: 2, time: null },
          { tos: 3, time: null },
        ],
      });
      const outcome = done(await take(store, [changed, { ...ROBOT, name: "Robot 2" }, BOB]));
      assert.deepEqual(outcome.created, { people: 1, services: 0, tokens: 0, terms: 0 });
      assert.deepEqual(outcome.differences, [
        { person: 70, field: "name", here: "Ann", file: "Anna" },
        { person: 70, field: "description", here: "laptop", file: "desk" },
        { person: 70, field: "token", here: null, file: "0123abcd" },
        { person: 70, field: "terms", here: null, file: "3" },
        { person: 71, field: "name", here: "Robot", file: "Robot 2" },
      ]);
      assert.equal(await store.apiKeys.find("0123abcd", digestOf("0123abcd".repeat(4))), undefined);
      const kept = await store.apiKeys.find(SECRETS[0].slice(0, 8), digestOf(SECRETS[0]));
      assert.equal(kept?.note, "laptop");
      const moved = {
        ...changed,
        email: "anna@example.org",
        tokens: [token(SECRETS[0], "laptop")],
        accepted: [],
      };
      assert.deepEqual(done(await take(store, [moved])).differences, [
        { person: 70, field: "identity", here: "google:ann@example.org", file: "anna@example.org" },
      ]);
    },
  ],
  [
    "a token that was revoked here is not brought back",
    async (store) => {
      done(await take(store, [ANN]));
      const ann = await store.principals.summaryOfIdentity(google("ann@example.org"));
      assert.ok(ann !== undefined);
      const firstEight = SECRETS[0].slice(0, 8);
      await store.apiKeys.revoke({ principal: ann.uuid, firstEight, now: NOW, context: ORIGIN });
      done(await take(store, [ANN]));
      assert.equal(await store.apiKeys.find(firstEight, digestOf(SECRETS[0])), undefined);
    },
  ],
  [
    "an import that meets another principal writes nothing and lists all that is in the way",
    async (store) => {
      const first = done(await take(store, [person(5, "Eve"), { ...ROBOT, id: 6 }]));
      assert.equal(first.created.people, 1);
      const before = await store.audit.read({ limit: 100 });
      const people = [
        person(5, "Ann", { tokens: [token(SECRETS[0])] }),
        { ...ROBOT, id: 6, name: "Other", tokens: [] },
        person(7, "Eve"),
        person(8, "EVE", { email: "EVE@example.org" }),
        person(9, "Cid", { tokens: [token(SECRETS[2])] }),
        BOB,
      ];
      assert.deepEqual(await conflictsOf(take(store, people)), [
        { person: 5, kind: "number", here: "google:eve@example.org" },
        { person: 6, kind: "number", here: "the service Robot" },
        { person: 7, kind: "identity", here: "principal 5" },
        { person: 8, kind: "spelling", here: "eve@example.org" },
        { person: 9, kind: "token", here: `${SECRETS[2].slice(0, 8)} of principal 6` },
      ]);
      assert.equal(await count(store), 2);
      assert.deepEqual(await store.audit.read({ limit: 100 }), before);
      const apart = done(
        await take(store, [person(8, "EVE", { email: "EVE@example.org" })], { caseSensitive: true }),
      );
      assert.equal(apart.created.people, 1);
    },
  ],
  [
    "a dry run writes nothing",
    async (store) => {
      const outcome = done(await take(store, [ANN, ROBOT], { dryRun: true }));
      assert.deepEqual(outcome.created, { people: 1, services: 1, tokens: 3, terms: 1 });
      assert.equal(outcome.services.size, 0);
      assert.equal(await count(store), 0);
      assert.deepEqual(await store.audit.read({ limit: 100 }), []);
    },
  ],
  [
    "the numbers of later principals follow the imported ones",
    async (store) => {
      done(await take(store, [ANN, BOB, person(3, "Cid")]));
      await logIn(store, "dora", { identity: google("dora@example.org") });
      const people = await store.cave.people(0, 100);
      assert.deepEqual(
        people.map(({ id, name }) => [id, name]),
        [
          [3, "Cid"],
          [70, "Ann"],
          [90, "Bob"],
          [91, "dora@example.org"],
        ],
      );
      const dora = await conflictsOf(take(store, [person(4, "dora", { email: "dora@example.org" })]));
      assert.deepEqual(dora, [{ person: 4, kind: "identity", here: "principal 91" }]);
    },
  ],
  [
    "an earlier user keeps the number and gets a key, and imported people come beside",
    async (store) => {
      const { principal } = await logIn(store, "root");
      await store.apiKeys.create(newKey(principal.uuid));
      assert.equal(done(await take(store, [person(2, "Ann")])).created.people, 1);
      assert.deepEqual(await conflictsOf(take(store, [person(1, "Bob")])), [
        { person: 1, kind: "number", here: "toy:root" },
      ]);
    },
  ],
  [
    "two imports of one file at the same moment, beside logins, end in one set of people",
    async (store) => {
      const people = Array.from({ length: 40 }, (_, index) =>
        person(100 + index, `p${index}`, { tokens: [token(randomHex(16))] }),
      );
      const logins = Array.from({ length: 5 }, (_, index) => logIn(store, `visitor${index}`));
      const [one, other] = await Promise.all([take(store, people), take(store, people), ...logins]);
      const created = [done(one), done(other)].map((outcome) => outcome.created.people);
      assert.deepEqual(created.toSorted(), [0, 40]);
      const found = await store.cave.people(0, 100);
      assert.equal(new Set(found.map(({ uuid }) => uuid)).size, 45);
      assert.equal(found.filter(({ id }) => id >= 100 && id < 140).length, 40);
    },
  ],
  [
    "thousands of people with tokens are taken in one transaction",
    async (store) => {
      const people = Array.from({ length: 2500 }, (_, index) =>
        person(10 + index, `p${index}`, {
          tokens: [token(randomHex(16)), token(randomHex(16))],
          accepted: [{ tos: 1, time: null }],
        }),
      );
      assert.deepEqual(done(await take(store, people)).created, {
        people: 2500,
        services: 0,
        tokens: 5000,
        terms: 2500,
      });
      assert.equal(done(await take(store, people)).known, 2500);
      const last = people.at(-1);
      const key = last?.tokens[1];
      assert.ok(key !== undefined && (await store.apiKeys.find(key.firstEight, key.digest)) !== undefined);
    },
  ],
];
