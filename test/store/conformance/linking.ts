import assert from "node:assert/strict";
import type { LinkIdentity, UnlinkIdentity } from "../../../src/domain/ports/accounts.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import { at, eventsOf, logIn, NOW, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

type Person = Awaited<ReturnType<typeof logIn>>;
const ORCID = { provider: "orcid", id: "0000-0001" };

function link({ principal, session }: Person, changes: Partial<LinkIdentity> = {}): LinkIdentity {
  return {
    principal: principal.uuid,
    session: session.uuid,
    since: at(-300),
    now: at(10),
    context: ORIGIN,
    identity: ORCID,
    limit: 10,
    code: null,
    ...changes,
  };
}

function unlink({ principal, session }: Person, changes: Partial<UnlinkIdentity> = {}): UnlinkIdentity {
  return {
    principal: principal.uuid,
    session: session.uuid,
    since: at(-300),
    now: at(20),
    context: ORIGIN,
    identity: ORCID,
    providers: ["toy", "orcid"],
    ...changes,
  };
}

async function identitiesOf(store: Store, { principal }: Person): Promise<string[]> {
  const document = await store.principals.document(principal.uuid, NOW);
  return document?.identities.map(({ provider, id }) => `${provider} ${id}`) ?? [];
}

export const linkingCases: readonly Case[] = [
  [
    "a linked identity opens sessions of the same principal",
    async (store) => {
      const ann = await logIn(store, "ann");
      assert.deepEqual(await store.accounts.link(link(ann)), { kind: "linked" });
      assert.deepEqual(await store.accounts.link(link(ann)), { kind: "already" });
      const again = await logIn(store, "ann", { identity: ORCID, now: at(30) });
      assert.equal(again.principal.uuid, ann.principal.uuid);
      assert.deepEqual(await identitiesOf(store, ann), ["orcid 0000-0001", "toy ann"]);
      assert.deepEqual(await eventsOf(store, ann.principal.uuid), [
        "principal_created",
        "login",
        "identity_linked",
        "login",
      ]);
    },
  ],
  [
    "an identity of another principal is never moved, and the attempt is audited",
    async (store) => {
      const ann = await logIn(store, "ann");
      const other = await logIn(store, "x", { identity: ORCID });
      assert.deepEqual(await store.accounts.link(link(ann)), { kind: "taken" });
      assert.deepEqual(await identitiesOf(store, ann), ["toy ann"]);
      assert.deepEqual(await identitiesOf(store, other), ["orcid 0000-0001"]);
      const rows = await store.audit.read({ limit: 20, events: ["identity_link_refused"] });
      assert.deepEqual(
        rows.map(({ principal, identity, detail }) => [principal, identity, detail["other"]]),
        [[ann.principal.uuid, ORCID, other.principal.uuid]],
      );
    },
  ],
  [
    "two principals link one identity at the same time: only one succeeds",
    async (store) => {
      const people = [await logIn(store, "ann"), await logIn(store, "bob"), await logIn(store, "cara")];
      const outcomes = await Promise.all(people.map((person) => store.accounts.link(link(person))));
      assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ["linked", "taken", "taken"]);
    },
  ],
  [
    "only a session of one's own that is live and young enough may link or unlink",
    async (store) => {
      const ann = await logIn(store, "ann");
      const bob = await logIn(store, "bob");
      await store.accounts.link(link(ann));
      const refused: Partial<LinkIdentity>[] = [
        { since: at(1) },
        { session: bob.session.uuid },
        { now: at(3600) },
      ];
      for (const changes of refused) {
        const identity = { provider: "toy", id: "new" };
        assert.deepEqual(await store.accounts.link(link(ann, { identity, ...changes })), { kind: "stale" });
        assert.deepEqual(await store.accounts.unlink(unlink(ann, changes)), { kind: "stale" });
      }
      assert.deepEqual(await store.accounts.link(link(ann, { since: NOW })), { kind: "already" });
      await store.sessions.revoke({
        session: ann.session.uuid,
        principal: null,
        now: at(5),
        context: ORIGIN,
      });
      assert.deepEqual(await store.accounts.link(link(ann)), { kind: "stale" });
      assert.deepEqual(await store.accounts.unlink(unlink(ann)), { kind: "stale" });
    },
  ],
  [
    "a disabled principal links nothing",
    async (store) => {
      const ann = await logIn(store, "ann");
      await store.principals.setDisabled({
        principal: ann.principal.uuid,
        disabled: true,
        now: NOW,
        context: ORIGIN,
      });
      assert.deepEqual(await store.accounts.link(link(ann)), { kind: "stale" });
    },
  ],
  [
    "the number of identities is limited, also for many at once",
    async (store) => {
      const ann = await logIn(store, "ann");
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          store.accounts.link(link(ann, { limit: 3, identity: { provider: "orcid", id: String(index) } })),
        ),
      );
      assert.equal(outcomes.filter(({ kind }) => kind === "linked").length, 2);
      assert.equal(outcomes.filter(({ kind }) => kind === "limit").length, 4);
    },
  ],
  [
    "an application's code vouches once, whatever comes of it",
    async (store) => {
      const ann = await logIn(store, "ann");
      const code = sha256("code");
      await store.browserLogins.issueCode(code, {
        provider: "orcid",
        browser: sha256("browser"),
        challenge: null,
        identity: { id: ORCID.id },
        expirationTime: at(60),
      });
      assert.deepEqual(await store.accounts.link(link(ann, { code, since: at(5) })), { kind: "stale" });
      assert.deepEqual(await store.accounts.link(link(ann, { code })), { kind: "gone" });
      assert.deepEqual(await identitiesOf(store, ann), ["toy ann"]);
    },
  ],
  [
    "unlinking ends the sessions that the identity opened, and no others",
    async (store) => {
      const ann = await logIn(store, "ann");
      await store.accounts.link(link(ann));
      const byOrcid = await logIn(store, "x", { identity: ORCID, now: at(11) });
      const outcome = await store.accounts.unlink(unlink(ann));
      assert.deepEqual(outcome, { kind: "unlinked", revoked: [byOrcid.session.uuid] });
      assert.equal((await store.sessions.status(ann.session.uuid))?.revoked, false);
      assert.deepEqual(await identitiesOf(store, ann), ["toy ann"]);
      assert.deepEqual((await eventsOf(store, ann.principal.uuid)).slice(-2), [
        "identity_unlinked",
        "session_revoked",
      ]);
      // A login with it now creates a new principal.
      const newcomer = await logIn(store, "x", { identity: ORCID, now: at(30) });
      assert.notEqual(newcomer.principal.uuid, ann.principal.uuid);
    },
  ],
  [
    "the last identity stays, and the last usable one",
    async (store) => {
      const ann = await logIn(store, "ann");
      const own = { provider: "toy", id: "ann" };
      assert.deepEqual(await store.accounts.unlink(unlink(ann, { identity: own })), { kind: "last" });
      await store.accounts.link(link(ann));
      const retired = { providers: ["orcid"] };
      assert.deepEqual(await store.accounts.unlink(unlink(ann, retired)), { kind: "last" });
      assert.equal(
        (await store.accounts.unlink(unlink(ann, { ...retired, identity: own }))).kind,
        "unlinked",
      );
    },
  ],
  [
    "of two identities that are unlinked at the same moment one stays",
    async (store) => {
      const ann = await logIn(store, "ann");
      await store.accounts.link(link(ann));
      const second = await logIn(store, "x", { identity: ORCID, now: at(11) });
      const outcomes = await Promise.all([
        store.accounts.unlink(unlink(ann)),
        store.accounts.unlink(unlink(second, { identity: { provider: "toy", id: "ann" } })),
      ]);
      assert.equal(outcomes.filter(({ kind }) => kind === "unlinked").length, 1);
      assert.equal((await identitiesOf(store, ann)).length, 1);
    },
  ],
  [
    "another's identity cannot be unlinked",
    async (store) => {
      const ann = await logIn(store, "ann");
      const bob = await logIn(store, "bob");
      await store.accounts.link(link(bob));
      assert.deepEqual(await store.accounts.unlink(unlink(ann)), { kind: "unknown" });
      const hostile = { provider: "orcid", id: "' or '1'='1" };
      assert.deepEqual(await store.accounts.unlink(unlink(ann, { identity: hostile })), { kind: "unknown" });
      assert.equal((await identitiesOf(store, bob)).length, 2);
    },
  ],
];
