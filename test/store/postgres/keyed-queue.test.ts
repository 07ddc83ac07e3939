import assert from "node:assert/strict";
import { test } from "node:test";
import type { RotateSession } from "../../../src/domain/ports/sessions.ts";
import { Failure } from "../../../src/errors.ts";
import { sha256 } from "../../../src/lib/secrets.ts";
import { newUuid, type Uuid } from "../../../src/lib/uuid.ts";
import { KeyedQueue } from "../../../src/store/postgres/keyed-queue.ts";
import { login, NOW, newKey, ORIGIN, refresh } from "../support.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

function scene() {
  const queue = new KeyedQueue();
  const begun: { name: string; end: () => void; fail: (error: Error) => void }[] = [];
  const rotate = (session: Uuid, name: string) => {
    const args: RotateSession = refresh(session, 0, "t");
    return queue.run(
      "session.rotate",
      args,
      () => new Promise<string>((end, fail) => begun.push({ name, end: () => end(name), fail })),
    );
  };
  return { queue, begun, rotate, names: () => begun.map(({ name }) => name) };
}

test("commands of one session run one after the other, those of two at once, whatever the result of the previous one", async () => {
  const { begun, rotate, names } = scene();
  const [one, other] = [newUuid(), newUuid()];
  const all = [rotate(one, "a"), rotate(one, "b"), rotate(one, "c"), rotate(other, "x")];
  await turn();
  assert.deepEqual(names(), ["a", "x"]);
  begun[0]?.fail(new Error("no"));
  await assert.rejects(all[0] ?? Promise.resolve(), /no/);
  await turn();
  assert.deepEqual(names(), ["a", "x", "b"]);
  begun[2]?.end();
  await turn();
  assert.deepEqual(names(), ["a", "x", "b", "c"]);
  for (const { end } of begun) end();
  assert.deepEqual(await Promise.all(all.slice(1)), ["b", "c", "x"]);
  const again = rotate(one, "d");
  assert.equal(names().at(-1), "d");
  begun.at(-1)?.end();
  assert.equal(await again, "d");
});

test("commands of one principal run one after the other; another's are not delayed", async () => {
  const queue = new KeyedQueue();
  const [ann, bob] = [newUuid(), newUuid()];
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  const by = (actor: Uuid) => ({ context: { ...ORIGIN, actor }, now: NOW });
  const all = [
    queue.run("session.revoke", { ...by(ann), session: newUuid(), principal: ann }, work("session.revoke")),
    queue.run("account.revoke_others", { ...by(ann), principal: ann, keep: newUuid() }, work("others")),
    queue.run("api_key.revoke", { ...by(ann), principal: bob, firstEight: "01234567" }, work("key")),
    queue.run("api_key.create", { ...newKey(ann), ...by(ann) }, work("new key")),
    queue.run("session.revoke", { ...by(bob), session: newUuid(), principal: bob }, work("bob's")),
  ];
  const order: string[][] = [];
  for (let round = 0; round < 5; round++) {
    await turn();
    order.push(begun.splice(0));
    ends.shift()?.();
  }
  await Promise.all(all);
  assert.deepEqual(order, [["session.revoke", "bob's"], ["others"], [], ["key"], ["new key"]]);
});

test("all logins of one identity run one after the other", async () => {
  const queue = new KeyedQueue();
  let begun = 0;
  const work = () => {
    begun += 1;
    return new Promise<void>(() => undefined);
  };
  const open = { ...login("ann"), state: "{}" };
  const token = sha256("x");
  void queue.run("session.open", open, work);
  void queue.run("browser_session.open", { token, open, replaces: null }, work);
  void queue.run("browser_login.redeem_code", { code: token, open }, work);
  void queue.run("device.collect", { deviceCode: token, open }, work);
  await turn();
  assert.equal(begun, 1);
});

test("other commands do not wait", async () => {
  const { queue } = scene();
  const never = queue.run("audit.append", [], () => new Promise(() => {}));
  assert.equal(await queue.run("audit.append", [], async () => "done"), "done");
  assert.ok(never instanceof Promise);
});

test("a command that timed out is not run later, and none overtakes another", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { begun, rotate, names } = scene();
  const session = newUuid();
  const first = rotate(session, "a");
  const late = rotate(session, "b").catch((error: unknown) => error);
  t.mock.timers.tick(5000);
  const failure = await late;
  assert.ok(failure instanceof Failure && failure.code === "store_busy");
  const third = rotate(session, "c");
  await turn();
  assert.deepEqual(names(), ["a"]);
  begun[0]?.end();
  await first;
  await turn();
  assert.deepEqual(names(), ["a", "c"]);
  begun[1]?.end();
  assert.equal(await third, "c");
});
