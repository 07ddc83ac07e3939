import assert from "node:assert/strict";
import { test } from "node:test";
import type { Counter, FailureCounters, Limit } from "../../../src/domain/ports/failures.ts";
import { LoginThrottle } from "../../../src/domain/throttling/throttle.ts";
import { ManualClock } from "../../support/clock.ts";

/** Counters as the port describes them, on a clock that stands still. */
class Counters implements FailureCounters {
  readonly clock = new ManualClock();
  readonly #counts = new Map<string, { count: number; until: number }>();
  questions = 0;

  get size(): number {
    return this.#counts.size;
  }

  async blocked(key: string, limit: Limit): Promise<number> {
    return await this.longestBlock([{ key, limit }]);
  }

  async longestBlock(counters: readonly Counter[]): Promise<number> {
    this.questions += 1;
    return Math.max(...counters.map((counter) => this.#wait(counter)));
  }

  #wait({ key, limit }: Counter): number {
    const entry = this.#counts.get(key);
    if (entry === undefined || entry.until <= this.clock.now() || entry.count < limit.failures) return 0;
    return Math.ceil((entry.until - this.clock.now()) / 1000);
  }

  async count(key: string, limit: Limit): Promise<number> {
    this.questions += 1;
    const old = this.#counts.get(key);
    const fresh = { count: 0, until: this.clock.now() + limit.per * 1000 };
    const entry = old !== undefined && old.until > this.clock.now() ? old : fresh;
    entry.count += 1;
    this.#counts.set(key, entry);
    return entry.count > limit.failures ? Math.ceil((entry.until - this.clock.now()) / 1000) : 0;
  }
}

const LIMITS = { account: { failures: 3, per: 300 }, address: { failures: 6, per: 300 } };
/** Wrong passwords of one address before it has no attempt at all: 50 times its limit. */
const FLOOD = 300;

function setUp() {
  const counters = new Counters();
  const throttle = new LoginThrottle(counters, LIMITS);
  let checked = 0;
  const attempt = (account: string, address: string, right = false) =>
    throttle.attempt(account, address, async () => {
      checked += 1;
      return right ? "in" : null;
    });
  return { counters, attempt, checks: () => checked };
}

test("after the limit no password is even looked at, until the window is over", async () => {
  const { counters, attempt, checks } = setUp();
  for (let index = 0; index < 3; index += 1) assert.equal((await attempt("alice", "10.0.0.1")).kind, "wrong");
  const refused = await attempt("alice", "10.0.0.1", true);
  assert.deepEqual(refused, { kind: "throttled", retryAfter: 300 });
  assert.equal(checks(), 3);
  counters.clock.advance(301);
  assert.equal((await attempt("alice", "10.0.0.1", true)).kind, "right");
});

test("the attempt that reaches the limit says so, once", async () => {
  const { attempt } = setUp();
  const outcomes = [];
  for (let index = 0; index < 5; index += 1) outcomes.push(await attempt("alice", "10.0.0.1"));
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === "wrong" ? outcome.limitReached : outcome.kind)),
    [false, false, true, "throttled", "throttled"],
  );
});

test("the same account from another address and another account from the same address get in", async () => {
  const { attempt } = setUp();
  for (let index = 0; index < 5; index += 1) await attempt("alice", "10.0.0.1");
  assert.equal((await attempt("alice", "10.0.0.2", true)).kind, "right");
  assert.equal((await attempt("bob", "10.0.0.1", true)).kind, "right");
});

test("a hundred guesses at once get no more tries than one after the other", async () => {
  const { attempt, checks } = setUp();
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => attempt("alice", "10.0.0.1")));
  assert.equal(checks(), 3);
  assert.equal(outcomes.filter(({ kind }) => kind === "wrong").length, 3);
});

test("right passwords are never limited, however many at once", async () => {
  const { attempt } = setUp();
  const outcomes = await Promise.all(Array.from({ length: 60 }, () => attempt("alice", "10.0.0.1", true)));
  assert.ok(outcomes.every(({ kind }) => kind === "right"));
});

test("an address that tries many accounts is told to wait, but a right password still gets in", async () => {
  const { attempt } = setUp();
  for (let index = 0; index < 6; index += 1)
    assert.equal((await attempt(`user${index}`, "10.0.0.1")).kind, "wrong");
  assert.equal((await attempt("user7", "10.0.0.1")).kind, "throttled");
  assert.equal((await attempt("user8", "10.0.0.1", true)).kind, "right");
});

test("an address that has to wait already gets no more tries of one account than any other", async () => {
  const { attempt, checks } = setUp();
  for (let index = 0; index < 6; index += 1) await attempt(`user${index}`, "10.0.0.1");
  const before = checks();
  for (let index = 0; index < 50; index += 1) {
    assert.equal((await attempt("bob", "10.0.0.1")).kind, "throttled");
  }
  assert.equal(checks() - before, 3);
  assert.equal((await attempt("bob", "10.0.0.1", true)).kind, "throttled");
});

