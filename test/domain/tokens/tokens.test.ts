import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { Tokens } from "../../../src/domain/tokens/tokens.ts";
import type { Failure } from "../../../src/errors.ts";
import { Secret } from "../../../src/lib/secrets.ts";
import { newUuid, uuidHex } from "../../../src/lib/uuid.ts";
import { ManualClock } from "../../support/clock.ts";

const LIFETIMES = { accessToken: 900, refreshToken: 604_800, session: 31_536_000 };
const KEY = "the first key, long enough to sign with";

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT made by hand, so that it can be wrong in any way. */
function forge(
  claims: object,
  key = KEY,
  header: object = { alg: "HS256", typ: "JWT" },
  hash = "sha256",
): string {
  const body = `${base64url(header)}.${base64url(claims)}`;
  return `${body}.${createHmac(hash, key).update(body).digest("base64url")}`;
}

async function setUp(keys: readonly string[] = [KEY]) {
  const clock = new ManualClock();
  const tokens = new Tokens(
    keys.map((key) => new Secret(key)),
    LIFETIMES,
    clock,
  );
  const now = clock.now() / 1000;
  const uuid = newUuid();
  const access = {
    sub: uuidHex(uuid),
    sub_typ: "user",
    scp: ["read:data"],
    state: {},
    ids: [{ id: "alice", idp: "toy" }],
    exp: now + 900,
    type: "access",
  };
  const refresh = { type: "refresh", sid: uuidHex(newUuid()), exp: now + 1000 };
  return { clock, tokens, now, uuid, access, refresh };
}

const code = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    return (error as Failure).code;
  }
  return "accepted";
};

test("an issued pair is read back, with all claims that the reference's clients and servers need", async () => {
  const { clock, tokens, uuid, now } = await setUp();
  const session = {
    uuid: newUuid(),
    principal: uuid,
    expirationTime: new Date(clock.now() + 1e9),
    revoked: false,
    state: {},
  };
  const principal = {
    uuid,
    type: "user" as const,
    disabled: false,
    identities: [{ provider: "toy", id: "alice" }],
    scopes: ["read:data"],
  };
  const pair = await tokens.issue(principal, session, 3);
  assert.deepEqual(
    [pair.token_type, pair.expires_in, pair.refresh_token_expires_in],
    ["bearer", 900, 604_800],
  );
  const payload = JSON.parse(
    Buffer.from(pair.access_token.split(".")[1] ?? "", "base64url").toString(),
  ) as Record<string, unknown>;
  assert.deepEqual(Object.keys(payload).sort(), [
    "exp",
    "ids",
    "jti",
    "scp",
    "sid",
    "state",
    "sub",
    "sub_typ",
    "type",
  ]);
  assert.deepEqual(payload["ids"], [{ id: "alice", idp: "toy" }]);
  const claims = await tokens.verifyAccess(pair.access_token);
  assert.deepEqual([claims.principal, claims.session, claims.expires], [uuid, session.uuid, now + 900]);
  const refresh = await tokens.verifyRefresh(pair.refresh_token, { acceptExpired: false });
  assert.deepEqual([refresh.session, refresh.generation], [session.uuid, 3]);
});

test("no token outlives its session", async () => {
  const { clock, tokens, uuid } = await setUp();
  const session = {
    uuid: newUuid(),
    principal: uuid,
    expirationTime: new Date(clock.now() + 60_000),
    revoked: false,
    state: {},
  };
  const pair = await tokens.issue(
    { uuid, type: "user", disabled: false, identities: [], scopes: [] },
    session,
    0,
  );
  assert.deepEqual([pair.expires_in, pair.refresh_token_expires_in], [60, 60]);
});

test("every key verifies, an unknown one does not", async () => {
  const { tokens, access } = await setUp(["new key", KEY]);
  assert.equal(await code(() => tokens.verifyAccess(forge(access))), "accepted");
  assert.equal(await code(() => tokens.verifyAccess(forge(access, "new key"))), "accepted");
  assert.equal(await code(() => tokens.verifyAccess(forge(access, "old key"))), "invalid_token");
});

test("an access token is refused for each thing that can be wrong with it", async () => {
  const { tokens, access, now } = await setUp();
  const good = forge(access);
  const without = (claim: string) =>
    Object.fromEntries(Object.entries(access).filter(([name]) => name !== claim));
  const bad: Record<string, string> = {
    garbage: "garbage",
    empty: "..",
    "signature stripped": `${good.split(".").slice(0, 2).join(".")}.`,
    "claims swapped": [
      good.split(".")[0],
      base64url({ ...access, scp: ["admin:apikeys"] }),
      good.split(".")[2],
    ].join("."),
    "alg none": `${base64url({ alg: "none", typ: "JWT" })}.${base64url(access)}.`,
    "alg none, signed": forge(access, KEY, { alg: "none" }),
    HS512: forge(access, KEY, { alg: "HS512" }, "sha512"),
    "HS256 in the header, signed with SHA-512": forge(access, KEY, { alg: "HS256" }, "sha512"),
    "unknown crit": forge(access, KEY, { alg: "HS256", crit: ["x"], x: 1 }),
    "an audience": forge({ ...access, aud: "elsewhere" }),
    "nbf to come": forge({ ...access, nbf: now + 60 }),
    "exp a text": forge({ ...access, exp: "9999999999" }),
    "another type": forge({ ...access, type: "refresh" }),
    "sub not a uuid": forge({ ...access, sub: "alice" }),
    "sub_typ unknown": forge({ ...access, sub_typ: "robot" }),
    "scp a text": forge({ ...access, scp: "read:data" }),
    "scp of numbers": forge({ ...access, scp: [1] }),
    "ids of texts": forge({ ...access, ids: ["alice"] }),
    "sid not a uuid": forge({ ...access, sid: "x" }),
    ...Object.fromEntries(
      ["sub", "sub_typ", "scp", "ids", "exp", "type"].map((claim) => [
        `without ${claim}`,
        forge(without(claim)),
      ]),
    ),
  };
  for (const [name, token] of Object.entries(bad)) {
    assert.equal(await code(() => tokens.verifyAccess(token)), "invalid_token", name);
  }
  assert.equal(await code(() => tokens.verifyAccess(good)), "accepted");
});

