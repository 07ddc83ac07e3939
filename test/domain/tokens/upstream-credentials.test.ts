import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "../../../src/domain/model/caller.ts";
import type { IdentityRef, PrincipalSummary } from "../../../src/domain/model/entities.ts";
import { Tokens } from "../../../src/domain/tokens/tokens.ts";
import {
  hasFullPower,
  tokenWidens,
  UpstreamCredentialIssuer,
} from "../../../src/domain/tokens/upstream-credentials.ts";
import { Secret, sha256 } from "../../../src/lib/secrets.ts";
import { newUuid, uuidHex } from "../../../src/lib/uuid.ts";
import { ManualClock } from "../../support/clock.ts";

const ALICE = { provider: "toy", id: "alice" };
const ALICE_TOO = { provider: "orcid", id: "0000-1" };

function scene(identityOf: () => Promise<IdentityRef | undefined> = async () => undefined) {
  const clock = new ManualClock();
  const lifetimes = { accessToken: 900, refreshToken: 900, session: 900 };
  const tokens = new Tokens([new Secret("k".repeat(32))], lifetimes, clock);
  return { clock, tokens, issuer: new UpstreamCredentialIssuer({ tokens, clock, identityOf }) };
}

function principal(fields: Partial<PrincipalSummary> = {}): PrincipalSummary {
  return {
    uuid: newUuid(),
    type: "user",
    disabled: false,
    identities: [ALICE],
    scopes: ["read:data", "read:metadata"],
    ...fields,
  };
}

function login(who: PrincipalSummary, scopes: readonly string[] = who.scopes): Caller {
  return {
    kind: "token",
    scopes: new Set(scopes),
    principal: who,
    identities: who.identities,
    session: newUuid(),
  };
}

function key(who: PrincipalSummary, fields: object = {}, scopes = ["read:data"]): Caller {
  const record = {
    firstEight: "01234567",
    expirationTime: null,
    note: null,
    scopes,
    accessTags: null,
    latestActivity: null,
    digest: sha256("x"),
    principal: who.uuid,
    ...fields,
  };
  return { kind: "api_key", scopes: new Set(scopes), principal: who, key: record };
}

function claims(token: string | null): Record<string, unknown> {
  return JSON.parse(Buffer.from(token?.split(".")[1] ?? "", "base64url").toString());
}

test("a caller gets a token of a minute with all that a Tiled needs to know", async () => {
  const { clock, issuer } = scene();
  const who = principal();
  const { token, ...names } = await issuer.issue(login(who, ["read:metadata"]));
  const { jti, ...rest } = claims(token);
  assert.match(String(jti), /^[0-9a-f]{32}$/);
  assert.deepEqual(rest, {
    sub: uuidHex(who.uuid),
    sub_typ: "user",
    scp: ["read:metadata"],
    state: {},
    ids: [{ id: "alice", idp: "toy" }],
    exp: clock.now() / 1000 + 60,
    type: "access",
    use: "upstream",
  });
  assert.deepEqual(names, { principal: who.uuid, identity: "toy:alice", scopes: "read:metadata" });
});

test("the token is no credential here, so that a narrow key does not become a login", async () => {
  const { tokens, issuer } = scene();
  const { token } = await issuer.issue(key(principal(), {}, ["create:apikeys"]));
  assert.throws(() => tokens.verifyAccess(token ?? ""), { code: "invalid_token" });
});

test("it is made once for the same caller, and again before it ends", async () => {
  const { clock, issuer } = scene();
  const who = principal();
  const caller = login(who);
  const { token } = await issuer.issue(caller);
  clock.advance(49);
  assert.equal((await issuer.issue(caller)).token, token);
  clock.advance(1);
  const next = (await issuer.issue(caller)).token;
  assert.notEqual(next, token);
  assert.equal(claims(next)["exp"], clock.now() / 1000 + 60);
});

test("a change of powers or identities shows at once", async () => {
  const { issuer } = scene();
  const who = principal();
  const before = await issuer.issue(login(who));
  const fewer = await issuer.issue(login({ ...who, scopes: [] }));
  assert.deepEqual([before.scopes, fewer.scopes], ["read:data read:metadata", ""]);
  const renamed = await issuer.issue(login({ ...who, identities: [ALICE_TOO] }));
  assert.deepEqual(claims(renamed.token)["ids"], [{ id: "0000-1", idp: "orcid" }]);
});