test("an address that floods has no attempt until the window is over, and makes no more counters", async () => {
  const { counters, attempt, checks } = setUp();
  for (let index = 0; index < FLOOD - 1; index += 1) await attempt(`user${index}`, "10.0.0.1");
  assert.equal((await attempt("bob", "10.0.0.1", true)).kind, "right");
  await attempt("last", "10.0.0.1");
  const [looked, size] = [checks(), counters.size];
  assert.equal(size, FLOOD + 2, "one for each name and two for the address");
  counters.clock.advance(100);
  for (let index = 0; index < 100; index += 1) {
    const refused = await attempt(`more${index}`, "10.0.0.1", index % 2 === 0);
    assert.deepEqual(refused, { kind: "throttled", retryAfter: 200 });
  }
  assert.deepEqual([checks(), counters.size], [looked, size]);
  assert.equal((await attempt("bob", "10.0.0.2", true)).kind, "right");
  assert.equal((await attempt("carol", "10.0.0.2")).kind, "wrong");
  counters.clock.advance(201);
  assert.equal((await attempt("bob", "10.0.0.1", true)).kind, "right");
  assert.equal((await attempt("user1", "10.0.0.1")).kind, "wrong");
});

test("a flood at the same moment makes no more counters, and is looked at in part only", async () => {
  const { counters, attempt, checks } = setUp();
  const outcomes = await Promise.all(
    Array.from({ length: 3000 }, (_, index) => attempt(`user${index}`, "10.0.0.1")),
  );
  assert.equal(outcomes.filter(({ kind }) => kind === "wrong").length, LIMITS.address.failures);
  assert.equal(counters.size, FLOOD + 2);
  assert.equal(checks(), 1000);
  assert.equal((await attempt("bob", "10.0.0.2", true)).kind, "right");
  counters.clock.advance(301);
  const later = await Promise.all(
    Array.from({ length: 1000 }, (_, index) => attempt(`user${index}`, "10.0.0.1", true)),
  );
  assert.ok(later.every(({ kind }) => kind === "right"));
});

test("many attempts that wait for one account keep no other account of their address out", async () => {
  const throttle = new LoginThrottle(new Counters(), LIMITS);
  const answer = Promise.withResolvers<string>();
  const waiting = Array.from({ length: 1000 }, () =>
    throttle.attempt("alice", "10.0.0.1", () => answer.promise),
  );
  assert.equal((await throttle.attempt("bob", "10.0.0.1", async () => "in")).kind, "right");
  answer.resolve("in");
  assert.ok((await Promise.all(waiting)).every(({ kind }) => kind === "right"));
});

test("a right password costs one question to the counters", async () => {
  const { counters, attempt } = setUp();
  await attempt("alice", "10.0.0.1", true);
  assert.equal(counters.questions, 1);
  assert.equal(counters.size, 0);
});

test("an IPv6 address stands for its /64", async () => {
  const { attempt } = setUp();
  for (let index = 0; index < 3; index += 1) await attempt("alice", `2001:db8:1:2::${index}`);
  assert.equal((await attempt("alice", "2001:db8:1:2:ffff::1", true)).kind, "throttled");
  assert.equal((await attempt("alice", "2001:db8:1:3::1", true)).kind, "right");
});

test("a broken backend does not count as a wrong password", async () => {
  const counters = new Counters();
  const throttle = new LoginThrottle(counters, LIMITS);
  for (let index = 0; index < 5; index += 1) {
    await assert.rejects(
      throttle.attempt("alice", null, () => Promise.reject(new Error("no backend"))),
      /no backend/,
    );
  }
  assert.equal((await throttle.attempt("alice", null, async () => "in")).kind, "right");
});

test("switched off, it lets everything through to the check", async () => {
  const throttle = new LoginThrottle(new Counters(), false);
  for (let index = 0; index < 20; index += 1) {
    assert.equal((await throttle.attempt("alice", "10.0.0.1", async () => null)).kind, "wrong");
  }
});

test("failures without an account count for their address, until it is throttled", async () => {
  const counters = new Counters();
  const throttle = new LoginThrottle(counters, LIMITS);
  const outcomes = [];
  for (let index = 0; index < LIMITS.address.failures + 2; index += 1)
    outcomes.push(await throttle.failed("10.0.0.1"));
  const last = LIMITS.address.failures - 1;
  assert.deepEqual(
    outcomes.map(({ limitReached }) => limitReached),
    outcomes.map((_, index) => index === last),
  );
  assert.ok(outcomes.every(({ retryAfter }, index) => retryAfter > 0 === index > last));
  assert.equal((await throttle.failed("10.0.0.2")).retryAfter, 0);
  assert.equal((await throttle.attempt("alice", "10.0.0.1", async () => "in")).kind, "right");
  assert.equal((await throttle.attempt("alice", "10.0.0.1", async () => null)).kind, "throttled");
  assert.equal((await new LoginThrottle(counters, false).failed("10.0.0.1")).retryAfter, 0);
  const { size } = counters;
  for (let index = 0; index < FLOOD; index += 1) await throttle.failed("10.0.0.1");
  assert.equal(counters.size, size);
});
