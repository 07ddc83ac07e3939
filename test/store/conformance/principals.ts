import assert from "node:assert/strict";
import { ADMIN_ROLE, USER_ROLE } from "../../../src/domain/model/scopes.ts";
import { newUuid, type Uuid } from "../../../src/lib/uuid.ts";
import { at, eventsOf, logIn, login, NOW, newKey, ORIGIN, opened, refresh } from "../support.ts";
import type { Case } from "./case.ts";

const sorted = (...lists: readonly (readonly string[])[]) => [...new Set(lists.flat())].sort();

export const principalCases: readonly Case[] = [
  [
    "the first login creates a principal with the role user, the second finds it",
    async (store) => {
      const first = await logIn(store, "ann");
      assert.deepEqual(first.principal, {
        uuid: first.principal.uuid,
        type: "user",
        disabled: false,
        identities: [{ provider: "toy", id: "ann" }],
        scopes: sorted(USER_ROLE.scopes),
      });
      const second = await logIn(store, "ann");
      assert.deepEqual(second.principal, first.principal);
      assert.notEqual(second.session.uuid, first.session.uuid);
      assert.deepEqual(await store.principals.summary(first.principal.uuid), first.principal);
      assert.deepEqual(
        await store.principals.summaryOfIdentity({ provider: "toy", id: "ann" }),
        first.principal,
      );
      assert.deepEqual(await eventsOf(store, first.principal.uuid), ["principal_created", "login", "login"]);
    },
  ],
  [
    "identities that differ in case, provider or accents are different people",
    async (store) => {
      const people = await Promise.all([
        logIn(store, "ann"),
        logIn(store, "Ann"),
        logIn(store, "ann "),
        logIn(store, "änn"),
        logIn(store, "a\u0308nn"),
        logIn(store, "ann", { identity: { provider: "Toy", id: "ann" } }),
      ]);
      assert.equal(new Set(people.map(({ principal }) => principal.uuid)).size, people.length);
    },
  ],
  [
    "first logins of one identity at the same moment end in one principal",
    async (store) => {
      const logins = await Promise.all(Array.from({ length: 12 }, () => logIn(store, "ann")));
      assert.equal(new Set(logins.map(({ principal }) => principal.uuid)).size, 1);
      assert.equal((await store.principals.list({ offset: 0, limit: 10 }, NOW)).length, 1);
      const events = await eventsOf(store);
      assert.equal(events.filter((event) => event === "principal_created").length, 1);
      assert.equal(events.filter((event) => event === "login").length, 12);
    },
  ],
  [
    "a person named only by a provider's token is created once, and is the same as after a login",
    async (store) => {
      const ann = { provider: "toy", id: "ann" };
      const made = await Promise.all(
        Array.from({ length: 12 }, () =>
          store.principals.ensureUser({ identity: ann, now: NOW, context: ORIGIN }),
        ),
      );
      assert.equal(new Set(made.map(({ uuid }) => uuid)).size, 1);
      const { principal } = await logIn(store, "ann");
      assert.deepEqual(made[0], principal);
      assert.deepEqual(await eventsOf(store), ["principal_created", "login"]);
      await assert.rejects(
        store.principals.ensureUser({ identity: { provider: "toy", id: "a\0" }, now: NOW, context: ORIGIN }),
        {
          code: "invalid",
        },
      );
    },
  ],
  [
    "an administrator of the configuration gets both roles at login, once",
    async (store) => {
      const { principal } = await logIn(store, "root");
      assert.deepEqual(principal.scopes, sorted(USER_ROLE.scopes));
      const again = await logIn(store, "root", { admin: true });
      assert.deepEqual(again.principal.scopes, sorted(USER_ROLE.scopes, ADMIN_ROLE.scopes));
      await logIn(store, "root", { admin: true });
      assert.deepEqual(await eventsOf(store, principal.uuid), [
        "principal_created",
        "login",
        "role_granted",
        "login",
        "login",
      ]);
      const document = await store.principals.document(principal.uuid, NOW);
      assert.deepEqual(
        document?.roles.map(({ name }) => name),
        ["user", "admin"],
      );
    },
  ],
  [
    "an unknown principal is undefined",
    async (store) => {
      assert.equal(await store.principals.summary(newUuid()), undefined);
      assert.equal(await store.principals.document(newUuid(), NOW), undefined);
      assert.equal(await store.principals.summaryOfIdentity({ provider: "toy", id: "nobody" }), undefined);
    },
  ],
  [
    "the default roles are there",
    async (store) => {
      assert.deepEqual(await store.principals.roles(), [
        { name: "user", scopes: USER_ROLE.scopes },
        { name: "admin", scopes: ADMIN_ROLE.scopes },
      ]);
    },
  ],
  [
    "a service principal has the role it was created with",
    async (store) => {
      assert.deepEqual(await store.principals.createService({ role: "emperor", now: NOW, context: ORIGIN }), {
        kind: "unknown_role",
      });
      assert.deepEqual(await eventsOf(store), []);
      const made = await store.principals.createService({
        role: "admin",
        now: NOW,
        context: { ...ORIGIN, actor: null },
      });
      assert.equal(made.kind, "created");
      const uuid = (made as { uuid: Uuid }).uuid;
      assert.deepEqual(await store.principals.summary(uuid), {
        uuid,
        type: "service",
        disabled: false,
        identities: [],
        scopes: sorted(ADMIN_ROLE.scopes),
      });
      const [row] = await store.audit.read({ limit: 10, principal: uuid });
      assert.equal(row?.event, "principal_created");
      assert.deepEqual(row.detail, { type: "service", role: "admin" });
    },
  ],
  [
    "a disabled principal cannot log in or refresh, and can again when enabled",
    async (store) => {
      const actor = newUuid();
      const { principal, session } = await logIn(store, "ann");
      const disable = (disabled: boolean) =>
        store.principals.setDisabled({
          principal: principal.uuid,
          disabled,
          now: NOW,
          context: { ...ORIGIN, actor },
        });
      assert.deepEqual(await disable(true), { kind: "done" });
      assert.deepEqual(await disable(true), { kind: "done" });
      assert.equal((await store.principals.summary(principal.uuid))?.disabled, true);
      assert.equal((await store.principals.document(principal.uuid, NOW))?.disabled, true);
      assert.equal((await store.principals.list({ offset: 0, limit: 1 }, NOW))[0]?.disabled, true);
      assert.deepEqual(await store.sessions.open(login("ann")), {
        kind: "disabled",
        principal: principal.uuid,
      });
      assert.deepEqual(await store.sessions.rotate(refresh(session.uuid, 0, "a")), { kind: "ended" });
      assert.deepEqual(await disable(false), { kind: "done" });
      assert.deepEqual(await disable(false), { kind: "done" });
      assert.equal((await store.sessions.rotate(refresh(session.uuid, 0, "a"))).kind, "refreshed");
      opened(await store.sessions.open(login("ann")));
      const rows = await store.audit.read({ limit: 10, principal: principal.uuid });
      assert.deepEqual(
        rows.map(({ event, actor }) => [event, actor]),
        [
          ["principal_created", null],
          ["login", null],
          ["principal_disabled", actor],
          ["principal_enabled", actor],
          ["login", null],
        ],
      );
      assert.deepEqual(
        await store.principals.setDisabled({
          principal: newUuid(),
          disabled: true,
          now: NOW,
          context: ORIGIN,
        }),
        { kind: "unknown" },
      );
    },
  ],
  [
    "the last administrator cannot be disabled",
    async (store) => {
      const { principal: ann } = await logIn(store, "ann", { admin: true });
      const { principal: bob } = await logIn(store, "bob", { admin: true });
      const { principal: cy } = await logIn(store, "cy");
      const disable = (uuid: Uuid) =>
        store.principals.setDisabled({ principal: uuid, disabled: true, now: NOW, context: ORIGIN });
      assert.deepEqual(await disable(bob.uuid), { kind: "done" });
      assert.deepEqual(await disable(ann.uuid), { kind: "last_admin" });
      assert.equal((await store.principals.summary(ann.uuid))?.disabled, false);
      assert.deepEqual(await disable(cy.uuid), { kind: "done" });
      const anyway = await store.principals.setDisabled({
        principal: ann.uuid,
        disabled: true,
        evenLastAdmin: true,
        now: NOW,
        context: ORIGIN,
      });
      assert.deepEqual(anyway, { kind: "done" });
      assert.equal((await store.principals.summary(ann.uuid))?.disabled, true);
    },
  ],
  [
    "one administrator remains if two disable each other at the same time",
    async (store) => {
      const admins = await Promise.all(["a", "b", "c", "d"].map((id) => logIn(store, id, { admin: true })));
      const outcomes = await Promise.all(
        admins.map(({ principal }) =>
          store.principals.setDisabled({
            principal: principal.uuid,
            disabled: true,
            now: NOW,
            context: ORIGIN,
          }),
        ),
      );
      assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ["done", "done", "done", "last_admin"]);
    },
  ],
  [
    "the configured administrators are created, and existing ones reported",
    async (store) => {
      const { principal: ann } = await logIn(store, "ann");
      const admins = [
        { provider: "toy", id: "ann" },
        { provider: "toy", id: "new" },
      ];
      await store.principals.ensureAdmins({ identities: admins, now: at(1), context: ORIGIN });
      await store.principals.ensureAdmins({ identities: admins, now: at(2), context: ORIGIN });
      for (const identity of admins) {
        const summary = await store.principals.summaryOfIdentity(identity);
        assert.deepEqual(summary?.scopes, sorted(USER_ROLE.scopes, ADMIN_ROLE.scopes));
      }
      assert.deepEqual(await eventsOf(store, ann.uuid), ["principal_created", "login", "role_granted"]);
      const made = await store.principals.summaryOfIdentity({ provider: "toy", id: "new" });
      assert.deepEqual(await eventsOf(store, made?.uuid), ["principal_created", "role_granted"]);
      const document = made && (await store.principals.document(made.uuid, NOW));
      assert.deepEqual(document?.identities, [{ provider: "toy", id: "new", latestLogin: null }]);
      assert.equal(document?.latestActivity, null);
    },
  ],
  [
    "a document shows live sessions, and revoked ones until they expire",
    async (store) => {
      const { principal, session } = await logIn(store, "ann", { state: { né: "é", n: [1, null] } });
      const { session: revoked } = await logIn(store, "ann", { now: at(5), expirationTime: at(500) });
      const { session: expired } = await logIn(store, "ann", { expirationTime: at(50) });
      await store.sessions.revoke({ session: revoked.uuid, principal: null, now: at(6), context: ORIGIN });
      const lasting = newKey(principal.uuid, { note: "né", scopes: ["read:data"], accessTags: ["fée", "b"] });
      const short = newKey(principal.uuid, { expirationTime: at(100) }, { now: at(1) });
      const gone = newKey(principal.uuid, { expirationTime: at(99) }, { now: at(2) });
      for (const key of [lasting, short, gone])
        assert.deepEqual(await store.apiKeys.create(key), { kind: "created" });
      const listed = ({ key }: typeof lasting) => ({ ...key, latestActivity: null });

      assert.deepEqual(await store.principals.document(principal.uuid, at(99)), {
        uuid: principal.uuid,
        type: "user",
        disabled: false,
        identities: [{ provider: "toy", id: "ann", latestLogin: NOW }],
        roles: [{ name: "user", scopes: USER_ROLE.scopes }],
        sessions: [
          { uuid: session.uuid, expirationTime: at(3600), revoked: false, state: { né: "é", n: [1, null] } },
          { uuid: revoked.uuid, expirationTime: at(500), revoked: true, state: {} },
        ],
        apiKeys: [listed(lasting), listed(short)],
        latestActivity: NOW,
      });
      const before = await store.principals.document(principal.uuid, at(49));
      assert.deepEqual(
        before?.sessions.map(({ uuid }) => uuid),
        [session.uuid, revoked.uuid, expired.uuid],
      );
      assert.equal(before?.apiKeys.length, 3);
    },
  ],
  [
    "the latest activity is the newest of logins, refreshes and uses of keys",
    async (store) => {
      const { principal, session } = await logIn(store, "ann");
      const latest = async () => (await store.principals.document(principal.uuid, NOW))?.latestActivity;
      await store.sessions.rotate(refresh(session.uuid, 0, "a", { now: at(10) }));
      assert.deepEqual(await latest(), at(10));
      const request = newKey(principal.uuid);
      await store.apiKeys.create(request);
      const use = { firstEight: request.key.firstEight, digest: request.digest, context: ORIGIN };
      await store.apiKeys.touch([{ ...use, time: at(20) }]);
      assert.deepEqual(await latest(), at(20));
      await logIn(store, "ann", { now: at(30) });
      assert.deepEqual(await latest(), at(30));
    },
  ],
  [
    "of many revoked sessions the newest two hundred are shown, in the list as in the document",
    async (store) => {
      const often = async (id: string, times: number) => {
        let uuid: Uuid | undefined;
        // Commands of one identity wait for each other, and on a busy machine hundreds would wait too long.
        for (let left = times; left > 0; left--)
          uuid = (await logIn(store, id, { limit: 1000 })).principal.uuid;
        assert.ok(uuid);
        const shown =
          (await store.principals.document(uuid, NOW))?.sessions.map((session) => session.uuid) ?? [];
        const keep = shown.at(-1);
        assert.ok(keep);
        await store.accounts.revokeOthers({ principal: uuid, keep, now: at(1), context: ORIGIN });
        return { uuid, shown };
      };
      const people = [await often("ann", 230), await often("bob", 3), await often("cara", 202)];
      const list = await store.principals.list({ offset: 0, limit: 10 }, NOW);
      for (const [index, { uuid, shown }] of people.entries()) {
        const document = await store.principals.document(uuid, NOW);
        assert.deepEqual(list[index], document);
        assert.deepEqual(
          document?.sessions.map((session) => session.uuid),
          shown.slice(-201),
        );
        assert.deepEqual(
          document?.sessions.map(({ revoked }) => revoked).indexOf(false),
          Math.min(200, shown.length - 1),
        );
      }
    },
  ],
  [
    "the list is in the order of creation, in pages, and each as its own document",
    async (store) => {
      const made: Uuid[] = [];
      for (const id of ["z", "y", "x", "w"]) {
        const { principal } = await logIn(store, id, { admin: id === "y" });
        await store.apiKeys.create(newKey(principal.uuid, { note: id }));
        made.push(principal.uuid);
      }
      const page = await store.principals.list({ offset: 1, limit: 2 }, NOW);
      assert.deepEqual(
        page.map(({ uuid }) => uuid),
        made.slice(1, 3),
      );
      const all = await store.principals.list({ offset: 0, limit: 300 }, NOW);
      assert.deepEqual(all, await Promise.all(made.map((uuid) => store.principals.document(uuid, NOW))));
      assert.deepEqual(await store.principals.list({ offset: 4, limit: 10 }, NOW), []);
      assert.deepEqual(await store.principals.list({ offset: 10_000_000, limit: 300 }, NOW), []);
      assert.deepEqual(await store.principals.list({ offset: 0, limit: 0 }, NOW), []);
    },
  ],
  [
    "keys are shown in order of creation",
    async (store) => {
      const { principal } = await logIn(store, "ann");
      const made = [3, 1, 4, 1.5, 9, 2.6];
      for (const [index, second] of made.entries())
        await store.apiKeys.create(newKey(principal.uuid, { note: String(second) }, { now: at(index) }));
      const notes = (await store.principals.document(principal.uuid, at(10)))?.apiKeys.map(
        ({ note }) => note,
      );
      assert.deepEqual(notes, made.map(String));
    },
  ],
];
