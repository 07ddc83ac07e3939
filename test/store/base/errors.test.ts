import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/errors.ts";
import {
  asFailure,
  fromPlain,
  isConnectionLost,
  isUnusable,
  toPlain,
} from "../../../src/store/base/errors.ts";

const coded = (code: string, message = "no reason") => Object.assign(new Error(message), { code });

for (const [code, expected] of [
  ["SQLITE_FULL", "store_full"],
  ["53100", "store_full"],
  ["SQLITE_BUSY", "store_unavailable"],
  ["SQLITE_BUSY_SNAPSHOT", "store_unavailable"],
  ["SQLITE_IOERR_FSYNC", "store_unavailable"],
  ["SQLITE_READONLY_DBMOVED", "store_unavailable"],
  ["SQLITE_CANTOPEN", "store_unavailable"],
  ["SQLITE_CORRUPT", "store_unavailable"],
  ["57P01", "store_unavailable"],
  ["57014", "store_busy"],
  ["08006", "store_unavailable"],
  ["57P03", "store_unavailable"],
  ["53300", "store_busy"],
  ["55P03", "store_busy"],
  ["40P01", "store_busy"],
  ["25006", "store_unavailable"],
  ["ECONNREFUSED", "store_unavailable"],
  ["EAI_AGAIN", "store_unavailable"],
  ["CERT_HAS_EXPIRED", "store_unavailable"],
  ["22021", "invalid"],
  ["22P05", "invalid"],
  ["22001", "invalid"],
  ["SQLITE_CONSTRAINT_UNIQUE", undefined],
  ["SQLITE_ERROR", undefined],
  ["23505", undefined],
  ["42601", undefined],
  ["ERR_INVALID_ARG_TYPE", undefined],
] as const) {
  test(`${code} is ${expected ?? "a bug"}`, () => {
    assert.equal(asFailure(coded(code))?.code, expected);
  });
}

test("errors of pg without a code are recognized", () => {
  for (const message of [
    "Connection terminated unexpectedly",
    "Connection terminated due to connection timeout",
    "Query read timeout",
    "The server does not support SSL connections",
    "There was an error establishing an SSL connection",
    "Client has encountered a connection error and is not queryable",
  ]) {
    assert.equal(isConnectionLost(new Error(message)), true, message);
    assert.equal(asFailure(new Error(message))?.code, "store_unavailable");
  }
  assert.equal(asFailure(new TypeError("x is undefined")), undefined);
});

test("a pool without a free connection is busy, and no connection is lost", () => {
  const full = new Error("timeout exceeded when trying to connect");
  assert.equal(isConnectionLost(full), false);
  const failure = asFailure(full);
  assert.deepEqual([failure?.code, failure?.headers], ["store_busy", { "retry-after": "1" }]);
});

test("a connection is given up only where it is broken", () => {
  assert.equal(isUnusable(coded("SQLITE_IOERR_WRITE")), true);
  assert.equal(isUnusable(coded("SQLITE_FULL")), false);
  assert.equal(isUnusable(coded("SQLITE_BUSY")), false);
  assert.equal(isConnectionLost(coded("23505")), false);
});

test("errors pass between threads as plain values and are restored", () => {
  const failure = new Failure("store_full", { log: "the log's text" });
  const back = fromPlain(structuredClone(toPlain(failure)));
  assert.ok(back instanceof Failure);
  assert.deepEqual([back.code, back.message], ["store_full", "the log's text"]);
  const bug = fromPlain(structuredClone(toPlain(new TypeError("x is undefined"))));
  assert.equal(bug instanceof Failure, false);
  assert.equal(bug.message, "x is undefined");
  assert.match(bug.stack ?? "", /errors\.test/);
});

test("a row's values, which PostgreSQL puts into an error's detail, do not reach the log", () => {
  const error = Object.assign(coded("22001", "value too long"), { detail: "Key (id)=(ann) already exists." });
  assert.equal(asFailure(error)?.message.includes("ann"), false);
});
