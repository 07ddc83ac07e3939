/** Cases for every store: CAVE's people, API tokens, login tokens and accepted terms. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { OpenCaveLogin } from "../../../src/domain/ports/cave.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { type Digest, sha256 } from "../../../src/lib/secrets.ts";
import { newUuid, type Uuid } from "../../../src/lib/uuid.ts";
import { at, eventsOf, logIn, NOW, newKey, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

const CAVE = ["cave"];
const ORIGIN_OF_VIEWER = "https://viewer.example.org";

const tokenFor = (principal: Uuid, more: Parameters<typeof newKey>[2] = {}) =>
  newKey(principal, { scopes: CAVE }, more);

async function names(store: Store, principal: Uuid): Promise<readonly string[]> {
  return (await store.cave.tokens(principal, NOW)).map(({ firstEight }) => firstEight);
}

async function loggedIn(store: Store, id: string) {
  const { principal, session } = await logIn(store, id);
  const context = {
    ...ORIGIN,
    actor: principal.uuid,
    credential: { kind: "browser" as const, session: session.uuid },
  };
  const open = (changes: Partial<OpenCaveLogin> = {}) => {
    const digest = sha256(randomBytes(16));
    const request = {
      digest,
      principal: principal.uuid,
      session: session.uuid,
      origin: ORIGIN_OF_VIEWER,
      expirationTime: at(100),
      limit: 200,
      now: NOW,
      context,
      ...changes,
    };
    return { digest, outcome: store.cave.openLogin(request) };
  };
  const opened = async (changes: Partial<OpenCaveLogin> = {}): Promise<Digest> => {
    const { digest, outcome } = open(changes);
    assert.equal((await outcome).kind, "opened");
    return digest;
  };
  return { principal: principal.uuid, session: session.uuid, context, open, opened };
}

export const caveCases: readonly Case[] = [
  [
    "a person has a number, the name and address of the newest login that tells them, and the accepted terms",
    async (store) => {
      const { principal, session } = await logIn(store, "ann", {
        profile: { name: "Ann Other", email: "ann@example.org" },
      });
      const person = await store.cave.person(principal.uuid);
      assert.deepEqual(person, {
        id: person?.id,
        uuid: principal.uuid,
        type: "user",
        created: NOW,
        name: "Ann Other",
        email: "ann@example.org",
        identities: [{ provider: "toy", id: "ann" }],
        acceptedTos: [],
      });
      assert.ok(person !== undefined && Number.isInteger(person.id) && person.id > 0);
      const orcid = { provider: "orcid", id: "0000-0001" };
      const link = {
        principal: principal.uuid,
        session: session.uuid,
        since: NOW,
        now: NOW,
        context: ORIGIN,
      };
      await store.accounts.link({ ...link, identity: orcid, limit: 5, code: null });
      await logIn(store, "", { identity: orcid, now: at(5), profile: { name: "A. Other" } });
      for (const tos of [7, 3]) {
        await store.cave.acceptTerms({ principal: principal.uuid, tos, now: NOW, context: ORIGIN });
      }
      const changed = await store.cave.person(principal.uuid);
      assert.deepEqual(
        { ...changed, uuid: null, created: null },
        {
          id: person.id,
          uuid: null,
          type: "user",
          created: null,
          name: "A. Other",
          email: "ann@example.org",
          identities: [orcid, { provider: "toy", id: "ann" }],
          acceptedTos: [3, 7],
        },
      );
    },
  ],
  [
    "without a name from a provider, a person is called by the identity of the newest login, a service by its note",
    async (store) => {
      const ann = await logIn(store, "ann");
      assert.equal((await store.cave.person(ann.principal.uuid))?.name, "ann");
      const service = async (note?: string) => {
        const made = await store.principals.createService({ role: "user", note, now: NOW, context: ORIGIN });
        assert.ok(made.kind === "created");
        return await store.cave.person(made.uuid);
      };
      const named = await service("materialization");
      assert.deepEqual([named?.type, named?.name, named?.email], ["service", "materialization", ""]);
      const unnamed = await service();
      assert.equal(unnamed?.name, unnamed?.uuid);
    },
  ],
  [
    "people are found by number and identity, in the order of their numbers; others, and disabled ones, are not",
    async (store) => {
      await store.principals.ensureAdmins({
        identities: [{ provider: "toy", id: "never here" }],
        now: NOW,
        context: ORIGIN,
      });
      const uuids: Uuid[] = [];
      for (const name of ["ann", "bob", "cara", "dan"]) uuids.push((await logIn(store, name)).principal.uuid);
      const [ann, bob, cara, dan] = await Promise.all(uuids.map((uuid) => store.cave.person(uuid)));
      assert.ok(ann && bob && cara && dan);
      const service = await store.principals.createService({ role: "user", now: NOW, context: ORIGIN });
      assert.ok(service.kind === "created");
      const change = { principal: cara.uuid, disabled: true, now: NOW, context: ORIGIN };
      assert.equal((await store.principals.setDisabled(change)).kind, "done");

      const { cave } = store;
      assert.deepEqual(await cave.peopleByNumber([dan.id, 2_000_000_000, ann.id, cara.id]), [ann, dan]);
      const toy = (id: string) => ({ provider: "toy", id });
      const identities = ["dan", "never here", "cara", "ann", "unknown", "nul\0"].map(toy);
      const elsewhere = { provider: "other", id: "bob" };
      assert.deepEqual(await cave.peopleByIdentity([...identities, elsewhere]), [ann, dan]);
      assert.deepEqual(await cave.people(0, 2), [ann, bob]);
      assert.deepEqual(await cave.people(bob.id, 2), [dan]);
      assert.equal(await cave.person(cara.uuid), undefined);
      assert.equal(await cave.person(newUuid()), undefined);
      for (const none of [cave.peopleByNumber([]), cave.peopleByIdentity([])])
        assert.deepEqual(await none, []);
    },
  ],
  [
    "people who are looked for at the same moment are not mixed up",
    async (store) => {
      const known: Uuid[] = [];
      for (const name of ["ann", "bob", "cara", "dan"]) known.push((await logIn(store, name)).principal.uuid);
      const asked = known.flatMap((uuid) => [uuid, newUuid()]);
      const found = await Promise.all(asked.map((uuid) => store.cave.person(uuid)));
      assert.deepEqual(
        found.map((person) => person?.name),
        ["ann", undefined, "bob", undefined, "cara", undefined, "dan", undefined],
      );
    },
  ],
  [
    "the live keys with the scope cave are a person's tokens, the newest first",
    async (store) => {
      const { uuid } = (await logIn(store, "ann")).principal;
      const other = (await logIn(store, "bob")).principal.uuid;
      const old = newKey(uuid, { scopes: CAVE, note: "laptop" });
      const mixed = newKey(uuid, { scopes: ["read:metadata", "cave"] }, { now: at(1) });
      const expired = newKey(uuid, { scopes: CAVE, expirationTime: NOW }, { now: at(-10) });
      for (const request of [
        old,
        mixed,
        expired,
        newKey(uuid),
        newKey(uuid, { scopes: [] }),
        tokenFor(other),
      ])
        await store.apiKeys.create(request);
      const { digest } = old;
      await store.apiKeys.touch([{ firstEight: old.key.firstEight, digest, time: at(7), context: ORIGIN }]);
      assert.deepEqual(await store.cave.tokens(uuid, NOW), [
        {
          firstEight: mixed.key.firstEight,
          description: null,
          created: at(1),
          updated: null,
          lastUsed: null,
          expirationTime: null,
        },
        {
          firstEight: old.key.firstEight,
          description: "laptop",
          created: NOW,
          updated: at(7),
          lastUsed: at(7),
          expirationTime: null,
        },
      ]);
    },
  ],
  [
    "revoking a token leaves keys without the scope cave, and those of others",
    async (store) => {
      const ann = (await logIn(store, "ann")).principal.uuid;
      const bob = (await logIn(store, "bob")).principal.uuid;
      const [key, token] = [newKey(ann), tokenFor(ann)];
      for (const request of [key, token, newKey(bob, { scopes: CAVE, firstEight: token.key.firstEight })])
        await store.apiKeys.create(request);
      const revoke = (principal: Uuid, firstEight: string) =>
        store.cave.revokeToken({ principal, firstEight, now: NOW, context: ORIGIN });
      assert.deepEqual(await revoke(ann, key.key.firstEight), { kind: "unknown" });
      assert.deepEqual(await revoke(newUuid(), token.key.firstEight), { kind: "unknown" });
      assert.deepEqual(await revoke(ann, token.key.firstEight), { kind: "revoked", digests: [token.digest] });
      assert.deepEqual(await revoke(ann, token.key.firstEight), { kind: "unknown" });
      assert.notEqual(await store.apiKeys.find(key.key.firstEight, key.digest), undefined);
      assert.deepEqual(await names(store, bob), [token.key.firstEight]);
      assert.deepEqual((await eventsOf(store, ann)).slice(-2), ["api_key_created", "api_key_revoked"]);
    },
  ],
  [
    "the only token is replaced; without one it is made, and of several none is touched",
    async (store) => {
      const { uuid } = (await logIn(store, "ann")).principal;
      const mixed = newKey(uuid, { scopes: ["inherit", "cave"] });
      await store.apiKeys.create(mixed);
      const [first, second, third] = [tokenFor(uuid), tokenFor(uuid), tokenFor(uuid)];
      assert.deepEqual(await store.cave.replaceToken(first), { kind: "made", replaced: null });
      const { firstEight } = first.key;
      assert.deepEqual(await store.cave.replaceToken(second), {
        kind: "made",
        replaced: { firstEight, digest: first.digest },
      });
      assert.equal(await store.apiKeys.find(firstEight, first.digest), undefined);
      const left = [mixed, second].map(({ key }) => key.firstEight).sort();
      assert.deepEqual((await names(store, uuid)).toSorted(), left);
      assert.deepEqual((await eventsOf(store, uuid)).slice(-3), [
        "api_key_created",
        "api_key_created",
        "api_key_revoked",
      ]);
      await store.apiKeys.create(third);
      assert.deepEqual(await store.cave.replaceToken(tokenFor(uuid)), { kind: "several" });
      assert.equal((await names(store, uuid)).length, 3);
      assert.deepEqual(await store.cave.replaceToken(tokenFor(newUuid())), { kind: "unknown" });
    },
  ],
  [
    "a replaced token makes room for the new one, and is kept if there is none",
    async (store) => {
      const { uuid } = (await logIn(store, "ann")).principal;
      const [key, only] = [newKey(uuid), tokenFor(uuid)];
      assert.deepEqual(await store.cave.replaceToken(tokenFor(uuid, { limit: 0 })), { kind: "limit" });
      for (const request of [key, only]) await store.apiKeys.create(request);
      assert.deepEqual(await store.cave.replaceToken(tokenFor(uuid, { limit: 1 })), { kind: "limit" });
      const alike = newKey(uuid, { scopes: CAVE, firstEight: key.key.firstEight });
      assert.deepEqual(await store.cave.replaceToken(alike), { kind: "taken" });
      assert.deepEqual(await names(store, uuid), [only.key.firstEight]);
      assert.equal((await store.cave.replaceToken(tokenFor(uuid, { limit: 2 }))).kind, "made");
    },
  ],
  [
    "of a token that is replaced many times at once, one is left",
    async (store) => {
      const { uuid } = (await logIn(store, "ann")).principal;
      await store.apiKeys.create(tokenFor(uuid));
      const many = Array.from({ length: 8 }, () => store.cave.replaceToken(tokenFor(uuid)));
      for (const { kind } of await Promise.all(many)) assert.equal(kind, "made");
      assert.equal((await names(store, uuid)).length, 1);
    },
  ],
  [
    "a login token belongs to its session and principal, and is audited without the token",
    async (store) => {
      const ann = await loggedIn(store, "ann");
      const digest = await ann.opened();
      assert.deepEqual(await store.cave.login(digest), {
        digest,
        principal: ann.principal,
        session: ann.session,
        origin: ORIGIN_OF_VIEWER,
        expirationTime: at(100),
      });
      assert.equal(await store.cave.login(sha256("another")), undefined);
      const [row] = await store.audit.read({ limit: 9, events: ["cave_login_token_issued"] });
      assert.deepEqual(
        [row?.actor, row?.principal, row?.detail],
        [ann.principal, ann.principal, { origin: ORIGIN_OF_VIEWER, session: ann.session }],
      );
    },
  ],
  [
    "login tokens that are looked for at the same moment are not mixed up",
    async (store) => {
      const digests: Digest[] = [];
      for (const name of ["ann", "bob", "cara"]) digests.push(await (await loggedIn(store, name)).opened());
      const asked = digests.flatMap((digest) => [digest, sha256(`not ${digest}`)]);
      const found = await Promise.all(asked.map((digest) => store.cave.login(digest)));
      assert.deepEqual(
        found.map((login) => login?.digest),
        digests.flatMap((digest) => [digest, undefined]),
      );
    },
  ],
  [
    "a session that has ended, or is another's, gets no login token",
    async (store) => {
      const ann = await loggedIn(store, "ann");
      const bob = await loggedIn(store, "bob");
      const refused = { kind: "credential_revoked", why: "credential" };
      assert.deepEqual(await ann.open({ session: bob.session, context: ORIGIN }).outcome, refused);
      assert.deepEqual(await ann.open({ principal: bob.principal }).outcome, refused);
      assert.deepEqual(await ann.open({ now: at(3600) }).outcome, refused);
      const end = { session: ann.session, principal: null, now: NOW, context: ORIGIN };
      await store.sessions.revoke(end);
      assert.deepEqual(await ann.open().outcome, refused);
      assert.deepEqual(await ann.open({ context: ORIGIN }).outcome, refused);
      const change = { principal: bob.principal, disabled: true, now: NOW, context: ORIGIN };
      await store.principals.setDisabled(change);
      assert.deepEqual(await bob.open().outcome, { kind: "credential_revoked", why: "principal" });
      assert.equal((await eventsOf(store)).includes("cave_login_token_issued"), false);
    },
  ],
  [
    "beyond the limit the oldest login token is dropped, also if many are opened at once",
    async (store) => {
      const ann = await loggedIn(store, "ann");
      const oldest = await ann.opened({ now: at(-10) });
      for (const seconds of [1, 2]) await ann.opened({ now: at(seconds) });
      const { digest, outcome } = ann.open({ now: at(3), limit: 3 });
      assert.deepEqual(await outcome, { kind: "opened", dropped: [oldest] });
      assert.equal(await store.cave.login(oldest), undefined);
      assert.notEqual(await store.cave.login(digest), undefined);
      const many = Array.from({ length: 10 }, () => ann.open({ now: at(4), limit: 3 }));
      for (const one of many) assert.equal((await one.outcome).kind, "opened");
      const left = await Promise.all(many.map((one) => store.cave.login(one.digest)));
      assert.equal(left.filter((login) => login !== undefined).length, 3);
      assert.equal(await store.cave.login(digest), undefined);
    },
  ],
  [
    "a login token ends once, by itself or with its session",
    async (store) => {
      const ann = await loggedIn(store, "ann");
      const [digest, other] = [await ann.opened(), await ann.opened()];
      const credential = { kind: "cave_login" as const, session: ann.session, digest };
      const context = { ...ORIGIN, actor: ann.principal, credential };
      const request = { digest, now: NOW, context };
      assert.deepEqual(
        await Promise.all([store.cave.endLogin(request), store.cave.endLogin(request)]).then((all) =>
          all.toSorted(),
        ),
        [false, true],
      );
      assert.equal(await store.cave.login(digest), undefined);
      const [row] = await store.audit.read({ limit: 9, events: ["cave_login_token_revoked"] });
      const detail = { origin: ORIGIN_OF_VIEWER, session: ann.session };
      assert.deepEqual([row?.actor, row?.principal, row?.detail], [ann.principal, ann.principal, detail]);
      assert.equal(await store.cave.endLogin({ digest: other, now: at(100), context: ORIGIN }), false);
      await store.sessions.revoke({ session: ann.session, principal: null, now: NOW, context: ORIGIN });
      const itself = { ...context, credential: { ...credential, digest: other } };
      assert.equal(await store.cave.endLogin({ digest: other, now: NOW, context: itself }), false);
      assert.deepEqual(
        (await eventsOf(store)).filter((event) => event === "cave_login_token_revoked").length,
        1,
      );
    },
  ],
  [
    "a login token that has ended changes nothing any more",
    async (store) => {
      const ann = await loggedIn(store, "ann");
      const digest = await ann.opened();
      const credential = { kind: "cave_login" as const, session: ann.session, digest };
      const context = { ...ORIGIN, actor: ann.principal, credential };
      const accept = (now = NOW) =>
        store.cave.acceptTerms({ principal: ann.principal, tos: 1, now, context });
      const refused = { kind: "credential_revoked", why: "credential" };
      assert.deepEqual(await accept(at(100)), refused);
      await store.cave.endLogin({ digest, now: NOW, context });
      assert.deepEqual(await accept(), refused);
      assert.deepEqual((await store.cave.person(ann.principal))?.acceptedTos, []);
    },
  ],
  [
    "expired login tokens are purged in batches, all others with the purge of their session",
    async (store) => {
      const ann = await loggedIn(store, "ann");
      const short = [await ann.opened(), await ann.opened(), await ann.opened()];
      const lasting = await ann.opened({ expirationTime: at(9000) });
      const purge = (seconds: number, batch = 2) =>
        store.maintenance.purge({ now: at(seconds), batch, auditBefore: null });
      assert.equal((await purge(100)).more, false);
      assert.equal((await purge(101)).more, true);
      assert.equal((await purge(101)).more, false);
      for (const digest of short) assert.equal(await store.cave.login(digest), undefined);
      assert.notEqual(await store.cave.login(lasting), undefined);
      assert.equal((await purge(3601)).sessions, 1);
      assert.equal(await store.cave.login(lasting), undefined);
    },
  ],
  [
    "terms are accepted once, however often that is said",
    async (store) => {
      const { principal, context } = await loggedIn(store, "ann");
      const accept = () => store.cave.acceptTerms({ principal, tos: 5, now: NOW, context });
      for (const outcome of await Promise.all([accept(), accept(), accept()]))
        assert.deepEqual(outcome, { kind: "accepted" });
      assert.deepEqual((await store.cave.person(principal))?.acceptedTos, [5]);
      const rows = await store.audit.read({ limit: 9, events: ["cave_terms_accepted"] });
      assert.deepEqual(
        rows.map((row) => [row.actor, row.principal, row.detail]),
        [[principal, principal, { tos: 5 }]],
      );
    },
  ],
];
