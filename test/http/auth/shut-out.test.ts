/** Shut out after a request was let in, and before what it asks for is written: the change is not made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestContext } from "../../../src/domain/model/entities.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";
import { apikey, bearer, memoryStore, type TestApp, testApp } from "../../support/app.ts";
import { ManualClock } from "../../support/clock.ts";
import { logIn } from "../../support/person.ts";

const OPERATOR: RequestContext = { address: null, requestId: null, actor: null };
const WRITES = new Set(["create", "revoke", "createService", "setDisabled", "revokeOthers"]);

/** A store in which something happens once, right before the next write that a request asks for. */
function interleaved(store: Store) {
  const between: { happens: ((store: Store) => Promise<unknown>) | null } = { happens: null };
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function")
          return typeof value === "object" && value !== null ? wrap(value) : value;
        if (!WRITES.has(String(name))) return value.bind(target);
        return async (...args: unknown[]) => {
          const { happens } = between;
          between.happens = null;
          await happens?.(store);
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  return { store: wrap(store), between };
}

const dashed = (hex: string) => hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") as Uuid;

async function scene() {
  const clock = new ManualClock();
  const { store, between } = interleaved(await memoryStore(clock));
  const t = await testApp({ store, clock });
  const [alice, bob] = [await t.login("alice"), await t.login("bob")];
  const uuid = (tokens: typeof alice) => dashed(tokens.principal);
  return { t, clock, between, alice, bob, uuid };
}

const key = {
  method: "POST",
  url: "/api/v1/auth/apikey",
  payload: { expires_in: null, scopes: null },
} as const;

async function keysOf(t: TestApp, token: string): Promise<number> {
  return (await t.whoami(`Bearer ${token}`)).json<{ api_keys: unknown[] }>().api_keys.length;
}

test("disabled in between: 401, and no key", async () => {
  const { t, clock, between, bob, uuid } = await scene();
  await using _ = t;
  const disable = (who: Uuid) => (store: Store) =>
    store.principals.setDisabled({
      principal: who,
      disabled: true,
      now: new Date(clock.now()),
      context: OPERATOR,
    });
  between.happens = disable(uuid(bob));
  const refused = await t.call({ ...key, headers: bearer(bob.access_token) });
  assert.deepEqual([refused.statusCode, refused.json()], [401, { detail: "Principal no longer exists." }]);
  await t.store?.principals.setDisabled({
    principal: uuid(bob),
    disabled: false,
    now: new Date(clock.now()),
    context: OPERATOR,
  });
  clock.advance(1);
  assert.equal(await keysOf(t, bob.access_token), 0);
});

test("the session ends in between: 401, and no key", async () => {
  const { t, clock, between, bob } = await scene();
  await using _ = t;
  const session = (await t.whoami(`Bearer ${bob.access_token}`)).json<{ sessions: { uuid: Uuid }[] }>()
    .sessions[0]?.uuid;
  assert.ok(session);
  between.happens = (store) =>
    store.sessions.revoke({ session, principal: null, now: new Date(clock.now()), context: OPERATOR });
  const refused = await t.call({ ...key, headers: bearer(bob.access_token) });
  assert.deepEqual([refused.statusCode, refused.json()], [401, { detail: "Could not validate credentials" }]);
  const again = await t.login("bob");
  assert.equal(await keysOf(t, again.access_token), 0);
});

test("the key is revoked in between: 401, and its change is not made", async () => {
  const { t, clock, between, alice, bob, uuid } = await scene();
  await using _ = t;
  const secret = await t.makeKey(alice.access_token);
  const revoke = (store: Store) =>
    store.apiKeys.revoke({
      principal: uuid(alice),
      firstEight: secret.slice(0, 8),
      now: new Date(clock.now()),
      context: OPERATOR,
    });
  between.happens = revoke;
  const refused = await t.call({
    method: "POST",
    url: `/api/v1/auth/principal/${uuid(bob)}/disable`,
    headers: apikey(secret),
  });
  assert.deepEqual([refused.statusCode, refused.json()], [401, { detail: "Invalid API key" }]);
  assert.equal((await t.whoami(`Bearer ${bob.access_token}`)).statusCode, 200);
});

test("the browser's session ends in between: no key, and a new login is needed", async () => {
  const { t, clock, between } = await scene();
  await using _ = t;
  const browser = await logIn(t, "cara");
  const page = await browser.open("/account");
  between.happens = async (store) => {
    const { principal } = await t.login("cara");
    const uuid = dashed(principal);
    for (const session of (await store.principals.document(uuid, new Date(clock.now())))?.sessions ?? [])
      await store.sessions.revoke({
        session: session.uuid,
        principal: null,
        now: new Date(clock.now()),
        context: OPERATOR,
      });
  };
  const refused = await browser.submit(page, { inherit: "on" }, {}, 'action="/account/keys"');
  assert.equal(refused.statusCode, 303, refused.body);
  assert.match(String(refused.headers.location), /\/login\b/);
  const again = await t.login("cara");
  assert.equal(await keysOf(t, again.access_token), 0);
});
