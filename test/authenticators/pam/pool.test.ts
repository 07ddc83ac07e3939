import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { PamReply, PamRequest } from "../../../src/authenticators/pam/helper.ts";
import { HelperPool } from "../../../src/authenticators/pam/pool.ts";
import type { Helper } from "../../../src/authenticators/pam/process.ts";
import { Failure, type FailureCode } from "../../../src/errors.ts";

const LIMITS = { helpers: 2, perSource: 2, queue: 3, queueSeconds: 10, loginSeconds: 30, idleSeconds: 60 };

/** A helper that answers when the test says so. */
class Toy implements Helper {
  readonly asked: string[] = [];
  killed = false;
  #settle: { resolve(reply: PamReply): void; reject(error: Error): void } | undefined;

  ask(request: PamRequest): Promise<PamReply> {
    assert.equal(this.#settle, undefined, "two questions at once");
    assert.equal(this.killed, false, "a dead helper was asked");
    this.asked.push(request.service);
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }
  answer(): void {
    this.#settle?.resolve({ kind: "broken", reason: this.asked.at(-1) ?? "" });
    this.#settle = undefined;
  }
  alive(): boolean {
    return !this.killed;
  }
  async kill(): Promise<void> {
    this.killed = true;
    this.#settle?.reject(new Error("it ended"));
    this.#settle = undefined;
  }
}

let toys: Toy[];
let pool: HelperPool;

function start(): Helper {
  const toy = new Toy();
  toys.push(toy);
  return toy;
}

/** The n-th login; what becomes of it is in `outcome`. */
function login(name: string, signal?: AbortSignal, place?: string): { outcome: string } {
  const seen = { outcome: "open" };
  pool.run({ kind: "probe", service: name }, signal, place).then(
    (reply) => {
      seen.outcome = reply.kind === "broken" ? `answered ${reply.reason}` : "";
    },
    (error: unknown) => {
      seen.outcome = error instanceof Failure ? error.code : String(error);
    },
  );
  return seen;
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function expectFailure(login: Promise<unknown>, code: FailureCode, log: RegExp): Promise<void> {
  await assert.rejects(login, (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, code);
    assert.match(error.message, log);
    return true;
  });
}

beforeEach(() => {
  toys = [];
  pool = new HelperPool(start, LIMITS);
});

afterEach(() => pool.stop());

describe("a pool of helpers", () => {
  test("starts one where it is needed, and uses it again", async () => {
    assert.equal(toys.length, 0);
    const first = login("a");
    toys[0]?.answer();
    await settle();
    const second = login("b");
    toys[0]?.answer();
    await settle();
    assert.deepEqual([first.outcome, second.outcome], ["answered a", "answered b"]);
    assert.deepEqual(
      toys.map((toy) => toy.asked),
      [["a", "b"]],
    );
  });

  test("never exceeds its limit; waiting logins are served in order", async () => {
    const logins = ["a", "b", "c", "d"].map((name) => login(name));
    assert.deepEqual(
      toys.map((toy) => toy.asked),
      [["a"], ["b"]],
    );
    toys[1]?.answer();
    // Comes in before `c`, which has been given the place, goes on.
    logins.push(login("e"));
    await settle();
    assert.deepEqual(
      toys.map((toy) => toy.asked),
      [["a"], ["b", "c"]],
    );
    logins.push(login("f"));
    for (let round = 0; round < 4; round++) {
      for (const toy of toys) toy.answer();
      await settle();
    }
    assert.deepEqual(
      logins.map((one) => one.outcome),
      ["a", "b", "c", "d", "e", "f"].map((name) => `answered ${name}`),
    );
    assert.equal(toys.length, 2);
  });

  test("refuses at once where too many wait", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) login(name);
    await expectFailure(pool.run({ kind: "probe", service: "f" }), "logins_busy", /3 PAM logins are waiting/);
    toys[0]?.answer();
    await settle();
    const later = login("g");
    await settle();
    assert.equal(later.outcome, "open");
  });

