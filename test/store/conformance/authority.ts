import assert from "node:assert/strict";
import type { ActorCredential, RequestContext } from "../../../src/domain/model/entities.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";
import { at, eventsOf, logIn, NOW, newKey, ORIGIN } from "../support.ts";
import type { Case } from "./case.ts";

/** An admin with a session and a key, a principal to act on, and every change that an actor can make. */
async function scene(store: Store) {
  const admin = await logIn(store, "ann", { admin: true });
  await logIn(store, "second", { admin: true });
  const bob = await logIn(store, "bob");
  const actor = admin.principal.uuid;
  const key = newKey(actor, { expirationTime: at(1000) });
  const bobs = newKey(bob.principal.uuid);
  for (const request of [key, bobs]) await store.apiKeys.create(request);
  const by = (credential: ActorCredential): RequestContext => ({ ...ORIGIN, actor, credential });
  const bySession = by({ kind: "session", session: admin.session.uuid });
  const byKey = by({ kind: "api_key", firstEight: key.key.firstEight, digest: key.digest });
  const uuid = bob.principal.uuid;
  const changes = (context: RequestContext, now: Date) => [
    () => store.apiKeys.create(newKey(uuid, {}, { context, now })),
    () => store.apiKeys.revoke({ principal: uuid, firstEight: bobs.key.firstEight, now, context }),
    () => store.cave.replaceToken(newKey(uuid, { scopes: ["cave"] }, { context, now })),
    () => store.cave.revokeToken({ principal: uuid, firstEight: bobs.key.firstEight, now, context }),
    () => store.cave.acceptTerms({ principal: uuid, tos: 1, now, context }),
    () => store.principals.createService({ role: "user", now, context }),
    () => store.principals.setDisabled({ principal: uuid, disabled: true, now, context }),
    () => store.principals.setDisabled({ principal: uuid, disabled: false, now, context }),
    () => store.principals.revokeAdmin({ principal: uuid, now, context }),
    () => store.sessions.revoke({ session: bob.session.uuid, principal: uuid, now, context }),
    () => store.accounts.revokeOthers({ principal: uuid, keep: admin.session.uuid, now, context }),
  ];
  return { admin, actor, bob: uuid, key, by, bySession, byKey, changes };
}

type Scene = Awaited<ReturnType<typeof scene>>;

async function refused(
  store: Store,
  { changes, bob }: Scene,
  context: RequestContext,
  why: string,
  now = NOW,
): Promise<void> {
  const [before, events] = [await store.principals.document(bob, NOW), await eventsOf(store, bob)];
  const all = await store.principals.list({ offset: 0, limit: 100 }, NOW);
  for (const change of changes(context, now))
    assert.deepEqual(await change(), { kind: "credential_revoked", why });
  assert.deepEqual(await store.principals.document(bob, NOW), before);
  assert.deepEqual(await eventsOf(store, bob), events);
  assert.equal((await store.principals.list({ offset: 0, limit: 100 }, NOW)).length, all.length);
}

export const authorityCases: readonly Case[] = [
  [
    "an actor with the right makes the change, by a session, a key or a token without a session",
    async (store) => {
      const made = await scene(store);
      for (const context of [made.bySession, made.byKey, made.by({ kind: "token" })]) {
        for (const change of made.changes(context, NOW))
          assert.notEqual((await change()).kind, "credential_revoked");
      }
    },
  ],
  [
    "an actor who was disabled after the request was admitted changes nothing",
    async (store) => {
      const made = await scene(store);
      await store.principals.setDisabled({
        principal: made.actor,
        disabled: true,
        now: NOW,
        context: ORIGIN,
      });
      for (const context of [made.bySession, made.byKey, made.by({ kind: "token" })])
        await refused(store, made, context, "principal");
    },
  ],
  [
    "an actor whose session or key was revoked after the request was admitted changes nothing",
    async (store) => {
      const made = await scene(store);
      await store.sessions.revoke({
        session: made.admin.session.uuid,
        principal: null,
        now: NOW,
        context: ORIGIN,
      });
      await refused(store, made, made.bySession, "credential");
      const { session } = made.admin;
      await refused(store, made, made.by({ kind: "browser", session: session.uuid }), "credential");
      await store.apiKeys.revoke({
        principal: made.actor,
        firstEight: made.key.key.firstEight,
        now: NOW,
        context: ORIGIN,
      });
      await refused(store, made, made.byKey, "credential");
    },
  ],
  [
    "an actor whose session or key has expired, or belongs to another principal, changes nothing",
    async (store) => {
      const made = await scene(store);
      await refused(store, made, made.bySession, "credential", at(3600));
      await refused(store, made, made.byKey, "credential", at(1000));
      const bobs: Uuid = made.bob;
      await refused(store, made, { ...made.bySession, actor: bobs }, "credential");
      await refused(store, made, { ...made.byKey, actor: bobs }, "credential");
    },
  ],
];
