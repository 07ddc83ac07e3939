import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BREAKS, type Break, broken } from "../../support/breaks.ts";
import { eventually } from "../../support/eventually.ts";
import type { Cleanup } from "../../support/folders.ts";
import { CLIENT_SECRET, SUBJECT } from "../../support/hostile-provider.ts";
import type { Misbehaviour } from "../../support/misbehaviour.ts";
import { MISBEHAVIOURS, type MisbehaviourName } from "../../support/misbehaviours.ts";
import { DEADLINE, failure, login, newRequest, type Setup, setUp } from "./support.ts";

describe("a provider that misbehaves", () => {
  const last: (() => Promise<unknown>)[] = [];
  const cleanup: Cleanup = (step) => last.push(step);
  let setup: Setup;

  before(async () => {
    setup = await setUp(cleanup, {}, { alg: "RS256" });
  });
  after(async () => {
    for (const step of last.reverse()) await step();
  });

  for (const name of Object.keys(MISBEHAVIOURS) as MisbehaviourName[]) {
    test(name, async () => {
      const { provider, authenticator } = setup;
      const { code, log }: Misbehaviour = MISBEHAVIOURS[name];
      const request = newRequest();

      provider.honest();
      assert.deepEqual(await login(authenticator, provider), { id: SUBJECT }, "an honest login");

      provider.misbehave(name);
      const found = await failure(login(authenticator, provider, request));
      assert.equal(found.code, code, found.message);
      if (log !== undefined) assert.match(found.message, log);
      tellsNothing(found.message, request);

      provider.honest();
      assert.deepEqual(await login(authenticator, provider), { id: SUBJECT }, "an honest login afterwards");
    });
  }

  function tellsNothing(message: string, request: ReturnType<typeof newRequest>): void {
    const { tokenRequest } = setup.provider;
    const secrets = [CLIENT_SECRET, request.codeVerifier, request.nonce, request.state, "a-refresh-token"];
    const code = tokenRequest?.form.get("code");
    if (code && code !== "of-another-login") secrets.push(code);
    for (const secret of secrets) assert.ok(!message.includes(secret), message);
    // No part of a token.
    assert.doesNotMatch(message, /eyJ|[A-Za-z0-9_-]{60}/);
  }
});

describe("an endpoint that breaks", () => {
  for (const endpoint of ["discovery", "keys", "token"] as const) {
    for (const how of Object.keys(BREAKS) as Break[]) {
      test(`${endpoint}: ${how}`, async (t) => {
        const { provider, authenticator, clock, schedule } = await setUp(
          (step) => t.after(step),
          {},
          {
            deadline: DEADLINE,
          },
        );
        // Discovered, with keys that are too old to be used without asking.
        clock.advance(601);
        const { code, ...misbehaviour } = broken(endpoint, how);
        if (endpoint === "discovery") {
          provider.misbehave(misbehaviour);
          schedule.run();
          assert.ok(await eventually(10, async () => authenticator.problem() !== null));
          assert.match(authenticator.problem() ?? "", /discovery document \(http:.*args\.well_known_uri/);
          // What is known serves meanwhile.
          assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
          provider.honest();
          schedule.run();
          assert.ok(await eventually(10, async () => authenticator.problem() === null));
          return;
        }
        provider.misbehave(misbehaviour);
        const started = performance.now();
        const failed = await failure(login(authenticator, provider));
        assert.equal(failed.code, code, failed.message);
        assert.match(
          failed.message,
          endpoint === "keys" ? /key set.*jwks_uri|key set did not come/ : /token endpoint \(http:/,
        );
        assert.ok(performance.now() - started < DEADLINE * 5);
        provider.honest();
        clock.advance(11);
        // What began while it was broken ends with its own deadline.
        const again = () => login(authenticator, provider).catch(() => null);
        assert.ok(await eventually(10, async () => (await again())?.id === SUBJECT));
      });
    }
  }
});
