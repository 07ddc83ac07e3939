import assert from "node:assert/strict";
import { test } from "node:test";
import { PurgeJob, purgeAll } from "../../src/domain/maintenance.ts";
import type { RequestContext } from "../../src/domain/model/entities.ts";
import type { Maintenance, Purge, Purged } from "../../src/domain/ports/maintenance.ts";
import { ManualClock } from "../support/clock.ts";

const NOTHING: Purged = {
  sessions: 0,
  pendingSessions: 0,
  apiKeys: 0,
  auditRows: 0,
  more: false,
  busy: false,
};

/** A store whose purges are these, in this order; afterwards there is nothing to purge. */
function store(...outcomes: (Purged | Error)[]): Maintenance & { readonly calls: Purge[] } {
  const calls: Purge[] = [];
  return {
    calls,
    async purge(request) {
      calls.push(request);
      const outcome = outcomes.shift() ?? NOTHING;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    async ping() {},
  };
}

/** Timers that the test lets run out. */
function manualTimers() {
  const waiting: { readonly seconds: number; readonly callback: () => void }[] = [];
  return {
    waiting,
    later: (seconds: number, callback: () => void) => {
      const entry = { seconds, callback };
      waiting.push(entry);
      return () => void waiting.splice(waiting.indexOf(entry), 1);
    },
    /** Runs the job's timer and waits until it has set the next one. */
    async pass(): Promise<void> {
      waiting.shift()?.callback();
      while (waiting.length === 0) await new Promise(setImmediate);
    },
  };
}

function manualLog() {
  const lines: { readonly level: string; readonly facts: object }[] = [];
  return {
    lines,
    info: (facts: object) => void lines.push({ level: "info", facts }),
    error: (facts: object) => void lines.push({ level: "error", facts }),
  };
}

const clock = new ManualClock("2026-01-31T12:00:00Z");

test("batches follow each other until nothing is left, and are added up", async () => {
  const maintenance = store(
    { ...NOTHING, sessions: 500, more: true },
    { ...NOTHING, sessions: 20, apiKeys: 3, more: true },
    { ...NOTHING, auditRows: 1, pendingSessions: 2 },
  );
  assert.deepEqual(await purgeAll(maintenance, { clock, auditRetentionDays: null }), {
    sessions: 520,
    apiKeys: 3,
    auditRows: 1,
    pendingSessions: 2,
    busy: false,
  });
  assert.equal(maintenance.calls.length, 3);
});

test("audit rows go after their retention, or never", async () => {
  const maintenance = store();
  await purgeAll(maintenance, { clock, auditRetentionDays: 30 });
  await purgeAll(maintenance, { clock, auditRetentionDays: null });
  assert.deepEqual(
    maintenance.calls.map((call) => call.auditBefore),
    [new Date("2026-01-01T12:00:00Z"), null],
  );
});

test("each batch of a purge names the actor to the store; the job has none", async () => {
  const context: RequestContext = { address: null, requestId: null, actor: null };
  const asked = store({ ...NOTHING, sessions: 500, more: true });
  await purgeAll(asked, { clock, auditRetentionDays: null, context });
  assert.deepEqual(
    asked.calls.map((call) => call.context),
    [context, context],
  );
  const timers = manualTimers();
  const alone = store();
  const options = { clock, log: manualLog(), auditRetentionDays: null, later: timers.later };
  const job = new PurgeJob(alone, options);
  await timers.pass();
  await job.stop();
  assert.deepEqual(
    alone.calls.map((call) => call.context),
    [undefined],
  );
});

test("where another server purges, this one leaves it alone until the next pass", async () => {
  const maintenance = store({ ...NOTHING, busy: true, more: true });
  assert.equal((await purgeAll(maintenance, { clock, auditRetentionDays: null })).busy, true);
  assert.equal(maintenance.calls.length, 1);
});

test("the job runs every minute, and a failure is logged and does not end it", async () => {
  const failure = new Error("the disk is full");
  const maintenance = store(failure, failure, { ...NOTHING, sessions: 7 });
  const timers = manualTimers();
  const log = manualLog();
  const job = new PurgeJob(maintenance, { clock, auditRetentionDays: null, log, later: timers.later });
  assert.equal(maintenance.calls.length, 0, "not at the start, where there is more to do");
  for (let pass = 1; pass <= 4; pass += 1) {
    assert.deepEqual(
      timers.waiting.map((timer) => timer.seconds),
      [60],
    );
    await timers.pass();
    assert.equal(maintenance.calls.length, pass);
  }
  assert.deepEqual(log.lines, [
    { level: "error", facts: { err: failure } },
    { level: "error", facts: { err: failure } },
    { level: "info", facts: { purged: { sessions: 7, pendingSessions: 0, apiKeys: 0, auditRows: 0 } } },
  ]);
  await job.stop();
  assert.equal(timers.waiting.length, 0);
});

test("a stop waits for the batch under way and starts no other", async () => {
  let finish: (purged: Purged) => void = () => assert.fail("no batch");
  let batches = 0;
  const maintenance: Maintenance = {
    purge: () => {
      batches += 1;
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
    ping: async () => {},
  };
  const timers = manualTimers();
  const job = new PurgeJob(maintenance, {
    clock,
    auditRetentionDays: null,
    log: manualLog(),
    later: timers.later,
  });
  timers.waiting.shift()?.callback();
  let stopped = false;
  const stop = job.stop().then(() => {
    stopped = true;
  });
  await new Promise(setImmediate);
  assert.equal(stopped, false);
  finish({ ...NOTHING, sessions: 500, more: true });
  await stop;
  assert.equal(batches, 1);
  assert.equal(timers.waiting.length, 0);
});