  test("no login waits longer than the limit, and a cancelled one is not served", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    login("a");
    login("b");
    const waiting = login("c");
    t.mock.timers.tick(9_999);
    await settle();
    assert.equal(waiting.outcome, "open");
    t.mock.timers.tick(1);
    await settle();
    assert.equal(waiting.outcome, "logins_busy");
    for (const toy of toys) toy.answer();
    await settle();
    assert.deepEqual(
      toys.map((toy) => toy.asked),
      [["a"], ["b"]],
    );
  });

  test("a login that takes too long is ended with its helper; the next one waiting gets a new helper", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const [slow, other] = [login("slow"), login("b")];
    t.mock.timers.tick(25_000);
    const waiting = login("c");
    t.mock.timers.tick(5_000);
    await settle();
    assert.equal(slow.outcome, "gateway_timeout");
    assert.equal(other.outcome, "gateway_timeout");
    assert.deepEqual(
      toys.map((toy) => toy.killed),
      [true, true, false],
    );
    toys[2]?.answer();
    await settle();
    assert.equal(waiting.outcome, "answered c");
  });

  test("a helper that ends in a login is that login's failure only", async () => {
    const [broken, other, waiting] = [login("a"), login("b"), login("c")];
    await toys[0]?.kill();
    await settle();
    assert.equal(broken.outcome, "bad_gateway");
    toys[1]?.answer();
    toys[2]?.answer();
    await settle();
    assert.deepEqual([other.outcome, waiting.outcome], ["answered b", "answered c"]);
  });

  test("a helper that ended while idle is replaced without failing a login", async () => {
    login("a");
    toys[0]?.answer();
    await settle();
    await toys[0]?.kill();
    const next = login("b");
    toys[1]?.answer();
    await settle();
    assert.equal(next.outcome, "answered b");
  });

  test("a helper that cannot be started is that login's failure, and takes no place", async () => {
    const failing = new HelperPool(() => {
      throw new Error("no memory");
    }, LIMITS);
    for (let round = 0; round < 9; round++) {
      await expectFailure(failing.run({ kind: "probe", service: "a" }), "bad_gateway", /no memory/);
    }
  });

  test("idle helpers end", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    login("a");
    toys[0]?.answer();
    await settle();
    t.mock.timers.tick(59_000);
    assert.equal(toys[0]?.killed, false);
    login("b");
    toys[0]?.answer();
    await settle();
    t.mock.timers.tick(59_000);
    assert.equal(toys[0]?.killed, false);
    t.mock.timers.tick(1_000);
    assert.equal(toys[0]?.killed, true);
  });

  test("a cancelled login leaves the queue, or ends in the background", async () => {
    const [running, queued] = [new AbortController(), new AbortController()];
    const logins = [login("a", running.signal), login("b"), login("c", queued.signal), login("d")];
    running.abort(new Error("client gone"));
    queued.abort(new Error("client gone"));
    await settle();
    assert.deepEqual(
      logins.map((one) => one.outcome),
      ["Error: client gone", "open", "Error: client gone", "open"],
    );
    assert.equal(toys[0]?.killed, false);
    toys[0]?.answer();
    await settle();
    assert.deepEqual(
      toys.map((toy) => toy.asked),
      [["a", "d"], ["b"]],
    );
    await assert.rejects(pool.run({ kind: "probe", service: "e" }, AbortSignal.abort()), {
      name: "AbortError",
    });
  });

  test("places take turns, however many logins one of them sends", async () => {
    pool = new HelperPool(start, { ...LIMITS, helpers: 1, perSource: 1, queue: 10 });
    const from = (place: string, ...names: string[]) =>
      names.map((name) => login(place + name, undefined, place));
    from("a", "1", "2", "3", "4");
    from("b", "1", "2");
    from("c", "1");
    for (let round = 0; round < 7; round++) {
      toys[0]?.answer();
      await settle();
    }
    assert.deepEqual(toys[0]?.asked, ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
  });

  test("one address never has all helpers, and the rest are for others", async () => {
    pool = new HelperPool(start, { ...LIMITS, helpers: 3, perSource: 2, queue: 10 });
    for (const name of ["a1", "a2", "a3"]) login(name, undefined, "a");
    assert.deepEqual(
      toys.flatMap((toy) => toy.asked),
      ["a1", "a2"],
    );
    login("b1", undefined, "b");
    assert.deepEqual(
      toys.flatMap((toy) => toy.asked),
      ["a1", "a2", "b1"],
    );
    toys[2]?.answer();
    await settle();
    assert.deepEqual(toys[2]?.asked, ["b1"]);
    toys[0]?.answer();
    await settle();
    assert.deepEqual(toys.flatMap((toy) => toy.asked).sort(), ["a1", "a2", "a3", "b1"]);
  });

  test("a full queue drops logins of the address that fills it", async () => {
    pool = new HelperPool(start, { ...LIMITS, helpers: 1, perSource: 1 });
    const flood = ["1", "2", "3", "4", "5"].map((name) => login(`a${name}`, undefined, "a"));
    await settle();
    assert.deepEqual(
      flood.map(({ outcome }) => outcome),
      ["open", "open", "open", "open", "logins_busy"],
    );
    const [one, second] = [login("b1", undefined, "b"), login("b2", undefined, "b")];
    const third = login("c1", undefined, "c");
    await settle();
    assert.deepEqual(
      [...flood, one, second, third].map(({ outcome }) => outcome),
      ["open", "open", "logins_busy", "logins_busy", "logins_busy", "open", "logins_busy", "open"],
    );
    for (let round = 0; round < 4; round++) {
      toys[0]?.answer();
      await settle();
    }
    assert.deepEqual(toys[0]?.asked, ["a1", "a2", "b1", "c1"]);
  });

  test("a refusal says when to retry", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) login(name);
    await assert.rejects(pool.run({ kind: "probe", service: "f" }), (error) => {
      assert.ok(error instanceof Failure);
      assert.deepEqual([error.status, error.headers["retry-after"]], [503, "5"]);
      return true;
    });
  });

  test("a stop ends all: those that run, wait, idle and come later", async () => {
    login("idle");
    toys[0]?.answer();
    await settle();
    const logins = ["a", "b", "c"].map((name) => login(name));
    await pool.stop();
    await settle();
    logins.push(login("late"));
    await settle();
    assert.deepEqual(
      logins.map((one) => one.outcome),
      ["bad_gateway", "bad_gateway", "stopping", "stopping"],
    );
    assert.ok(toys.every((toy) => toy.killed));
  });
});
