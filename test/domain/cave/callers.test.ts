/** Who a CAVE token belongs to, from the caches, and when it ends. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Failure, type FailureCode } from "../../../src/errors.ts";
import { LOGIN_TOKEN_MAX_AGE, ORIGIN, type Scene, scene } from "./scene.ts";

const failsWith = (code: FailureCode) => (error: unknown) => error instanceof Failure && error.code === code;
const INVALID = failsWith("invalid_token");

/** An unknown text fails at once, any other when it was looked up. */
async function refused(s: Scene, token: string): Promise<void> {
  await assert.rejects(async () => await s.identify(token), INVALID, token.slice(0, 80));
}

/** From now on each reading of the database fails, as while it restarts. */
function takeAway(t: TestContext, { store }: Scene): void {
  const away = () => Promise.reject(new Failure("store_unavailable"));
  t.mock.method(store.apiKeys, "find", away);
  t.mock.method(store.sessions, "status", away);
  t.mock.method(store.principals, "summary", away);
  t.mock.method(store.cave, "person", away);
  t.mock.method(store.cave, "login", away);
}

test("an API token and a login token belong to their person", async () => {
  await using s = await scene();
  for (const [token, kind] of [
    [await s.newToken(), "api_token"],
    [await s.newLogin(), "login_token"],
  ] as const) {
    assert.match(token, /^[0-9a-f]{32}$/);
    for (const form of [token, token.toUpperCase()]) {
      const caller = await s.identify(form);
      assert.equal(caller.credential.kind, kind);
      assert.equal(caller.principal.uuid, s.ann.principal.uuid);
      assert.equal(caller.person.name, "ann");
    }
  }
});

test("keys with the scope cave that were made elsewhere are accepted, whatever their length", async () => {
  await using s = await scene();
  const request = { expiresIn: null, note: null, accessTags: null };
  for (const scopes of [["cave"], ["inherit", "cave"]]) {
    const { secret } = await s.keys.create(s.ann, s.ann.principal, { ...request, scopes }, s.byAnn);
    assert.equal((await s.identify(secret)).credential.kind, "api_token");
  }
});

test("anything but a live token with the scope cave gets the same refusal", async () => {
  await using s = await scene();
  const request = { expiresIn: null, note: null, accessTags: null };
  const plain = await s.keys.create(s.ann, s.ann.principal, { ...request, scopes: ["inherit"] }, s.byAnn);
  await refused(s, plain.secret);
  const malformed = ["", "0", "xyz", "abcdef0", "0".repeat(514), "é".repeat(32), " ".repeat(32)];
  for (const text of [...malformed, "0".repeat(32), "0".repeat(72), "0".repeat(512)]) await refused(s, text);
  const token = await s.newToken();
  await refused(s, `${token.slice(0, 8)}${"*".repeat(24)}`);
  await refused(s, token.slice(0, 30));
  const short = { ...request, scopes: ["cave"], expiresIn: 60 };
  const { secret } = await s.keys.create(s.ann, s.ann.principal, short, s.byAnn);
  await s.identify(secret);
  s.clock.advance(60);
  await refused(s, secret);
});

test("while nothing changes, a caller is the same object, and is found without waiting", async () => {
  await using s = await scene();
  for (const token of [await s.newToken(), await s.newLogin()]) {
    const caller = await s.identify(token);
    assert.equal(
      s.callers.identify(token, () => ORIGIN),
      caller,
    );
    s.clock.advance(0.6);
    assert.equal(await s.identify(token), caller);
    assert.equal(
      s.callers.identify(token, () => ORIGIN),
      caller,
    );
  }
});

test("an API token that is revoked ends with the next request; on another server within half a second", async () => {
  await using s = await scene();
  const [first, second] = [await s.newToken(), await s.newToken()];
  for (const token of [first, second]) await s.identify(token);
  const id = Number.parseInt(first.slice(0, 8), 16);
  assert.equal(await s.tokens.revoke(s.ann.principal.uuid, id, s.byAnn), true);
  await refused(s, first);
  const elsewhere = { principal: s.ann.principal.uuid, now: s.now(), context: ORIGIN };
  await s.store.apiKeys.revoke({ ...elsewhere, firstEight: second.slice(0, 8) });
  await s.identify(second);
  s.clock.advance(0.5);
  await refused(s, second);
});

