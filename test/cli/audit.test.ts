import assert from "node:assert/strict";
import { test } from "node:test";
import { auditJson, auditLine, follow } from "../../src/cli/audit.ts";
import type { AuditRow } from "../../src/domain/model.ts";
import type { AuditFilter, AuditStore } from "../../src/domain/ports.ts";
import type { Uuid } from "../../src/lib/uuid.ts";

const PRINCIPAL = "01234567-89ab-cdef-0123-456789abcdef" as Uuid;

function row(id: number, changes: Partial<AuditRow> = {}): AuditRow {
  return {
    id,
    time: new Date("2026-01-31T12:00:00.123Z"),
    event: "login_failed",
    principal: null,
    identity: { provider: "toy", id: "alice" },
    actor: null,
    address: "192.0.2.7",
    requestId: "0123456789abcdef",
    detail: { reason: "wrong_password" },
    ...changes,
  };
}

test("an event is one line of what is known", () => {
  assert.equal(
    auditLine(row(1)),
    "2026-01-31T12:00:00Z login_failed          identity=toy:alice from=192.0.2.7 request=0123456789abcdef reason=wrong_password",
  );
  assert.equal(
    auditLine(
      row(2, {
        event: "login",
        principal: PRINCIPAL,
        identity: null,
        address: null,
        requestId: null,
        detail: {},
      }),
    ),
    `2026-01-31T12:00:00Z login                 principal=${PRINCIPAL}`,
  );
});

test("a user name cannot forge a line or a fact", () => {
  const line = auditLine(row(1, { identity: { provider: "toy", id: 'x" from=10.0.0.1\n2026 login' } }));
  assert.match(line, /identity="toy:x\\" from=10\.0\.0\.1\\\\u\{a\}2026 login" from=192\.0\.2\.7 /);
  assert.equal(line.split("\n").length, 1);
});

test("JSON lines name everything, also what is not known", () => {
  assert.deepEqual(JSON.parse(auditJson(row(7, { address: null }))), {
    id: 7,
    time: "2026-01-31T12:00:00.123Z",
    event: "login_failed",
    principal: null,
    identity: { provider: "toy", id: "alice" },
    actor: null,
    address: null,
    request_id: "0123456789abcdef",
    detail: { reason: "wrong_password" },
  });
});

test("a user name as JSON cannot command a terminal", () => {
  const identity = { provider: "toy", id: "\u009b31m\u202e" };
  const json = auditJson(row(8, { identity, detail: { reason: "\u009d0;owned\u009c" } }));
  assert.doesNotMatch(json, /[\p{Cc}\p{Cf}]/u);
  assert.deepEqual((JSON.parse(json) as AuditRow).identity, identity);
});

/** An audit table that the test adds rows to, in any order of their ids. */
class Table implements AuditStore {
  readonly rows: AuditRow[] = [];
  readonly asked: AuditFilter[] = [];

  async append(): Promise<void> {}

  async read(filter: AuditFilter): Promise<readonly AuditRow[]> {
    this.asked.push(filter);
    return this.rows
      .filter(({ id }) => id > (filter.after ?? 0))
      .sort((left, right) => left.id - right.id)
      .slice(0, filter.limit);
  }
}

/** Follows a table; before each further reading the next step is done. The ids in the order of their printing. */
async function followed(
  table: Table,
  last: number,
  printed: readonly AuditRow[],
  steps: (() => void)[],
): Promise<number[]> {
  const stop = new AbortController();
  const wait = async () => {
    const step = steps.shift();
    if (step === undefined) stop.abort();
    else step();
  };
  const ids: number[] = [];
  for await (const { id } of follow(table, { limit: 100 }, last, printed, wait, stop.signal)) ids.push(id);
  return ids;
}

test("following goes on after the last row and prints each once", async () => {
  const table = new Table();
  table.rows.push(row(1), row(2));
  const add = (id: number) => () => void table.rows.push(row(id));
  assert.deepEqual(
    await followed(table, 2, table.rows.slice(), [add(3), add(4), () => {}, add(5)]),
    [3, 4, 5],
  );
});

test("a row whose transaction ended after one with a greater id is not missed", async () => {
  const table = new Table();
  table.rows.push(row(1));
  const add = (id: number) => () => void table.rows.push(row(id));
  assert.deepEqual(await followed(table, 1, table.rows.slice(), [add(3), add(4), add(2)]), [3, 4, 2]);
});

test("many rows at once are all printed, and an old one is not read for ever", async () => {
  const table = new Table();
  const burst = () => void table.rows.push(...Array.from({ length: 2_500 }, (_, index) => row(index + 1)));
  const idle = Array.from({ length: 12 }, () => () => {});
  const ids = await followed(table, 0, [], [burst, ...idle]);
  assert.deepEqual(
    ids,
    Array.from({ length: 2_500 }, (_, index) => index + 1),
  );
  assert.equal(table.asked.at(-1)?.after, 2_500);
});