test("a key's token outlives it by less than a second", async () => {
  const { clock, issuer } = scene();
  const caller = key(principal(), { expirationTime: new Date(clock.now() + 10_500) });

  test("a token that stands for a provider's own does not outlive that", async () => {
    const { clock, issuer } = scene();
    const own: Caller = { ...login(principal()), session: null, expires: clock.now() / 1000 + 10 } as Caller;
    assert.equal(claims((await issuer.issue(own)).token)["exp"], clock.now() / 1000 + 10);
  });
  assert.equal(claims((await issuer.issue(caller)).token)["exp"], clock.now() / 1000 + 11);
});

test("an expired token is not reused: two short keys of one person, one after the other", async () => {
  const { clock, issuer } = scene();
  const who = principal();
  const short = () => key(who, { expirationTime: new Date(clock.now() + 10_000) });
  const first = short();
  const end = async (caller: Caller) =>
    Number(claims((await issuer.issue(caller)).token)["exp"]) - clock.now() / 1000;
  assert.equal(await end(first), 10);
  clock.advance(9);
  assert.equal(await end(first), 1);
  assert.equal(await end(short()), 10);
  clock.advance(20);
  assert.equal(await end(short()), 10);
});

test("a key that is narrowed to access tags gets no token, not even for an empty list", async () => {
  const { issuer } = scene();
  for (const accessTags of [["chem"], []]) {
    const caller = key(principal(), { accessTags });
    assert.ok(tokenWidens(caller));
    const { token, identity } = await issuer.issue(caller);
    assert.deepEqual([token, identity], [null, "toy:alice"]);
  }
  // An equal key without tags is another caller.
  const who = principal();
  await issuer.issue(key(who, { accessTags: ["chem"] }));
  assert.notEqual((await issuer.issue(key(who))).token, null);
});

test("anonymous callers have no token; the single user has one without a name", async () => {
  const { issuer } = scene();
  const scopes = new Set(["read:metadata"]);
  assert.deepEqual(await issuer.issue({ kind: "anonymous", scopes }), {
    token: null,
    principal: "",
    identity: "",
    scopes: "read:metadata",
  });
  const { token, principal: named } = await issuer.issue({ kind: "single_user", scopes });
  assert.equal(named, "");
  assert.deepEqual(
    [claims(token)["sub"], claims(token)["sub_typ"], claims(token)["ids"]],
    ["0".repeat(32), "user", []],
  );
});

test("of several identities the one that logged in is named, each login by its own", async () => {
  const identities = [ALICE, ALICE_TOO];
  const who = principal({ identities });
  const answers = [ALICE_TOO, ALICE];
  const { issuer } = scene(async () => answers.shift());
  assert.equal((await issuer.issue(login(who))).identity, "orcid:0000-1");
  assert.equal((await issuer.issue(login(who))).identity, "toy:alice");
  // Not known upstream yet: the first.
  assert.equal((await issuer.issue(login(who))).identity, "toy:alice");
  const browser: Caller = {
    kind: "browser",
    scopes: new Set(),
    principal: who,
    session: newUuid(),
    identity: ALICE_TOO,
    startedAt: new Date(0),
  };
  assert.equal((await issuer.issue(browser)).identity, "orcid:0000-1");
});

test("a failed look-up is retried", async () => {
  let away = true;
  const { issuer } = scene(async () => {
    if (away) throw new Error("away");
    return ALICE_TOO;
  });
  const caller = login(principal({ identities: [ALICE, ALICE_TOO] }));
  await assert.rejects(async () => issuer.issue(caller), /away/);
  away = false;
  assert.equal((await issuer.issue(caller)).identity, "orcid:0000-1");
});

test("full access is a login, or a key with all scopes of its principal; a principal without scopes has none", () => {
  const who = principal();
  const nobody = principal({ scopes: [] });
  const cases: readonly [Caller, boolean][] = [
    [login(who), true],
    [key(who, {}, ["read:data", "read:metadata"]), true],
    [key(who, {}, ["read:data"]), false],
    [key(who, {}, []), false],
    [login(nobody), false],
    [key(nobody, {}, []), false],
    [{ kind: "anonymous", scopes: new Set(["read:data"]) }, false],
    [{ kind: "single_user", scopes: new Set() }, true],
  ];
  for (const [caller, full] of cases) assert.equal(hasFullPower(caller), full, JSON.stringify(caller));
});

test("without a key to sign with there are names only", async () => {
  const { clock } = scene();
  const issuer = new UpstreamCredentialIssuer({ tokens: null, clock, identityOf: async () => undefined });
  const { token, identity } = await issuer.issue(login(principal()));
  assert.deepEqual([token, identity], [null, "toy:alice"]);
});
