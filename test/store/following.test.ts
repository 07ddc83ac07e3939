/**
 * Following the audit table on PostgreSQL, where rows become visible in another order than that of their ids: nothing is
 * missed, and no request waits for it.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { main } from "../../src/cli/program.ts";
import { follow, newest } from "../../src/domain/audit-following.ts";
import type { Store } from "../../src/domain/ports/store.ts";
import type { Failure } from "../../src/errors.ts";
import { eventually } from "../support/eventually.ts";
import { TestTerminal, tiled } from "../support/terminal.ts";
import { onPrivatePostgres, type PostgresCases } from "./on-postgres.ts";
import { at, logIn, ORIGIN, openFor } from "./support.ts";

const FILTER = { limit: 100 };
const INSERT =
  "insert into tiled_auth_audit (time, event, address, detail) values (now(), 'login_failed', 'late', '{}') returning id";

/** A transaction of another program. */
async function transaction(t: TestContext, uri: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  t.after(() => client.end());
  await client.query("begin");
  return client;
}

/** Follows the table; before each further reading the next step is done. The addresses in the order of their printing. */
async function followed(store: Store, steps: readonly (() => Promise<unknown>)[]): Promise<unknown[]> {
  const stop = new AbortController();
  const left = [...steps];
  const wait = async () => {
    const step = left.shift();
    if (step === undefined) stop.abort();
    else await step();
  };
  const from = (await newest(store.audit, FILTER)).followed;
  const reader = {
    stop: stop.signal,
    wait,
    lost: (failure: Failure) => assert.fail(failure),
    back: () => assert.fail(),
  };
  const addresses: unknown[] = [];
  for await (const { address } of follow(store.audit, FILTER, from, reader)) addresses.push(address);
  return addresses;
}

const idle = (count: number) => Array.from({ length: count }, () => async () => {});

function append(store: Store, address: string): Promise<void> {
  const context = { ...ORIGIN, address };
  return store.audit.append([
    { ...context, time: at(0), event: "login", principal: null, identity: null, detail: {} },
  ]);
}

/** `tiled admin audit --follow --json`, until the test ends it. */
function command(uri: string) {
  const terminal = new TestTerminal();
  const ended = main(
    ["admin", "audit", "--follow", "--json", "--database", `${uri}?sslmode=disable`],
    terminal,
  );
  const addresses = () =>
    terminal.stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { readonly address: string }).address);
  return {
    terminal,
    ended,
    addresses,
    shows: (address: string) => eventually(10, async () => addresses().includes(address)),
    interrupt: async () => {
      terminal.events.emit("SIGINT");
      return ended;
    },
  };
}

const CASES: PostgresCases = {
  "a row with the smaller id that is committed later is printed, once": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const slow = await transaction(t, uri);
    const begin = () => slow.query(INSERT);
    const later = () => append(store, "later");
    const end = () => slow.query("commit");
    assert.deepEqual(await followed(store, [begin, later, ...idle(30), end, ...idle(30)]), ["later", "late"]);
  },

  "also where it was being written when following began": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const slow = await transaction(t, uri);
    await slow.query(INSERT);
    await append(store, "listed");
    assert.deepEqual(await followed(store, [...idle(30), () => slow.query("commit"), ...idle(30)]), ["late"]);
  },

  "a rolled-back row delays nothing": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const slow = await transaction(t, uri);
    await slow.query(INSERT);
    assert.equal((await store.audit.writers()).length, 1);
    await slow.query("rollback");
    assert.deepEqual(await store.audit.writers(), []);
  },

  "neither following nor a login waits for a vacuum of the table": async (t, _, uri) => {
    const store = await openFor(t, uri);
    const vacuum = await transaction(t, uri);
    await vacuum.query("lock table tiled_auth_audit in share update exclusive mode");
    const from = performance.now();
    const seen = await followed(store, [() => append(store, "a"), () => logIn(store, "ann"), ...idle(3)]);
    assert.ok(performance.now() - from < 2_000);
    assert.deepEqual(seen, ["a", ORIGIN.address, ORIGIN.address]);
    await vacuum.query("commit");
  },

  "following needs only the right to read the tables": async (t, server, uri) => {
    const store = await openFor(t, uri);
    await append(store, "before");
    const role = `reader_${new URL(uri).pathname.slice(1)}`;
    await server.query(uri, `create role ${role} login`);
    await server.query(uri, `grant select on all tables in schema public to ${role}`);
    const following = command(uri.replace("//tests@", `//${role}@`));
    assert.ok(await following.shows("before"), following.terminal.stderr);
    const slow = await transaction(t, uri);
    await slow.query(INSERT);
    await append(store, "after");
    assert.ok(await following.shows("after"), following.terminal.stderr);
    await slow.query("commit");
    assert.ok(await following.shows("late"), following.terminal.stderr);
    await delay(1_500);
    assert.equal(await following.interrupt(), 0);
    assert.deepEqual(following.addresses(), ["before", "after", "late"]);
    assert.equal(following.terminal.stderr, "");
  },

  "the start and end of a restart are reported in one line each; following continues": async (
    t,
    server,
    uri,
  ) => {
    const store = await openFor(t, uri);
    await append(store, "before");
    const following = command(uri);
    const { terminal } = following;
    assert.ok(await following.shows("before"), terminal.stderr);
    await server.halt();
    assert.ok(await eventually(10, async () => terminal.stderr !== ""));
    assert.match(
      (await tiled(["admin", "audit", "--database", uri])).stderr,
      /cannot be used: .*ECONNREFUSED/,
    );
    await delay(2_500);
    await server.start();
    await append(store, "after");
    assert.ok(await following.shows("after"), terminal.stderr);
    assert.ok(await eventually(10, async () => /again/.test(terminal.stderr)));
    assert.equal(await following.interrupt(), 0);
    assert.match(
      terminal.stderr,
      /^The database cannot be read, and is tried again: .+\nThe database can be read again\.\n$/,
    );
    assert.deepEqual(following.addresses(), ["before", "after"]);
  },

  "Ctrl-C ends it at once, also while a reading hangs": async (t, _, uri) => {
    const store = await openFor(t, uri);
    await append(store, "before");
    const following = command(uri);
    const { terminal } = following;
    assert.ok(await following.shows("before"), terminal.stderr);
    const other = await transaction(t, uri);
    await other.query("lock table tiled_auth_audit in access exclusive mode");
    await delay(1_500);
    const ended = following.interrupt();
    assert.ok(await eventually(1, async () => terminal.exits.length > 0));
    assert.deepEqual(terminal.exits, [0]);
    await other.query("commit");
    assert.equal(await ended, 0);
    assert.equal(terminal.stderr, "");
  },
};

onPrivatePostgres(CASES);
