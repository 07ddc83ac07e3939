/** Members of groups, people by number, and login tokens of a session. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaveGroup, CavePerson } from "../../../src/domain/model/cave.ts";
import { Failure, type FailureCode } from "../../../src/errors.ts";
import { ORIGIN, scene } from "./scene.ts";

const failsWith = (code: FailureCode) => (error: unknown) => error instanceof Failure && error.code === code;
const toy = (id: string) => ({ provider: "toy", id });

function group(changes: Partial<CaveGroup>): CaveGroup {
  return { id: 1, name: "all", everyone: false, members: [], admins: [], permissions: new Map(), ...changes };
}

test("members are the people who have logged in, admins among them, each once; services are not listed", async () => {
  await using s = await scene();
  for (const name of ["bob", "cara"]) await s.logIn(name);
  const made = await s.store.principals.createService({ role: "user", now: s.now(), context: ORIGIN });
  assert.ok(made.kind === "created");
  const names = async (changes: Partial<CaveGroup>) =>
    (await s.people.members(group(changes))).map(({ name }) => name);
  const members = [toy("cara"), { service: made.uuid }, toy("never here"), toy("ann")];
  assert.deepEqual(await names({ members, admins: [toy("ann")] }), ["ann", "cara"]);
  assert.deepEqual(await names({}), []);
  assert.deepEqual(await names({ everyone: true, members }), ["ann", "bob", "cara"]);
});

test("a group with thousands of named members is looked up in parts", async (t) => {
  await using s = await scene();
  const find = t.mock.method(s.store.cave, "peopleByIdentity");
  const members = [...Array.from({ length: 2500 }, (_, index) => toy(`user ${index}`)), toy("ann")];
  assert.equal((await s.people.members(group({ members }))).length, 1);
  const asked = find.mock.calls.map(({ arguments: [identities] }) => identities?.length ?? 0);
  assert.deepEqual(asked, [1000, 1000, 501]);
});

test("more than 10,000 members of a group of everyone are not listed", async (t) => {
  await using s = await scene();
  const ann = await s.people.person(s.ann.principal.uuid);
  assert.ok(ann);
  const crowd = (size: number) =>
    t.mock.method(s.store.cave, "people", async (after: number, limit: number) => {
      const count = Math.max(0, Math.min(limit, size - after));
      return Array.from({ length: count }, (_, index): CavePerson => ({ ...ann, id: after + index + 1 }));
    });
  const mocked = crowd(10_000);
  assert.equal((await s.people.members(group({ everyone: true }))).length, 10_000);
  mocked.mock.restore();
  crowd(1_000_000);
  await assert.rejects(s.people.members(group({ everyone: true })), (error) => {
    assert.ok(failsWith("limit_reached")(error));
    assert.match(String(error), /The group all has more than 10000 members/);
    return true;
  });
});

test("people are found by number; numbers that no person can have are left out, and a thousand are enough", async () => {
  await using s = await scene();
  const bob = await s.logIn("bob");
  const known = await s.people.person(bob.principal.uuid);
  assert.ok(known);
  const numbers = [known.id, 0, -1, 1.5, Number.NaN, 2 ** 31, 2 ** 60, known.id, 999];
  assert.deepEqual(await s.people.byNumber(numbers), [known]);
  assert.deepEqual(await s.people.byNumber([]), []);
  const many = Array.from({ length: 1001 }, (_, index) => index + 1);
  await assert.rejects(s.people.byNumber(many), failsWith("limit_reached"));
  assert.equal((await s.people.byNumber(many.slice(1))).length, 1);
});

test("beyond 200 login tokens of a session the oldest ends at once", async () => {
  await using s = await scene();
  const first = await s.newLogin();
  await s.identify(first);
  s.clock.advance(0.1);
  for (let count = 1; count < 200; count++) await s.newLogin();
  await s.identify(first);
  await s.newLogin();
  await assert.rejects(s.identify(first), failsWith("invalid_token"));
});
