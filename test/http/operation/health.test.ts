/** Whether the server can do its work, as a load balancer asks every few seconds, and what of that is in the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DictionaryAuthenticator } from "../../../src/authenticators/dictionary.ts";
import { OIDCAuthenticator } from "../../../src/authenticators/oidc/authenticator.ts";
import type { Authenticator } from "../../../src/domain/ports/authenticator.ts";
import { Failure } from "../../../src/errors.ts";
import { Readiness } from "../../../src/http/operation/readiness.ts";
import { CLIENT, surroundings } from "../../authenticators/oidc/support.ts";
import { bearer, type TestApp, testApp } from "../../support/app.ts";
import { ManualClock } from "../../support/clock.ts";
import { HostileProvider } from "../../support/hostile-provider.ts";
import { PASSWORDS } from "../../support/toy.ts";

const READY = "/healthz/ready";

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly reason?: string;
}

const WARN = 40;

function lines({ logLines }: TestApp): Line[] {
  return logLines.map((line) => JSON.parse(line) as Line);
}

function alarms(t: TestApp): string[] {
  return lines(t)
    .filter(({ level }) => level >= WARN)
    .map(({ msg }) => msg);
}

async function probe(t: TestApp, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let count = 0; count < times; count++) statuses.push((await t.call(READY)).statusCode);
  return statuses;
}

test("a provider that is down is in the log once for each change, however often it is asked and tried", async (t) => {
  let up = false;
  const around = surroundings({
    fetch: async (...asked) => {
      if (!up) throw new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") });
      return await fetch(...asked);
    },
  });
  const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
  const args = { ...CLIENT, well_known_uri: provider.wellKnown };
  const authenticator = new OIDCAuthenticator(args, around.context, around.options);
  await authenticator.start();
  t.after(() => authenticator.stop());
  await using served = await testApp({
    clock: around.clock,
    authenticators: new Map<string, Authenticator>([
      ["lab", authenticator],
      ["toy", new DictionaryAuthenticator({ users_to_passwords: PASSWORDS })],
    ]),
  });
  const tryAgain = async () => {
    around.clock.advance(60);
    around.schedule.run();
    while (!around.schedule.waiting) await new Promise((resolve) => setImmediate(resolve));
  };

  const ready = (state: string) => ({ status: "ready", providers: { lab: state } });
  const gauge = async () => {
    const { access_token } = await served.login("alice");
    const { body } = await served.call({ url: "/api/v1/metrics", headers: bearer(access_token) });
    return /^tiled_auth_provider_up\{provider="lab"\} \d$/m.exec(body)?.[0].at(-1);
  };
  assert.deepEqual(await probe(served, 3), [200, 200, 200]);
  assert.deepEqual((await served.call(READY)).json(), ready("unavailable"));
  assert.equal(await gauge(), "0");
  await tryAgain();
  await tryAgain();
  assert.deepEqual(
    around.warnings.map((warning) => /ECONNREFUSED/.test(warning)),
    [true],
    "once for five probes and three tries",
  );
  up = true;
  await tryAgain();
  assert.deepEqual((await served.call(READY)).json(), ready("ok"));
  assert.equal(await gauge(), "1");
  assert.deepEqual(around.warnings.slice(1), ["the provider can be used again."]);
  up = false;
  await tryAgain();
  assert.deepEqual(await probe(served, 3), [200, 200, 200]);
  assert.deepEqual((await served.call(READY)).json(), ready("unavailable"));
  assert.deepEqual([around.warnings.length, /ECONNREFUSED/.test(around.warnings[2] ?? "")], [3, true]);
  assert.deepEqual(alarms(served), [], "a provider tells of itself");
});

test("a database that is away is 503, and in the log once for each change", async (t) => {
  await using served = await testApp();
  const { maintenance } = served.store ?? assert.fail();
  const fails = (log: string) => async () => {
    throw new Failure("store_unavailable", { log });
  };
  const away = t.mock.method(maintenance, "ping", fails("connection refused"));
  const after = (seconds: number) => {
    served.clock.advance(seconds);
    return probe(served, 3);
  };
  assert.deepEqual(await probe(served, 3), [503, 503, 503]);
  assert.equal(away.mock.callCount(), 1, "one question for three probes");
  assert.deepEqual(await after(1), [503, 503, 503]);
  assert.deepEqual(alarms(served), ["connection refused"]);
  away.mock.mockImplementation(fails("too many connections"));
  assert.deepEqual(await after(1), [503, 503, 503]);
  away.mock.restore();
  assert.deepEqual(await after(1), [200, 200, 200]);
  const said = ["connection refused", "too many connections", "The database can be used again."];
  assert.deepEqual(alarms(served), said);
});

test("probes cost one change of the database at a time, each few seconds, and no row", async (t) => {
  await using served = await testApp();
  const { maintenance } = served.store ?? assert.fail();
  const asked = t.mock.method(maintenance, "ping");
  await Promise.all(Array.from({ length: 50 }, () => served.call(READY)));
  assert.equal(asked.mock.callCount(), 1);
  served.clock.advance(4);
  await probe(served, 1);
  assert.equal(asked.mock.callCount(), 1);
  served.clock.advance(1);
  await probe(served, 1);
  assert.equal(asked.mock.callCount(), 2);
  // A clock that was set back must not make an answer good for hours.
  served.clock.advance(-3600);
  await probe(served, 1);
  assert.equal(asked.mock.callCount(), 3);
});

test("a database that has too much to do is ready, one that says nothing is not", async (t) => {
  const clock = new ManualClock(new Date("2026-12-01T00:00:00Z"));
  const log = { error: t.mock.fn(), warn: t.mock.fn() };
  const busy = async () => {
    throw new Failure("store_busy", { log: "too many connections" });
  };
  assert.equal(await new Readiness({ ping: busy, clock, log }).check(), null);
  let answer: () => void = () => {};
  const ping = () =>
    new Promise<void>((resolve) => {
      answer = resolve;
    });
  const silent = new Readiness({ ping, clock, log, timeout: 1 });
  assert.match((await silent.check())?.message ?? "", /does not answer in time/);
  clock.advance(1);
  const later = silent.check();
  answer();
  assert.equal(await later, null);
});
