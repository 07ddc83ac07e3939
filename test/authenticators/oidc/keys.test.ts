import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JWK } from "jose";
import { KeyTable } from "../../../src/authenticators/oidc/keys.ts";
import { broken } from "../../support/breaks.ts";
import { SUBJECT } from "../../support/hostile-provider.ts";
import { signingKey } from "../../support/signing-key.ts";
import { DEADLINE, fails, login, setUp } from "./support.ts";

const UNKNOWN = /not among the provider's keys/;

describe("the provider's keys", () => {
  test("are fetched once for many logins", async (t) => {
    const { authenticator, provider } = await setUp((step) => t.after(step));
    for (let count = 0; count < 5; count++) await login(authenticator, provider);
    assert.equal(provider.asked.keys, 1);
  });

  test("a rotated key works within 31 s, without a restart", async (t) => {
    const { authenticator, provider, clock } = await setUp((step) => t.after(step));
    await provider.rotate("second");
    await fails(login(authenticator, provider), "provider_invalid", UNKNOWN);
    clock.advance(31);
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
  });

  test("a new key is asked for at once where the last question was a while ago", async (t) => {
    const { authenticator, provider, clock } = await setUp((step) => t.after(step));
    clock.advance(11);
    await provider.rotate("second");
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    assert.equal(provider.asked.keys, 2);
  });

  test("a retired key stops within 31 s", async (t) => {
    const { authenticator, provider, clock } = await setUp((step) => t.after(step));
    const retired = provider.key;
    await provider.rotate("second", { retire: true });
    provider.key = retired;
    clock.advance(31);
    await fails(login(authenticator, provider), "provider_invalid", UNKNOWN);
  });

  test("a flood of unknown keys asks the provider once in ten seconds", async (t) => {
    const { authenticator, provider, clock } = await setUp((step) => t.after(step));
    provider.misbehave("an unknown key");
    for (let round = 1; round <= 3; round++) {
      clock.advance(10);
      await Promise.all(
        Array.from({ length: 20 }, () => fails(login(authenticator, provider), "provider_invalid", UNKNOWN)),
      );
      assert.equal(provider.asked.keys, 1 + round);
    }
  });

  test("serve for ten minutes where the provider hands none out any more, and then no longer", async (t) => {
    const { authenticator, provider, clock } = await setUp(
      (step) => t.after(step),
      {},
      { deadline: 4 * DEADLINE },
    );
    for (const how of ["status 500", "silence", "html"] as const) {
      provider.misbehave({ breaks: broken("keys", how).breaks ?? {} });
      clock.advance(100);
      assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    }
    clock.advance(301);
    await fails(login(authenticator, provider), "bad_gateway", /key set/);
    provider.honest();
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
  });

  test("a key without a name fits a token that has one", async (t) => {
    const { authenticator, provider, clock } = await setUp((step) => t.after(step));
    const { kid: _, ...nameless } = provider.key.publicJwk;
    provider.published = [nameless];
    clock.advance(31);
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    const other = await signingKey("ES256", "other");
    provider.published = [{ ...provider.key.publicJwk, kid: "another-name" }, other.publicJwk];
    clock.advance(31);
    await fails(login(authenticator, provider), "provider_invalid", UNKNOWN);
  });

  test("a token that names no key is tried with each", async (t) => {
    const { authenticator, provider, clock } = await setUp((step) => t.after(step));
    const others = [await signingKey("ES256", "a"), await signingKey("ES256", "b")];
    provider.published = [...others.map(({ publicJwk }) => publicJwk), provider.key.publicJwk];
    clock.advance(31);
    provider.misbehave({ forge: (claims) => provider.sign(claims, { kid: undefined }) });
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    const foreign = await signingKey("ES256", "foreign");
    provider.misbehave({ forge: (claims) => provider.sign(claims, { kid: undefined }, foreign) });
    await fails(login(authenticator, provider), "provider_invalid", /signature is wrong/);
  });

  for (const [what, keys] of Object.entries({
    "no list": "none",
    "a list of texts": ["a"],
    "a list of nothing": [null],
    "101 keys": Array.from({ length: 101 }, () => ({ kty: "EC" })),
  })) {
    test(`${what} is no key set`, async (t) => {
      const { authenticator, provider, clock } = await setUp((step) => t.after(step));
      provider.published = keys as JWK[];
      clock.advance(601);
      await fails(login(authenticator, provider), "bad_gateway", /key set/);
    });
  }

  test("a key that cannot be used is refused, and the others go on", async (t) => {
    const { authenticator, provider, clock } = await setUp((step) => t.after(step));
    const other = await signingKey("ES256", "other");
    provider.published = [
      { ...provider.key.publicJwk, x: "AAAA" },
      { kty: "oct", k: "c2VjcmV0", kid: "first", alg: "HS256" },
      { ...other.publicJwk, use: "enc" },
    ];
    clock.advance(31);
    await fails(login(authenticator, provider), "provider_invalid", /cannot be used/);
    provider.key = other;
    await fails(login(authenticator, provider), "provider_invalid", UNKNOWN);
    provider.published = [...provider.published, { ...other.publicJwk, kid: "good" }];
    provider.key = { ...other, kid: "good" };
    clock.advance(11);
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
  });
});

test("an RSA key is good for the algorithm it names only", async () => {
  const { publicJwk } = await signingKey("RS256", "rsa");
  const table = new KeyTable([publicJwk]);
  assert.equal((await table.find({ alg: "RS256", kid: "rsa" })).length, 1);
  assert.equal((await table.find({ alg: "PS256", kid: "rsa" })).length, 0);
  const { alg: _, ...any } = publicJwk;
  assert.equal((await new KeyTable([any]).find({ alg: "PS256", kid: "rsa" })).length, 1);
});
