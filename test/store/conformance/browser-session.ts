import assert from "node:assert/strict";
import { sha256 } from "../../../src/lib/secrets.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import { at, eventsOf, logIn, login, NOW, ORIGIN, opened } from "../support.ts";
import type { Case } from "./case.ts";

const TOKEN = sha256("a token");
const OTHER = sha256("another token");

export const browserSessionCases: readonly Case[] = [
  [
    "a browser's token leads to its session, its principal and the time of the login",
    async (store) => {
      const { outcome, replaced } = await store.browserSessions.open(TOKEN, login("ann"), null);
      const { session, principal } = opened(outcome);
      assert.equal(replaced, null);
      assert.deepEqual(await store.browserSessions.find(TOKEN), {
        session: session.uuid,
        principal: principal.uuid,
        identity: { provider: "toy", id: "ann" },
        startedAt: NOW,
        lastUsed: NOW,
      });
      assert.equal(await store.browserSessions.find(OTHER), undefined);
      const document = await store.principals.document(principal.uuid, NOW);
      assert.deepEqual(
        document?.sessions.map(({ uuid }) => uuid),
        [session.uuid],
      );
    },
  ],
  [
    "browsers that are looked for at the same moment are not mixed up",
    async (store) => {
      const names = ["ann", "bob", "cara", "dan", "eve", "fay"];
      for (const name of names)
        opened((await store.browserSessions.open(sha256(name), login(name), null)).outcome);
      const found = await Promise.all(
        names.flatMap((name) => [
          store.browserSessions.find(sha256(name)),
          store.browserSessions.find(sha256(`not ${name}`)),
        ]),
      );
      assert.deepEqual(
        found.map((binding) => binding?.identity.id),
        names.flatMap((name) => [name, undefined]),
      );
    },
  ],
  [
    "a new login of a browser ends its session before, in one step",
    async (store) => {
      const first = opened((await store.browserSessions.open(TOKEN, login("ann"), null)).outcome);
      const again = await store.browserSessions.open(OTHER, login("bob", { now: at(5) }), TOKEN);
      assert.deepEqual(again.replaced, {
        session: first.session.uuid,
        principal: first.principal.uuid,
      });
      assert.equal((await store.sessions.status(first.session.uuid))?.revoked, true);
      assert.equal((await store.sessions.status(opened(again.outcome).session.uuid))?.revoked, false);
      assert.deepEqual(await eventsOf(store, first.principal.uuid), [
        "principal_created",
        "login",
        "session_revoked",
      ]);
      const third = await store.browserSessions.open(sha256("third"), login("bob", { now: at(6) }), TOKEN);
      assert.equal(third.replaced, null, "it has ended already");
    },
  ],
  [
    "a refused login keeps the browser's session",
    async (store) => {
      const first = opened((await store.browserSessions.open(TOKEN, login("ann"), null)).outcome);
      const refused = await store.browserSessions.open(OTHER, login("bob", { limit: 0 }), TOKEN);
      assert.deepEqual(refused, { outcome: { kind: "limit", principal: null }, replaced: null });
      assert.equal((await store.sessions.status(first.session.uuid))?.revoked, false);
      assert.equal(await store.browserSessions.find(OTHER), undefined);
    },
  ],
  [
    "the replaced session does not count against the limit, another principal's does",
    async (store) => {
      const limited = (id: string) => login(id, { limit: 1 });
      opened((await store.browserSessions.open(TOKEN, limited("ann"), null)).outcome);
      opened((await store.browserSessions.open(OTHER, limited("ann"), TOKEN)).outcome);
      await logIn(store, "bob");
      const bob = await store.browserSessions.open(sha256("third"), limited("bob"), OTHER);
      assert.equal(bob.outcome.kind, "limit");
      const without = await store.browserSessions.open(sha256("third"), limited("ann"), null);
      assert.equal(without.outcome.kind, "limit");
      const forged = await store.browserSessions.open(sha256("third"), limited("ann"), sha256("unknown"));
      assert.equal(forged.outcome.kind, "limit");
    },
  ],
  [
    "browsers that log in again at the same moment do not get past the limit",
    async (store) => {
      opened((await store.browserSessions.open(TOKEN, login("ann", { limit: 1 }), null)).outcome);
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          store.browserSessions.open(sha256(`token ${index}`), login("ann", { limit: 1 }), TOKEN),
        ),
      );
      assert.equal(outcomes.filter(({ outcome }) => outcome.kind === "opened").length, 1);
    },
  ],
  [
    "a use moves the time of the last one forwards only",
    async (store) => {
      const { session, principal } = opened(
        (await store.browserSessions.open(TOKEN, login("ann"), null)).outcome,
      );
      await store.browserSessions.touch(session.uuid, at(60));
      await store.browserSessions.touch(session.uuid, at(30));
      assert.deepEqual((await store.browserSessions.find(TOKEN))?.lastUsed, at(60));
      assert.deepEqual((await store.principals.document(principal.uuid, NOW))?.latestActivity, at(60));
      await store.browserSessions.touch(newUuid(), at(90));
    },
  ],
  [
    "the binding goes with the session",
    async (store) => {
      await store.browserSessions.open(TOKEN, login("ann", { expirationTime: at(10) }), null);
      await store.maintenance.purge({ now: at(11), batch: 10, auditBefore: null });
      assert.equal(await store.browserSessions.find(TOKEN), undefined);
    },
  ],
  [
    "a token that is not one of our digests finds and changes nothing",
    async (store) => {
      await store.browserSessions.open(TOKEN, login("ann"), null);
      for (const text of ["", "' or '1'='1", "%", "\u{1F511}"]) {
        assert.equal(await store.browserSessions.find(text as never), undefined, text);
      }
    },
  ],
  [
    "programs and addresses of any length and spelling are kept, shortened",
    async (store) => {
      const userAgent = `<script>'"\u00e9${"x".repeat(400)}`;
      const { principal } = await logIn(store, "ann", { context: { ...ORIGIN, userAgent } });
      const [session] = await store.accounts.sessions(principal.uuid, NOW);
      assert.equal(session?.userAgent, userAgent.slice(0, 255));
      assert.equal(session?.address, ORIGIN.address);
    },
  ],
];
