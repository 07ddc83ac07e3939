/**
 * A command whose connection breaks at each step, on a pool of fake connections.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { Failure } from "../../../src/errors.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { postgresBackend } from "../../../src/store/postgres/postgres.ts";
import { NOW, ORIGIN } from "../support.ts";

type Asked = { readonly text: string; readonly query_timeout?: number };
type Answer = { rows?: unknown[]; rowCount?: number; command?: string } | Error;

const lost = () => Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
const coded = (code: string) => Object.assign(new Error("no reason"), { code });

/** A pool whose connections answer by `script`. Records the queries and how connections were released. */
function pretend(script: (sql: string, times: number) => Answer | undefined, prePing = false) {
  const asked: string[] = [];
  const released: unknown[] = [];
  const limits: (number | undefined)[] = [];
  const client = {
    query: async (query: string | Asked) => {
      const sql = typeof query === "string" ? query : query.text;
      if (typeof query !== "string" && query.query_timeout !== undefined) limits.push(query.query_timeout);
      const word = sql.split(" ")[0] ?? "";
      asked.push(word);
      const answer = script(sql, asked.filter((other) => other === word).length) ?? {};
      if (answer instanceof Error) throw answer;
      return { rows: [], rowCount: 0, command: word.toUpperCase(), ...answer };
    },
    release: (destroy?: unknown) => released.push(destroy),
  };
  const pool = {
    options: { max: 2 },
    connect: async () => client,
    end: async () => {},
  } as unknown as pg.Pool;
  return {
    backend: postgresBackend({ pool, prePing, listening: null, clock: systemClock, log: () => {} }),
    asked,
    released,
    limits,
  };
}

const EVENT = { ...ORIGIN, time: NOW, event: "login", principal: null, identity: null, detail: {} } as const;
const unavailable = (error: unknown) => error instanceof Failure && error.code === "store_unavailable";

test("a command runs between begin and commit", async () => {
  const { backend, asked, released } = pretend(() => undefined);
  await backend.write("audit.append", [EVENT]);
  assert.deepEqual(asked, ["begin", "insert", "commit"]);
  assert.deepEqual(released, [undefined]);
});

test("a connection lost at commit: the outcome is unknown, so it is neither retried nor acknowledged", async () => {
  const { backend, asked, released } = pretend((sql) => (sql === "commit" ? lost() : undefined));
  await assert.rejects(backend.write("audit.append", [EVENT]), (error) => {
    assert.ok(unavailable(error) && error instanceof Failure);
    assert.match(String(error.detail), /may have been saved/);
    return true;
  });
  assert.deepEqual(asked, ["begin", "insert", "commit"]);
  assert.deepEqual(released, [true]);
});

test("a connection lost before commit: nothing was changed, so the command is retried once", async () => {
  for (const word of ["begin", "insert"]) {
    const once = pretend((sql, times) => (sql.startsWith(word) && times === 1 ? lost() : undefined));
    await once.backend.write("audit.append", [EVENT]);
    assert.equal(once.asked.at(-1), "commit");
    assert.deepEqual(once.released, [true, undefined]);
    const always = pretend((sql) => (sql.startsWith(word) ? lost() : undefined));
    await assert.rejects(always.backend.write("audit.append", [EVENT]), unavailable);
    assert.equal(always.asked.filter((asked) => asked === word).length, 2);
  }
});

test("a commit that PostgreSQL answered with a rollback is no success", async () => {
  const { backend } = pretend((sql) => (sql === "commit" ? { command: "ROLLBACK" } : undefined));
  await assert.rejects(backend.write("audit.append", [EVENT]));
});

test("a command that lost a race is retried, but not forever", async () => {
  for (const code of ["40001", "40P01", "23505"]) {
    const twice = pretend((sql, times) => (sql.startsWith("insert") && times <= 2 ? coded(code) : undefined));
    await twice.backend.write("audit.append", [EVENT]);
    assert.deepEqual(twice.asked, [
      "begin",
      "insert",
      "rollback",
      "begin",
      "insert",
      "rollback",
      "begin",
      "insert",
      "commit",
    ]);
    const always = pretend((sql) => (sql.startsWith("insert") ? coded(code) : undefined));
    await assert.rejects(always.backend.write("audit.append", [EVENT]));
    assert.equal(always.asked.filter((word) => word === "begin").length, 5);
  }
});

test("any other error is not retried, and its connection is reused only after a rollback", async () => {
  const plain = pretend((sql) => (sql.startsWith("insert") ? coded("42601") : undefined));
  await assert.rejects(plain.backend.write("audit.append", [EVENT]), (error) => !(error instanceof Failure));
  assert.deepEqual([plain.asked, plain.released], [["begin", "insert", "rollback"], [false]]);
  const stuck = pretend((sql) =>
    sql.startsWith("insert") ? coded("42601") : sql === "rollback" ? lost() : undefined,
  );
  await assert.rejects(stuck.backend.write("audit.append", [EVENT]));
  assert.deepEqual(stuck.released, [true]);
  const full = pretend((sql) => (sql.startsWith("insert") ? coded("53100") : undefined));
  await assert.rejects(
    full.backend.write("audit.append", [EVENT]),
    (error) => error instanceof Failure && error.code === "store_full",
  );
});

test("a read is retried once on another connection", async () => {
  const once = pretend((_, times) => (times === 1 ? lost() : undefined));
  await once.backend.ping();
  assert.deepEqual(once.released, [true, undefined]);
  const always = pretend(() => lost());
  await assert.rejects(always.backend.ping(), unavailable);
  // The statement, then each connection of the pool is tested, and a new one.
  assert.deepEqual(always.asked, Array(5).fill("select"));
  assert.deepEqual(always.released, Array(5).fill(true));
});

test("a server that does not answer is asked twice, not once per connection, and counts as busy", async () => {
  const { backend, asked, released } = pretend(() => new Error("Query read timeout"));
  const slow = (error: unknown) => error instanceof Failure && error.code === "store_busy";
  await assert.rejects(backend.ping(), slow);
  assert.equal(asked.length, 2);
  assert.deepEqual(released, [true, true]);
  const pinged = pretend(() => new Error("Query read timeout"), true);
  await assert.rejects(pinged.backend.write("audit.append", [EVENT]), slow);
  assert.deepEqual(pinged.asked, ["select"]);
});

test("with pre-ping dead connections are discarded before use", async () => {
  const { backend, asked, released, limits } = pretend(
    (sql, times) => (sql === "select 1" && times <= 2 ? lost() : undefined),
    true,
  );
  await backend.write("audit.append", [EVENT]);
  assert.deepEqual(asked, ["select", "select", "select", "begin", "insert", "commit"]);
  assert.deepEqual(released, [true, true, undefined]);
  // A connection that does not answer is dropped long before a statement would time out.
  assert.deepEqual(limits, [5000, 5000, 5000]);
});
