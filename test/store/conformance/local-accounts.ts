import assert from "node:assert/strict";
import type { AddAccounts, NewLocalAccount, UseLink } from "../../../src/domain/ports/local-accounts.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import { at, eventsOf, logIn, NOW, newKey, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

const CHANGE = { provider: "toy", now: NOW, context: ORIGIN };

function account(name: string, changes: Partial<NewLocalAccount> = {}): NewLocalAccount {
  return { name, email: null, password: `$hash of ${name}`, state: "active", groups: [], ...changes };
}

function add(store: Store, accounts: readonly NewLocalAccount[], changes: Partial<AddAccounts> = {}) {
  return store.localAccounts.add({ ...CHANGE, accounts, admin: false, as: "added", ...changes });
}

const names = async (store: Store) => (await store.localAccounts.list("toy")).map(({ name }) => name);

export const localAccountCases: readonly Case[] = [
  [
    "an account is found by any spelling of its name, with its groups",
    async (store) => {
      await add(store, [account("Ada", { email: "ada@lab.org", groups: ["staff", "beam"] })]);
      for (const name of ["Ada", "ada", "ADA", "\uff21da"]) {
        const found = await store.localAccounts.find("toy", name);
        assert.deepEqual(found && { ...found, id: 0 }, {
          id: 0,
          name: "Ada",
          email: "ada@lab.org",
          password: "$hash of Ada",
          state: "active",
          groups: ["beam", "staff"],
        });
      }
      for (const name of ["ad", "ada ", "ada\0", "x".repeat(300), "\ud800"])
        assert.equal(await store.localAccounts.find("toy", name), undefined);
      assert.equal(await store.localAccounts.find("other", "ada"), undefined);
      assert.deepEqual(await eventsOf(store), ["account_added"]);
    },
  ],
  [
    "a name in another spelling, of a removed account, or of another identity is refused",
    async (store) => {
      await add(store, [account("ada"), account("bob")]);
      await logIn(store, "bob");
      await logIn(store, "Cleo");
      assert.deepEqual(await store.localAccounts.remove({ ...CHANGE, name: "BOB" }), { kind: "removed" });
      const refused = await add(store, [account("dan"), account("ADA"), account("bob"), account("cleo")]);
      assert.deepEqual(refused, {
        kind: "refused",
        refused: [
          { index: 1, reason: "exists", known: "ada" },
          { index: 2, reason: "removed", known: "bob" },
          { index: 3, reason: "other_spelling", known: "Cleo" },
        ],
      });
      assert.deepEqual(await names(store), ["ada"]);
      // The same identity, as after another authenticator of the same provider.
      assert.equal((await add(store, [account("Cleo")])).kind, "added");
    },
  ],
  [
    "an import is one event, leaves out known names if asked to, and a dry run changes nothing",
    async (store) => {
      await add(store, [account("ada")]);
      const both = [account("ada"), account("bob")];
      const as = { format: "csv", skip: true } as const;
      assert.deepEqual(await add(store, both, { as, dryRun: true }), {
        kind: "added",
        added: 1,
        skipped: [0],
      });
      assert.deepEqual(await names(store), ["ada"]);
      assert.equal((await add(store, both, { as: { ...as, skip: false } })).kind, "refused");
      assert.deepEqual(await add(store, both, { as }), { kind: "added", added: 1, skipped: [0] });
      assert.deepEqual(await names(store), ["ada", "bob"]);
      assert.deepEqual(await eventsOf(store), ["account_added", "accounts_imported"]);
    },
  ],
  [
    "an administrator is made with the account, and keeps the identity that there was",
    async (store) => {
      await add(store, [account("ada")], { admin: true });
      const principal = await store.principals.summaryOfIdentity({ provider: "toy", id: "ada" });
      assert.ok(principal?.scopes.includes("admin:apikeys"));
      assert.equal((await logIn(store, "ada")).principal.uuid, principal?.uuid);
      assert.deepEqual(await store.localAccounts.remove({ ...CHANGE, name: "ada" }), { kind: "last_admin" });
      assert.deepEqual(await names(store), ["ada"]);
    },
  ],
  [
    "a renamed account keeps its principal and ends its sessions; no other account's name is taken",
    async (store) => {
      await add(store, [account("ada"), account("bob")]);
      const { principal, session } = await logIn(store, "ada", { state: { groups: ["beam"] } });
      await logIn(store, "eve");
      for (const to of ["bob", "BOB", "eve", "Eve"])
        assert.equal((await store.localAccounts.rename({ ...CHANGE, name: "ada", to })).kind, "taken", to);
      const done = await store.localAccounts.rename({ ...CHANGE, name: "ada", to: "lovelace" });
      assert.deepEqual(done, { kind: "renamed", from: "ada", sessions: 1 });
      const summary = await store.principals.summaryOfIdentity({ provider: "toy", id: "lovelace" });
      assert.equal(summary?.uuid, principal.uuid);
      assert.equal(await store.principals.summaryOfIdentity({ provider: "toy", id: "ada" }), undefined);
      const document = await store.principals.document(principal.uuid, at(1));
      assert.deepEqual(
        document?.sessions.map(({ uuid, revoked }) => [uuid, revoked]),
        [[session.uuid, true]],
      );
      assert.deepEqual(await store.accounts.latestState(principal.uuid, "toy"), { groups: ["beam"] });
      // A new person with the old name is another principal.
      await add(store, [account("ada")]);
      assert.notEqual((await logIn(store, "ada")).principal.uuid, principal.uuid);
      assert.deepEqual(await store.localAccounts.rename({ ...CHANGE, name: "nobody", to: "x" }), {
        kind: "unknown",
      });
    },
  ],
  [
    "a removed account is disabled and its name reserved; one that never was an identity is gone",
    async (store) => {
      await add(store, [account("ada"), account("bob")]);
      const { principal } = await logIn(store, "ada");
      for (const name of ["ada", "bob"])
        assert.deepEqual(await store.localAccounts.remove({ ...CHANGE, name }), { kind: "removed" });
      assert.equal((await store.principals.summary(principal.uuid))?.disabled, true);
      assert.equal(await store.localAccounts.find("toy", "ada"), undefined);
      assert.equal(await store.localAccounts.sample("toy", 0.5), undefined);
      assert.deepEqual(await names(store), []);
      assert.equal((await add(store, [account("bob")])).kind, "added");
      assert.equal((await add(store, [account("ada")])).kind, "refused");
      const other = await store.localAccounts.rename({ ...CHANGE, name: "bob", to: "Ada" });
      assert.equal(other.kind, "taken");
    },
  ],
  [
    "a new password ends all sessions, and a hash is renewed only if it is still the same",
    async (store) => {
      await add(store, [account("ada")]);
      const { id } = (await store.localAccounts.find("toy", "ada")) ?? { id: 0 };
      await logIn(store, "ada");
      const password = "$second";
      const done = await store.localAccounts.setPassword({ ...CHANGE, name: "ada", password });
      assert.deepEqual(done, { kind: "done", sessions: 1 });
      await store.localAccounts.rehash(id, "$hash of ada", "$third", NOW);
      assert.equal((await store.localAccounts.find("toy", "ada"))?.password, "$second");
      await store.localAccounts.rehash(id, "$second", "$third", NOW);
      assert.equal((await store.localAccounts.find("toy", "ada"))?.password, "$third");
      assert.equal(await store.localAccounts.hasHash("toy", "$thi"), true);
      assert.equal(await store.localAccounts.hasHash("toy", "$sec"), false);
    },
  ],
  [
    "groups and address are replaced; a sample is one of the hashes, and stays the same",
    async (store) => {
      await add(store, [account("ada", { groups: ["a", "b"] }), account("bob"), account("cleo")]);
      await store.localAccounts.set({ ...CHANGE, name: "Ada", groups: ["c"] });
      await store.localAccounts.set({ ...CHANGE, name: "ada", email: "ada@lab.org" });
      const found = await store.localAccounts.find("toy", "ada");
      assert.deepEqual([found?.groups, found?.email], [["c"], "ada@lab.org"]);
      assert.deepEqual(await store.localAccounts.set({ ...CHANGE, name: "x" }), { kind: "unknown" });
      const numbers = [0, 0.3, 0.5, 0.9, 0.999999];
      const seen = [];
      for (const number of [...numbers, ...numbers])
        seen.push(await store.localAccounts.sample("toy", number));
      assert.deepEqual(seen.slice(0, 5), seen.slice(5));
      assert.deepEqual([...new Set(seen)].sort(), ["$hash of ada", "$hash of bob", "$hash of cleo"]);
    },
  ],
  [
    "a link sets the password once, ends all sessions, and drops keys only if asked to",
    async (store) => {
      await add(store, [account("ada", { groups: ["staff"] })]);
      const { principal } = await logIn(store, "ada");
      const key = await store.apiKeys.create(newKey(principal.uuid));
      assert.equal(key.kind, "created");
      await link(store, "first");
      assert.equal((await store.localAccounts.find("toy", "ada"))?.password, "$hash of ada");
      assert.equal((await store.localAccounts.findLink(sha256("first"), NOW))?.name, "ada");
      const used = await use(store, "first");
      assert.ok(used.kind === "used");
      assert.deepEqual(
        [used.name, used.groups, used.principal, used.sessions.length, used.keys],
        ["ada", ["staff"], principal.uuid, 1, []],
      );
      assert.equal((await store.localAccounts.find("toy", "ada"))?.password, "$new");
      assert.deepEqual(await store.accounts.sessions(principal.uuid, NOW), []);
      assert.equal((await store.principals.document(principal.uuid, NOW))?.apiKeys.length, 1);
      assert.deepEqual(await use(store, "first", { password: "$again" }), { kind: "gone" });
      assert.equal((await store.localAccounts.find("toy", "ada"))?.password, "$new");
      await link(store, "second");
      const both = await Promise.all([
        use(store, "second", { password: "$one", revokeKeys: true }),
        use(store, "second", { password: "$other", revokeKeys: true }),
      ]);
      assert.deepEqual(both.map(({ kind }) => kind).sort(), ["gone", "used"]);
      assert.equal((await store.principals.document(principal.uuid, NOW))?.apiKeys.length, 0);
      const events = await eventsOf(store);
      for (const event of ["password_reset", "password_changed", "session_revoked", "api_key_revoked"])
        assert.ok(events.includes(event), event);
    },
  ],
  [
    "a link that is replaced or too old, or whose account is disabled, removed or renewed, sets nothing",
    async (store) => {
      await add(store, [
        account("ada"),
        account("bob"),
        account("cleo"),
        account("dan", { state: "disabled" }),
      ]);
      await link(store, "old");
      await link(store, "new");
      const gone = async (secret: string, time = NOW) => {
        assert.equal(await store.localAccounts.findLink(sha256(secret), time), undefined);
        assert.deepEqual(await use(store, secret, { now: time }), { kind: "gone" });
      };
      await gone("old");
      await gone("unknown");
      await gone("new", at(60));
      assert.equal((await store.localAccounts.find("toy", "ada"))?.password, "$hash of ada");
      await store.localAccounts.setPassword({ ...CHANGE, name: "ada", password: "$set" });
      await gone("new");
      const { principal } = await logIn(store, "bob");
      await link(store, "of bob", "bob");
      await store.principals.setDisabled({ ...CHANGE, principal: principal.uuid, disabled: true });
      await gone("of bob");
      assert.deepEqual(await link(store, "more", "bob"), { kind: "disabled" });
      assert.deepEqual(await link(store, "more", "dan"), { kind: "disabled" });
      assert.deepEqual(await link(store, "more", "nobody"), { kind: "unknown" });
      await logIn(store, "cleo");
      await link(store, "of cleo", "cleo");
      await store.localAccounts.remove({ ...CHANGE, name: "cleo" });
      await gone("of cleo");
    },
  ],
  [
    "an invitation is for an account without a password; a reset at once takes password and sessions",
    async (store) => {
      const invitation = { digest: sha256("one"), expirationTime: at(60) };
      await add(store, [account("ada", { password: invitation }), account("bob")]);
      assert.equal((await store.localAccounts.find("toy", "ada"))?.password, null);
      assert.equal((await store.localAccounts.findLink(sha256("one"), NOW))?.purpose, "invitation");
      assert.deepEqual(await link(store, "two"), { kind: "no_password" });
      const again = { ...CHANGE, purpose: "invitation", link: newLink("three"), endNow: false } as const;
      assert.deepEqual(await store.localAccounts.link({ ...again, name: "bob" }), { kind: "has_password" });
      assert.deepEqual(await store.localAccounts.link({ ...again, name: "ada" }), {
        kind: "linked",
        sessions: 0,
      });
      assert.deepEqual(await use(store, "one"), { kind: "gone" });
      assert.equal((await use(store, "three")).kind, "used");
      assert.deepEqual(await eventsOf(store), [
        "account_invited",
        "account_added",
        "account_invited",
        "password_changed",
      ]);
      const { principal } = await logIn(store, "bob");
      const reset = { ...again, purpose: "reset", endNow: true, name: "bob" } as const;
      assert.deepEqual(await store.localAccounts.link(reset), { kind: "linked", sessions: 1 });
      assert.equal((await store.localAccounts.find("toy", "bob"))?.password, null);
      assert.deepEqual(await store.accounts.sessions(principal.uuid, NOW), []);
    },
  ],
];

function newLink(secret: string) {
  return { digest: sha256(secret), expirationTime: at(60) };
}

function link(store: Store, secret: string, name = "ada") {
  return store.localAccounts.link({
    ...CHANGE,
    name,
    purpose: "reset",
    link: newLink(secret),
    endNow: false,
  });
}

function use(store: Store, secret: string, changes: Partial<UseLink> = {}) {
  const request = { digest: sha256(secret), password: "$new", revokeKeys: false, now: NOW, context: ORIGIN };
  return store.localAccounts.useLink({ ...request, ...changes });
}
