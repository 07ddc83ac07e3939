import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ProxiedOIDCAuthenticator } from "../../../src/authenticators/oidc/proxied-authenticator.ts";
import { broken } from "../../support/breaks.ts";
import { SUBJECT } from "../../support/hostile-provider.ts";
import { signingKey } from "../../support/signing-key.ts";
import { ARGS, AUDIENCE, setUp } from "./proxied-support.ts";
import { fails } from "./support.ts";

describe("a token that was seen before", () => {
  test("is answered at once, without a Promise", async (t) => {
    const { authenticator, token } = await setUp(t);
    const given = await token();
    const first = authenticator.verify(given);
    assert.ok(first instanceof Promise);
    const found = await first;
    const again = authenticator.verify(given);
    assert.ok(!(again instanceof Promise));
    assert.deepEqual(again, found);
  });

  test("ends at its time, a little leeway included, and stays ended", async (t) => {
    const { authenticator, token, clock } = await setUp(t);
    const given = await token();
    await authenticator.verify(given);
    clock.advance(329);
    assert.ok(!(authenticator.verify(given) instanceof Promise));
    clock.advance(1);
    await fails(() => authenticator.verify(given), "expired_token", /expired/);
    // Now it is not remembered any more.
    await fails(() => authenticator.verify(given), "expired_token", /expired/);
  });

  test("ends when its key is retired, without waiting for a new one", async (t) => {
    const { authenticator, token, clock, provider } = await setUp(t);
    const given = await token();
    await authenticator.verify(given);
    await provider.rotate("second", { retire: true });
    clock.advance(31);
    // This one still is answered; it is also what looks for new keys.
    authenticator.verify(given);
    let answer = authenticator.verify(given);
    for (const until = performance.now() + 5_000; !(answer instanceof Promise); ) {
      assert.ok(performance.now() < until, "the retired key is still good");
      await new Promise((resolve) => setImmediate(resolve));
      answer = authenticator.verify(given);
    }
    await fails(answer, "invalid_token", /not among the provider's keys/);
    assert.equal((await authenticator.verify(await token())).id, SUBJECT);
  });

  test("is not remembered where its key was retired while it was verified", async (t) => {
    const { provider, clock, token, context, options } = await setUp(t);
    let handedOut = provider.published;
    const own: typeof fetch = async (url, init) =>
      String(url).endsWith("/keys") ? Response.json({ keys: handedOut }) : fetch(url, init);
    const authenticator = new ProxiedOIDCAuthenticator(
      { ...ARGS, well_known_uri: provider.wellKnown },
      context,
      { ...options, fetch: own },
    );
    await authenticator.start();
    t.after(() => authenticator.stop());
    handedOut = [(await signingKey("ES256", "second")).publicJwk];
    const given = await token();
    clock.advance(31);
    // New keys are asked for, and here before the old one has finished its work.
    assert.equal((await authenticator.verify(given)).id, SUBJECT);
    await fails(() => authenticator.verify(given), "invalid_token", /not among the provider's keys/);
  });

  test("continues while the provider is unavailable", async (t) => {
    const { authenticator, token, clock, provider } = await setUp(t);
    const given = await token();
    await authenticator.verify(given);
    provider.misbehave({
      breaks: { ...broken("keys", "a reset").breaks, ...broken("discovery", "a reset").breaks },
    });
    clock.advance(120);
    assert.ok(!(authenticator.verify(given) instanceof Promise));
    assert.equal((await authenticator.verify(await token())).id, SUBJECT);
  });

  test("does not crowd out memory", async (t) => {
    const { authenticator, provider, token } = await setUp(t);
    const given = await token();
    await authenticator.verify(given);
    for (let count = 0; count < 4096; count++) {
      const claims = { ...provider.accessClaims(AUDIENCE), jti: String(count) };
      await authenticator.verify(await provider.sign(claims));
    }
    assert.ok(authenticator.verify(given) instanceof Promise);
  });

  test("many unknown ones at once are not mixed up", async (t) => {
    const { authenticator, token } = await setUp(t);
    const names = Array.from({ length: 50 }, (_, index) => `user-${index}`);
    const tokens = await Promise.all(names.map((sub) => token({ sub })));
    const found = await Promise.all([...tokens, ...tokens].map((given) => authenticator.verify(given)));
    assert.deepEqual(
      found.map(({ id }) => id),
      [...names, ...names],
    );
  });
});
