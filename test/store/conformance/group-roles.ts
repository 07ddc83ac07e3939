import assert from "node:assert/strict";
import { USER_ROLE } from "../../../src/domain/model/scopes.ts";
import type { OpenSession } from "../../../src/domain/ports/sessions.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { at, logIn, NOW, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

const LAB = { provider: "lab", id: "ann" };
const OTHER = { provider: "other", id: "ann" };
const USER = [...USER_ROLE.scopes].sort();

async function isAdmin(store: Store, changes: Partial<OpenSession>): Promise<boolean> {
  const { principal } = await logIn(store, "ann", changes);
  return principal.scopes.length > USER.length;
}

async function byGroup(store: Store): Promise<unknown[]> {
  const rows = await store.audit.read({ limit: 20, events: ["role_by_group"] });
  return rows.map(({ detail }) => detail);
}

const GRANTED = { role: "admin", change: "granted", provider: "lab" };
const REVOKED = { ...GRANTED, change: "revoked" };

/** Adds the identity at the other provider to the same principal. */
async function linked(
  store: Store,
): Promise<Pick<Awaited<ReturnType<typeof logIn>>, "principal" | "session">> {
  const person = await logIn(store, "ann", { identity: LAB, adminByGroup: true });
  const outcome = await store.accounts.link({
    principal: person.principal.uuid,
    session: person.session.uuid,
    since: at(-300),
    now: NOW,
    context: ORIGIN,
    identity: OTHER,
    limit: 10,
    code: null,
  });
  assert.deepEqual(outcome, { kind: "linked" });
  return person;
}

export const groupRoleCases: readonly Case[] = [
  [
    "a group gives the role admin at a login, and a login outside of it takes the role back",
    async (store) => {
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: false }), false);
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: true }), true);
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: true }), true);
      assert.equal(await isAdmin(store, { identity: LAB }), true, "a provider that has no group in the list");
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: false }), false);
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: false }), false);
      assert.deepEqual(await byGroup(store), [GRANTED, REVOKED]);
    },
  ],
  [
    "a role that was given otherwise, before or after the group's, is never taken back",
    async (store) => {
      await store.principals.ensureAdmins({ identities: [LAB], now: NOW, context: ORIGIN });
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: true }), true);
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: false }), true);
      const bob = { provider: "lab", id: "bob" };
      assert.equal(await isAdmin(store, { identity: bob, adminByGroup: true }), true);
      await store.principals.ensureAdmins({ identities: [bob], now: NOW, context: ORIGIN });
      assert.equal(await isAdmin(store, { identity: bob, adminByGroup: false }), true);
      const cy = { provider: "lab", id: "cy" };
      assert.equal(await isAdmin(store, { identity: cy, adminByGroup: true }), true);
      assert.equal(await isAdmin(store, { identity: cy, admin: true, adminByGroup: false }), true);
      assert.equal(await isAdmin(store, { identity: cy, adminByGroup: false }), true);
    },
  ],
  [
    "the role of two providers' groups stays until neither gives it",
    async (store) => {
      await linked(store);
      assert.equal(await isAdmin(store, { identity: OTHER, adminByGroup: true }), true);
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: false }), true);
      assert.equal(await isAdmin(store, { identity: OTHER, adminByGroup: false }), false);
    },
  ],
  [
    "an identity that is unlinked leaves no role of its provider's group behind",
    async (store) => {
      const { principal } = await linked(store);
      const { session } = await logIn(store, "ann", { identity: OTHER });
      const outcome = await store.accounts.unlink({
        principal: principal.uuid,
        session: session.uuid,
        since: at(-300),
        now: NOW,
        context: ORIGIN,
        identity: LAB,
        providers: ["lab", "other"],
      });
      assert.equal(outcome.kind, "unlinked");
      assert.deepEqual((await store.principals.summary(principal.uuid))?.scopes, USER);
      assert.deepEqual(await byGroup(store), [GRANTED, REVOKED]);
    },
  ],
  [
    "a start without a group of the provider takes its roles back, and only those",
    async (store) => {
      await logIn(store, "root", { admin: true });
      await logIn(store, "ann", { identity: LAB, adminByGroup: true });
      const start = (groupProviders?: string[]) =>
        store.principals.ensureAdmins({
          identities: [],
          ...(groupProviders && { groupProviders }),
          now: NOW,
          context: ORIGIN,
        });
      const scopes = async (identity: typeof LAB) =>
        (await store.principals.summaryOfIdentity(identity))?.scopes.length ?? 0;
      await start();
      await start(["lab"]);
      assert.ok((await scopes(LAB)) > USER.length);
      await start([]);
      assert.equal(await scopes(LAB), USER.length);
      assert.ok((await scopes({ provider: "toy", id: "root" })) > USER.length);
    },
  ],
  [
    "a role of a group that an administrator revoked comes back at the next login, and is the group's",
    async (store) => {
      await logIn(store, "root", { admin: true });
      const { principal } = await logIn(store, "ann", { identity: LAB, adminByGroup: true });
      const revoked = await store.principals.revokeAdmin({
        principal: principal.uuid,
        now: NOW,
        context: ORIGIN,
      });
      assert.deepEqual(revoked, { kind: "done" });
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: true }), true);
      assert.equal(await isAdmin(store, { identity: LAB, adminByGroup: false }), false);
    },
  ],
];
