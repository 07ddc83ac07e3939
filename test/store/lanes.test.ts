import assert from "node:assert/strict";
import { test } from "node:test";
import type { RotateSession } from "../../src/domain/ports.ts";
import { Failure } from "../../src/errors.ts";
import { newUuid, type Uuid } from "../../src/lib/uuid.ts";
import { Lanes } from "../../src/store/lanes.ts";
import { refresh } from "./support.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

function scene() {
  const lanes = new Lanes();
  const begun: { name: string; end: () => void; fail: (error: Error) => void }[] = [];
  const rotate = (session: Uuid, name: string) => {
    const args: RotateSession = refresh(session, 0, "t");
    return lanes.run(
      "session.rotate",
      args,
      () => new Promise<string>((end, fail) => begun.push({ name, end: () => end(name), fail })),
    );
  };
  return { lanes, begun, rotate, names: () => begun.map(({ name }) => name) };
}

test("of one session one after the other, of two at once, whatever became of the one before", async () => {
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

test("other commands wait for nobody", async () => {
  const { lanes } = scene();
  const never = lanes.run("audit.append", [], () => new Promise(() => {}));
  assert.equal(await lanes.run("audit.append", [], async () => "done"), "done");
  assert.ok(never instanceof Promise);
});

test("who has waited for too long is not served later, and nobody overtakes", async (t) => {
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
