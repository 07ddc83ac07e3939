import assert from "node:assert/strict";
import { test } from "node:test";
import { follow, newest } from "../../src/domain/audit-following.ts";
import type { AuditRow } from "../../src/domain/model/entities.ts";
import type { AuditFilter, AuditStore } from "../../src/domain/ports/audit.ts";
import { Failure } from "../../src/errors.ts";

function row(id: number): AuditRow {
  return {
    id,
    time: new Date("2026-01-31T12:00:00Z"),
    event: "login_failed",
    principal: null,
    identity: null,
    actor: null,
    address: null,
    requestId: null,
    detail: {},
  };
}

/** An audit table that the test adds rows to, in any order of their ids. */
class Table implements AuditStore {
  readonly rows: AuditRow[] = [];
  readonly asked: AuditFilter[] = [];
  readonly told: string[] = [];
  writing: string[] = [];
  /** Why it cannot be read. */
  trouble: Error | undefined;
  /** So many readings succeed before that. */
  before = 0;

  add(...ids: number[]): void {
    this.rows.push(...ids.map(row));
  }

  async append(): Promise<void> {}

  async read(filter: AuditFilter): Promise<readonly AuditRow[]> {
    this.asked.push(filter);
    if (this.trouble !== undefined && this.before-- <= 0) throw this.trouble;
    const rows = this.rows
      .filter(({ id }) => id > (filter.after ?? 0))
      .sort((left, right) => left.id - right.id);
    return filter.newest === true ? rows.slice(-filter.limit) : rows.slice(0, filter.limit);
  }

  async writers(): Promise<readonly string[]> {
    return this.writing;
  }
}

/** Follows a table; before each further reading the next step is done. The ids in the order of their printing. */
async function followed(table: Table, steps: readonly (() => void)[]): Promise<number[]> {
  const stop = new AbortController();
  const left = [...steps];
  const wait = async () => {
    const step = left.shift();
    if (step === undefined) stop.abort();
    else step();
  };
  const from = (await newest(table, { limit: 100 })).followed;
  const ids: number[] = [];
  const reader = {
    stop: stop.signal,
    wait,
    lost: (failure: Failure) => void table.told.push(failure.code),
    back: () => void table.told.push("back"),
  };
  for await (const { id } of follow(table, { limit: 100 }, from, reader)) ids.push(id);
  return ids;
}

const idle = (count: number) => Array.from({ length: count }, () => () => {});
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test("following continues after the last row and prints each once", async () => {
  const table = new Table();
  table.add(1, 2);
  const add = (id: number) => () => table.add(id);
  assert.deepEqual(await followed(table, [add(3), add(4), () => {}, add(5), ...idle(20)]), [3, 4, 5]);
});

test("a row whose transaction ended after one with a greater id is not missed", async () => {
  const table = new Table();
  table.add(1);
  const add = (id: number) => () => table.add(id);
  assert.deepEqual(await followed(table, [add(3), add(4), add(2), ...idle(20)]), [3, 4, 2]);
});

test("however long its transaction took, and despite concurrent writers", async () => {
  const table = new Table();
  table.add(1);
  const begin = () => {
    table.writing = ["slow"];
  };
  const others = Array.from({ length: 100 }, (_, index) => () => {
    table.add(10 + index);
    table.writing = ["slow", `other ${index}`];
  });
  const end = () => {
    table.add(2);
    table.writing = [];
  };
  const ids = await followed(table, [begin, ...others, end, ...idle(20)]);
  assert.deepEqual(ids, [...Array.from({ length: 100 }, (_, index) => 10 + index), 2]);
  assert.equal(table.asked.at(-1)?.after, 109, "and then it is over");
});

test("a row that was being written when following began is new", async () => {
  for (const ids of [[1, 3], upTo(2_000).filter((id) => id !== 1_990)]) {
    const table = new Table();
    table.add(...ids);
    const late = ids.length === 2 ? 2 : 1_990;
    assert.deepEqual(await followed(table, [() => table.add(late), ...idle(20)]), [late]);
  }
});

test("many rows at once are all printed, and an old one is not read for ever", async () => {
  const table = new Table();
  assert.deepEqual(await followed(table, [() => table.add(...upTo(2_500)), ...idle(12)]), upTo(2_500));
  assert.equal(table.asked.at(-1)?.after, 2_500);
});

test("the newest rows are listed first; older ones are not printed later", async () => {
  const table = new Table();
  table.add(...upTo(50));
  const { rows, followed: from } = await newest(table, { limit: 3 });
  assert.deepEqual(
    rows.map(({ id }) => id),
    [48, 49, 50],
  );
  assert.deepEqual([from.known.length, from.last], [50, 50]);
  assert.deepEqual(await followed(table, [() => table.add(51), ...idle(20)]), [51]);
});

test("an unavailable or busy database is reported once, and so is its return; no row is missed or printed twice", async () => {
  for (const code of ["store_unavailable", "store_busy"] as const) {
    const table = new Table();
    table.add(1, 2);
    const fail = () => {
      table.trouble = new Failure(code);
    };
    // The first thousand are printed, then it is away.
    const failWithin = () => {
      fail();
      table.before = 1;
      table.add(...upTo(1_502).slice(3));
      table.writing = ["slow"];
    };
    const again = () => {
      table.trouble = undefined;
    };
    const late = () => {
      table.add(3);
      table.writing = [];
    };
    const steps = [failWithin, ...idle(20), again, late, ...idle(20), fail, () => {}, again];
    assert.deepEqual(await followed(table, steps), [...upTo(1_502).slice(3), 3]);
    assert.deepEqual(table.told, [code, "back", code, "back"]);
  }
});

test("any other error ends it", async () => {
  const table = new Table();
  const trouble = new Failure("internal");
  const fail = () => {
    table.trouble = trouble;
  };
  await assert.rejects(followed(table, [fail, ...idle(3)]), trouble);
  assert.deepEqual(table.told, []);
});