test("a token that was good is refused from the second it expires, also when it is remembered", async () => {
  const { clock, tokens, access } = await setUp();
  const token = forge(access);
  await tokens.verifyAccess(token);
  clock.advance(899);
  assert.equal(await code(() => tokens.verifyAccess(token)), "accepted");
  clock.advance(1);
  assert.equal(await code(() => tokens.verifyAccess(token)), "expired_token");
  assert.equal(await code(() => tokens.verifyAccess(token)), "expired_token");
});

test("a refresh token is not an access token, and the other way round", async () => {
  const { tokens, access, refresh } = await setUp();
  assert.equal(await code(() => tokens.verifyAccess(forge(refresh))), "invalid_token");
  assert.equal(
    await code(() => tokens.verifyRefresh(forge(access), { acceptExpired: false })),
    "invalid_token",
  );
});

test("a refresh token's claims are checked; one without gen and jti is known by its digest", async () => {
  const { clock, tokens, refresh } = await setUp();
  const read = (claims: object) => tokens.verifyRefresh(forge(claims), { acceptExpired: false });
  const plain = await read(refresh);
  assert.equal(plain.generation, null);
  assert.match(plain.tokenId, /^[0-9a-f]{64}$/);
  for (const odd of [
    { sid: "x" },
    { sid: null },
    { gen: -1 },
    { gen: 1.5 },
    { gen: "1" },
    { jti: 5 },
    { type: "x" },
  ]) {
    assert.equal(await code(() => read({ ...refresh, ...odd })), "invalid_token", JSON.stringify(odd));
  }
  clock.advance(2000);
  assert.equal(await code(() => read(refresh)), "session_expired");
  assert.equal((await tokens.verifyRefresh(forge(refresh), { acceptExpired: true })).session, plain.session);
});

test("there are no tokens without a key", async () => {
  assert.throws(() => new Tokens([], LIFETIMES, new ManualClock()), /secret key/);
  assert.throws(() => new Tokens([new Secret("")], LIFETIMES, new ManualClock()), /empty/);
});

test("a state that would make the token too long for a header stays behind", async () => {
  const { clock, tokens, uuid } = await setUp();
  const principal = { uuid, type: "user" as const, disabled: false, identities: [], scopes: [] };
  const issued = (groups: readonly string[]) => {
    const session = {
      uuid: newUuid(),
      principal: uuid,
      expirationTime: new Date(clock.now() + 1e9),
      revoked: false,
      state: { groups },
    };
    const { access_token: token } = tokens.issue(principal, session, 0);
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { state: unknown };
  };
  assert.deepEqual(issued(["a", "b"]).state, { groups: ["a", "b"] });
  assert.deepEqual(issued(Array.from({ length: 500 }, (_, index) => `group${index}`)).state, {});
});

test("the same exchange gives the same refresh token again, at every server and while the keys are changed", async () => {
  const { clock, uuid } = await setUp();
  const [old, young] = [new Secret(KEY), new Secret("a second key, long enough to sign with")];
  const before = new Tokens([old], LIFETIMES, clock);
  const changing = new Tokens([young, old], LIFETIMES, clock);
  const principal = { uuid, type: "user", disabled: false, identities: [], scopes: [] } as const;
  const session = {
    uuid: newUuid(),
    principal: uuid,
    expirationTime: new Date(clock.now() + 1000_000_000),
    revoked: false,
    state: {},
  };
  const exchange = { tokenId: "t", at: new Date(clock.now()) };
  const first = before.issue(principal, session, 1, exchange);
  clock.advance(30);
  const again = before.issue(principal, session, 1, exchange);
  assert.equal(again.refresh_token, first.refresh_token);
  assert.equal(again.refresh_token_expires_in, LIFETIMES.refreshToken - 30);
  assert.notEqual(again.access_token, first.access_token);
  // Signed by another key, but it counts as the same token: of two that differ one would be reuse.
  const read = (token: string) => changing.verifyRefresh(token, { acceptExpired: false });
  const other = changing.issue(principal, session, 1, exchange);
  assert.deepEqual(read(other.refresh_token), read(first.refresh_token));
  for (const different of [
    before.issue(principal, session, 1, { ...exchange, tokenId: "u" }),
    before.issue(principal, session, 2, exchange),
    before.issue(principal, { ...session, uuid: newUuid() }, 1, exchange),
    before.issue(principal, session, 1),
  ]) {
    assert.notEqual(read(different.refresh_token).tokenId, read(first.refresh_token).tokenId);
  }
});