test("a login token expires, and ends when it is revoked", async () => {
  await using s = await scene();
  const [first, second] = [await s.newLogin(), await s.newLogin()];
  const caller = await s.identify(first);
  assert.ok(caller.credential.kind === "login_token");
  await s.logins.end(caller.credential.login, await s.by(first));
  await refused(s, first);
  s.clock.advance(LOGIN_TOKEN_MAX_AGE - 1);
  await s.identify(second);
  s.clock.advance(1);
  await refused(s, second);
});

test("login tokens end with their session, API tokens do not", async () => {
  await using s = await scene();
  const [token, login] = [await s.newToken(), await s.newLogin()];
  await s.identify(login);
  const { session } = s.ann;
  await s.store.sessions.revoke({ session, principal: null, now: s.now(), context: ORIGIN });
  s.principalCache.sessionChanged(session, s.ann.principal.uuid);
  await refused(s, login);
  await s.identify(token);
});

test("tokens of a disabled principal are refused at once, and work again once it is enabled", async () => {
  await using s = await scene();
  const tokens = [await s.newToken(), await s.newLogin()];
  for (const token of tokens) await s.identify(token);
  for (const disabled of [true, false]) {
    const { uuid } = s.ann.principal;
    await s.store.principals.setDisabled({ principal: uuid, disabled, now: s.now(), context: ORIGIN });
    s.principalCache.principalChanged(uuid);
    for (const token of tokens) await (disabled ? refused(s, token) : s.identify(token));
  }
});

test("a new name, identity or acceptance holds from the next request on", async () => {
  await using s = await scene();
  const token = await s.newToken();
  await s.identify(token);
  const { uuid } = s.ann.principal;
  await s.logIn("ann", { name: "Ann Other" });
  s.principalCache.principalChanged(uuid);
  assert.equal((await s.identify(token)).person.name, "Ann Other");
  await s.people.acceptTerms(uuid, { id: 4, name: "terms", text: "Be kind." }, s.byAnn);
  assert.deepEqual((await s.identify(token)).person.acceptedTos, [4]);
  const fresh = { principal: uuid, session: s.ann.session, since: s.now(), now: s.now(), context: ORIGIN };
  const identity = { provider: "orcid", id: "0000-0001" };
  await s.store.accounts.link({ ...fresh, identity, limit: 10, code: null });
  s.principalCache.principalChanged(uuid);
  assert.equal((await s.identify(token)).person.identities.length, 2);
});

test("while the database is away, tokens that were used a minute ago go on, others wait", async (t) => {
  await using s = await scene();
  const tokens = [await s.newToken(), await s.newLogin()];
  const unused = await s.newLogin();
  for (const token of tokens) await s.identify(token);
  takeAway(t, s);
  for (const _ of [1, 2, 3]) {
    s.clock.advance(19);
    for (const token of tokens) assert.equal((await s.identify(token)).person.name, "ann");
    for (const token of [unused, "0".repeat(32)])
      await assert.rejects(s.identify(token), failsWith("store_unavailable"));
  }
  s.clock.advance(4);
  for (const token of tokens) await assert.rejects(s.identify(token), failsWith("store_unavailable"));
});

test("a known login token is not looked for among the API keys again", async (t) => {
  await using s = await scene();
  const login = await s.newLogin();
  await s.identify(login);
  const find = t.mock.method(s.store.apiKeys, "find");
  for (const _ of [1, 2, 3]) {
    s.clock.advance(0.6);
    await s.identify(login);
  }
  assert.equal(find.mock.callCount(), 0);
});

test("an unknown token is looked for each time, so one that is made later works at once", async (t) => {
  await using s = await scene();
  const find = t.mock.method(s.store.cave, "login");
  for (const _ of [1, 2]) await refused(s, "0".repeat(32));
  assert.equal(find.mock.callCount(), 2);
});

test("uses of API tokens are recorded, those of login tokens are not", async () => {
  await using s = await scene();
  const [token, login] = [await s.newToken(), await s.newLogin()];
  s.clock.advance(5);
  for (const one of [token, login]) await s.identify(one);
  const [listed] = await s.tokens.list(s.ann.principal.uuid, s.byAnn);
  assert.deepEqual(listed?.lastUsed, s.now());
  await s.activity.flush();
  const uses = await s.store.audit.read({ limit: 10, events: ["api_key_first_used"] });
  assert.deepEqual(
    uses.map(({ actor, detail }) => [actor, detail]),
    [[s.ann.principal.uuid, { first_eight: token.slice(0, 8) }]],
  );
});
