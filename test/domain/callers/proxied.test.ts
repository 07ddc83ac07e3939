/** What a provider's access token makes of a caller here; which tokens pass is the authenticator's to say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Callers, Credential } from "../../../src/domain/callers/callers.ts";
import { PrincipalCache } from "../../../src/domain/callers/principal-cache.ts";
import { ProxiedCallers } from "../../../src/domain/callers/proxied.ts";
import { standingOf } from "../../../src/domain/callers/standing.ts";
import type { ProxiedAuthenticator, ProxiedIdentity } from "../../../src/domain/ports/authenticator.ts";
import { Tokens } from "../../../src/domain/tokens/tokens.ts";
import { Failure } from "../../../src/errors.ts";
import { Secret } from "../../../src/lib/secrets.ts";
import { newUuid } from "../../../src/lib/uuid.ts";
import { memoryStore } from "../../support/app.ts";
import { UNTOLD } from "../../support/changes.ts";
import { ManualClock } from "../../support/clock.ts";

const ORIGIN = { address: null, requestId: null, actor: null };
const NOTED = { noted: true };
const ADA = { provider: "lab", id: "ada" };

async function scene(namesAddresses = false) {
  const clock = new ManualClock();
  const store = await memoryStore(clock);
  const principalCache = new PrincipalCache({ ...store, changes: UNTOLD }, clock);
  const asked: Credential[] = [];
  const own: Callers = {
    identify: (credential) => {
      asked.push(credential);
      return { kind: "anonymous", scopes: new Set() };
    },
  };
  const verified = new Map<string, ProxiedIdentity>();
  const authenticator: Pick<ProxiedAuthenticator, "verify"> = {
    verify: (token) => verified.get(token) ?? assert.fail(`the provider was asked about ${token}`),
  };
  const callers = new ProxiedCallers({
    own,
    provider: ADA.provider,
    authenticator: authenticator as ProxiedAuthenticator,
    principals: store.principals,
    principalCache,
    clock,
    caseSensitive: !namesAddresses,
    namesAddresses,
  });
  const arrive = (id: string, scopes: readonly string[] = []) => {
    verified.set(id, { id, scopes, expires: clock.now() / 1000 + 300 });
  };
  const identify = async (token: string) => {
    const caller = await callers.identify({ kind: "bearer", token }, () => ORIGIN, NOTED);
    assert.ok(caller.kind === "token");
    return caller;
  };
  const close = async () => store.close();
  return { clock, store, principalCache, asked, callers, arrive, identify, [Symbol.asyncDispose]: close };
}

test("keys, our own tokens and no credential at all are ours to judge: the provider never sees them", async () => {
  await using s = await scene();
  const lifetimes = { accessToken: 900, refreshToken: 1800, session: 3600 };
  const tokens = new Tokens([new Secret("a key for tests only, never for real ones")], lifetimes, s.clock);
  const person = await s.store.principals.ensureUser({
    identity: ADA,
    now: new Date(s.clock.now()),
    context: ORIGIN,
  });
  const expirationTime = new Date(s.clock.now() + 3_600_000);
  const session = { uuid: newUuid(), principal: person.uuid, revoked: false, expirationTime, state: {} };
  const { access_token: token } = await tokens.issue(person, session, 0);
  const credentials: Credential[] = [
    { kind: "none" },
    { kind: "api_key", secret: "ab".repeat(36) },
    { kind: "bearer", token },
    { kind: "bearer", token: `${token.slice(0, -4)}AAAA` },
  ];
  for (const credential of credentials) await s.callers.identify(credential, () => ORIGIN, NOTED);
  assert.deepEqual(s.asked, credentials);
});

test("a caller is their token's identity and no other of their principal's, with the scopes of both, without a session", async () => {
  await using s = await scene();
  const now = new Date(s.clock.now());
  const { uuid } = await s.store.principals.ensureUser({ identity: ADA, now, context: ORIGIN });
  const opened = await s.store.sessions.open({
    identity: ADA,
    now,
    expirationTime: new Date(s.clock.now() + 3_600_000),
    state: {},
    admin: false,
    limit: 10,
    context: ORIGIN,
  });
  assert.ok(opened.kind === "opened");
  const second = { provider: "lab", id: "countess" };
  const change = { principal: uuid, session: opened.session.uuid, since: now, now, context: ORIGIN };
  await s.store.accounts.link({ ...change, identity: second, limit: 10, code: null });
  s.arrive("ada", ["metrics"]);
  s.arrive("countess");
  const ada = await s.identify("ada");
  assert.deepEqual([ada.identities, ada.session], [[ADA], null]);
  assert.ok(ada.scopes.has("metrics") && ada.scopes.has("read:data"));
  const countess = await s.identify("countess");
  assert.deepEqual([countess.identities, countess.principal.uuid], [[second], uuid]);
  assert.ok(!countess.scopes.has("metrics"), "another token's scope");
});

test("the caller is made once for as long as token and principal stay the same", async () => {
  await using s = await scene();
  s.arrive("ada");
  await s.identify("ada");
  const first = await s.identify("ada");
  assert.equal(await s.identify("ada"), first);
  s.principalCache.principalChanged(first.principal.uuid);
  const changed = await s.identify("ada");
  assert.notEqual(changed, first);
  assert.equal(changed.principal.uuid, first.principal.uuid);
});

test("whose principal is gone is a new person, not an error", async (t) => {
  await using s = await scene();
  s.arrive("ada");
  const { uuid } = (await s.identify("ada")).principal;
  const heir = await s.store.principals.ensureUser({
    identity: { provider: "lab", id: "heir" },
    now: new Date(0),
    context: ORIGIN,
  });
  t.mock.method(s.store.principals, "summary", async () => undefined);
  t.mock.method(s.store.principals, "summaryOfIdentity", async () => heir);
  s.principalCache.principalChanged(uuid);
  assert.equal((await s.identify("ada")).principal.uuid, heir.uuid);
});

test("a token whose identity no database can store is refused without a query", async (t) => {
  await using s = await scene();
  t.mock.method(s.store.principals, "summaryOfIdentity", () => assert.fail("asked for the identity"));
  t.mock.method(s.store.principals, "ensureUser", () => assert.fail("made the person"));
  for (const id of ["", "u".repeat(256), "a\0", "\ud800"]) {
    s.arrive(id);
    await assert.rejects(
      s.identify(id),
      (error) => error instanceof Failure && error.code === "invalid_token",
    );
  }
});

test("a caller by a provider's token ends with it", async () => {
  await using s = await scene();
  s.arrive("ada");
  const caller = await s.identify("ada");
  const { endOf } = standingOf(s.principalCache, s.clock);
  assert.equal(endOf(caller), s.clock.now() + 300_000);
  const { expires: _without, ...login } = caller;
  assert.equal(endOf({ ...login, session: newUuid() }), null);
});

test("a token's address is the account that is known in another case, and stays so", async () => {
  await using s = await scene(true);
  const stored = { provider: ADA.provider, id: "Ada@Lab.org" };
  const known = await s.store.principals.ensureUser({
    identity: stored,
    now: new Date(s.clock.now()),
    context: ORIGIN,
  });
  s.arrive("ada@lab.org");
  for (const _ of [1, 2]) {
    const caller = await s.identify("ada@lab.org");
    assert.equal(caller.principal.uuid, known.uuid);
    assert.deepEqual(caller.identities, [stored]);
    s.principalCache.principalChanged(known.uuid);
    s.clock.advance(1);
  }
});
