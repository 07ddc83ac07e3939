import assert from "node:assert/strict";
import { test } from "node:test";
import bcrypt from "bcryptjs";
import type { Derivations } from "../../../src/authenticators/passwords/derive.ts";
import { OF_NODE } from "../../../src/authenticators/passwords/derive.ts";
import { ARGON2_COST, PasswordHasher } from "../../../src/authenticators/passwords/hasher.ts";
import { kindOfHash, readHash } from "../../../src/authenticators/passwords/stored.ts";

const CHEAP = { memory: 7168, passes: 1, parallelism: 1 };
const ASKER = { source: "192.0.2.1" };
const PASSWORD = "correct horse battery";

test("a hash is argon2id with a salt of its own, and only its password is right", async () => {
  const hasher = new PasswordHasher();
  const [one, other] = await Promise.all([
    hasher.hash(PASSWORD, ARGON2_COST, ASKER),
    hasher.hash(PASSWORD, ARGON2_COST, ASKER),
  ]);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.notEqual(one, other);
  assert.deepEqual(await hasher.check(PASSWORD, one, ARGON2_COST, ASKER), { right: true, outdated: false });
  assert.equal((await hasher.check(`${PASSWORD} `, one, ARGON2_COST, ASKER)).right, false);
  assert.equal((await hasher.check(PASSWORD, one, CHEAP, ASKER)).outdated, true);
});

test("a PHC string of another program is read", async () => {
  const known = "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  assert.notEqual(readHash(known), undefined);
});

test("a password is the same in composed and decomposed form", async () => {
  const hasher = new PasswordHasher();
  const hash = await hasher.hash("pâté de campagne é", CHEAP, ASKER);
  assert.equal((await hasher.check("pâté de campagne é".normalize("NFD"), hash, CHEAP, ASKER)).right, true);
});

test("without argon2id new hashes are scrypt, and are renewed where there is argon2id", async () => {
  const old = new PasswordHasher({ derivations: { ...OF_NODE, argon2id: undefined } });
  const hash = await old.hash(PASSWORD, ARGON2_COST, ASKER);
  assert.match(hash, /^\$scrypt\$ln=15,r=8,p=3\$/);
  assert.deepEqual(await old.check(PASSWORD, hash, ARGON2_COST, ASKER), { right: true, outdated: false });
  const today = new PasswordHasher();
  assert.deepEqual(await today.check(PASSWORD, hash, ARGON2_COST, ASKER), { right: true, outdated: true });
  await assert.rejects(
    old.check(PASSWORD, await today.hash(PASSWORD, CHEAP, ASKER), CHEAP, ASKER),
    /no argon2id/,
  );
});

test("bcrypt and a wrapped SHA-1 are checked, and are outdated", async () => {
  const hasher = new PasswordHasher();
  const hash = bcrypt.hashSync("old", 4);
  assert.deepEqual(await hasher.check("old", hash, CHEAP, ASKER), { right: true, outdated: true });
  assert.equal((await hasher.check("new", hash.replace("$2b$", "$2y$"), CHEAP, ASKER)).right, false);
  // htpasswd -s
  const sha1 = await hasher.wrapSha1("9f3Mzdd6Q7rhgeGpxuaKB/DMcls=", CHEAP, ASKER);
  assert.match(sha1, /^\$sha1\+argon2id\$/);
  assert.equal(kindOfHash(sha1), "argon2id of sha1");
  const both = await Promise.all(
    ["old", "9f3Mzdd6Q7rhgeGpxuaKB/DMcls="].map((word) => hasher.check(word, sha1, CHEAP, ASKER)),
  );
  assert.equal(both[1]?.right, false, "the digest itself is not the password");
});

test("two passwords at a time: the third waits, places take turns, and a full queue is 503", async () => {
  let running = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  const begun: string[] = [];
  const argon2id: Derivations["argon2id"] = async (password) => {
    begun.push(Buffer.from(password).toString());
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => ends.push(resolve));
    running -= 1;
    return Buffer.alloc(32);
  };
  const limits = { atOnce: 2, waiting: 4, waitSeconds: 60 };
  const hasher = new PasswordHasher({ derivations: { ...OF_NODE, argon2id }, limits });
  const hash = (password: string, source: string) => hasher.hash(password, CHEAP, { source });
  const all = ["a1", "a2", "a3", "a4", "a5"].map((password) => hash(password, "a"));
  const full = hash("b1", "b");
  const displaced = hash("c1", "c");
  const settled = Promise.allSettled([...all, full, displaced]);
  await new Promise(setImmediate);
  assert.deepEqual(begun, ["a1", "a2"]);
  for (let turn = 0; turn < 8; turn += 1) {
    ends.shift()?.();
    await new Promise(setImmediate);
  }
  assert.equal(most, 2);
  assert.deepEqual(begun, ["a1", "a2", "a3", "b1", "c1", "a4"]);
  const results = await settled;
  assert.deepEqual(
    results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : [])),
    ["logins_busy"],
  );
});

test("by default two passwords are hashed at a time", async () => {
  const ends: (() => void)[] = [];
  const argon2id = () =>
    new Promise<Buffer>((resolve) => {
      ends.push(() => resolve(Buffer.alloc(32)));
    });
  const hasher = new PasswordHasher({ derivations: { ...OF_NODE, argon2id } });
  const all = Promise.all(
    ["1", "2", "3"].map((password) => hasher.hash(password, CHEAP, { source: password })),
  );
  await new Promise(setImmediate);
  assert.equal(ends.length, 2);
  for (const end of ends) end();
  await new Promise(setImmediate);
  assert.equal(ends.length, 3);
  ends[2]?.();
  await all;
});

test("the event loop turns while a password is checked, whatever its kind", async () => {
  const hasher = new PasswordHasher();
  const hashes = [bcrypt.hashSync("old", 8), await hasher.hash("old", ARGON2_COST, ASKER)];
  for (const hash of hashes) {
    let turns = 0;
    let checking = true;
    const turn = () => {
      turns += 1;
      if (checking) setImmediate(turn);
    };
    setImmediate(turn);
    await hasher.check("old", hash, ARGON2_COST, ASKER);
    checking = false;
    assert.ok(turns >= 3, kindOfHash(hash));
  }
});

test("an abort leaves the queue", async () => {
  let end = () => {};
  const argon2id = () =>
    new Promise<Buffer>((resolve) => {
      end = () => resolve(Buffer.alloc(32));
    });
  const limits = { atOnce: 1, waiting: 4, waitSeconds: 60 };
  const hasher = new PasswordHasher({ derivations: { ...OF_NODE, argon2id }, limits });
  const first = hasher.hash("1", CHEAP, ASKER);
  const controller = new AbortController();
  const second = hasher.hash("2", CHEAP, { ...ASKER, signal: controller.signal });
  controller.abort(new Error("gone"));
  await assert.rejects(second, /gone/);
  end();
  await first;
});

test("hashes of other forms, and such that would cost too much, are not read", () => {
  for (const text of [
    "",
    "secret",
    "$apr1$Qo9vJZ3p$QqT9yZC1vkzXXXXXXXXXX/",
    "$1$salt$22characterslonghash00",
    "$6$salt$hash",
    "{SHA}9f3Mzdd6Q7rhgeGpxuaKB/DMcls=",
    "$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234",
    "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$argon2id$v=19$m=65536,t=9999,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$scrypt$ln=30,r=8,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    // Each cost alone is allowed.
    "$scrypt$ln=18,r=16,p=16$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$sha1+2b$04$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyz01234",
  ])
    assert.equal(readHash(text), undefined, text);
});
