/** Whether the server can do its work, as a load balancer asks every few seconds, and what of that is in the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OIDCAuthenticator } from "../../src/authenticators/oidc.ts";
import { Failure } from "../../src/errors.ts";
import { CLIENT, surroundings } from "../authenticators/oidc/support.ts";
import { type TestApp, testApp } from "../support/app.ts";
import { HostileProvider } from "../support/hostile-provider.ts";

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
    authenticators: new Map([["lab", authenticator]]),
    authentication: { admins: [] },
  });
  const tryAgain = async () => {
    around.clock.advance(60);
    around.schedule.run();
    while (!around.schedule.waiting) await new Promise((resolve) => setImmediate(resolve));
  };

  assert.deepEqual(await probe(served, 3), [503, 503, 503]);
  const answer = await served.call(READY);
  assert.deepEqual(answer.json(), { detail: "Nobody can log in at: lab." });
  assert.equal(answer.headers["content-type"], "application/json");
  await tryAgain();
  await tryAgain();
  assert.deepEqual(await probe(served, 2), [503, 503]);
  assert.deepEqual(
    around.warnings.map((warning) => /ECONNREFUSED/.test(warning)),
    [true],
    "once for five probes and three tries",
  );
  up = true;
  await tryAgain();
  assert.deepEqual(await probe(served, 2), [200, 200]);
  assert.deepEqual(around.warnings.slice(1), ["the provider can be used again."]);
  up = false;
  await tryAgain();
  assert.deepEqual(await probe(served, 3), [503, 503, 503]);
  assert.deepEqual([around.warnings.length, /ECONNREFUSED/.test(around.warnings[2] ?? "")], [3, true]);

  assert.deepEqual(alarms(served), [], "the probes have a request's line, and that one says why");
  const reasons = lines(served).flatMap(({ reason }) => reason ?? []);
  assert.match(reasons[0] ?? "", /^Provider 'lab': .*ECONNREFUSED/);
});

test("so is a database that is away", async (t) => {
  await using served = await testApp();
  const { maintenance } = served.store ?? assert.fail();
  const away = t.mock.method(maintenance, "ping", async () => {
    throw new Failure("store_unavailable", { log: "connection refused" });
  });
  assert.deepEqual(await probe(served, 3), [503, 503, 503]);
  assert.deepEqual(alarms(served), ["connection refused"]);
  away.mock.mockImplementation(async () => {
    throw new Failure("store_unavailable", { log: "too many connections" });
  });
  assert.deepEqual(await probe(served, 2), [503, 503]);
  away.mock.restore();
  assert.deepEqual(await probe(served, 2), [200, 200]);
  const said = ["connection refused", "too many connections", "The database can be used again."];
  assert.deepEqual(alarms(served), said);
});
