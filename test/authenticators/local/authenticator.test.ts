import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import bcrypt from "bcryptjs";
import { LocalAuthenticator } from "../../../src/authenticators/local/authenticator.ts";
import { OF_NODE } from "../../../src/authenticators/passwords/derive.ts";
import { PasswordHasher } from "../../../src/authenticators/passwords/hasher.ts";
import type { Store } from "../../../src/domain/ports/store.ts";
import { NOW, ORIGIN, openFor } from "../../store/support.ts";

const COST = { memory: 7168, passes: 1, parallelism: 1 };
const ASKER = { source: "test" };
const PASSWORD = "correct horse battery";

interface Scene {
  readonly store: Store;
  readonly authenticator: LocalAuthenticator;
  /** What was computed, in order. */
  readonly work: string[];
  readonly warnings: string[];
}

/** With accounts ada (argon2id), bob (bcrypt) and cleo (disabled). */
async function scene(t: TestContext, argon2 = true): Promise<Scene> {
  const store = await openFor(t, null);
  const real = new PasswordHasher();
  const work: string[] = [];
  const hasher = new PasswordHasher({
    derivations: {
      scrypt: (...args) => {
        work.push("scrypt");
        return OF_NODE.scrypt(...args);
      },
      argon2id: argon2
        ? async (message, salt, length, cost) => {
            work.push(`argon2id ${cost.memory}`);
            return (await OF_NODE.argon2id?.(message, salt, length, cost)) ?? Buffer.alloc(0);
          }
        : undefined,
    },
    bcrypt: {
      check: async (password, hash) => {
        work.push("bcrypt");
        return bcrypt.compareSync(password, hash);
      },
    },
  });
  const account = { email: null, state: "active", groups: [] } as const;
  const hash = (password: string) => real.hash(password, COST, ASKER);
  await store.localAccounts.add({
    provider: "lab",
    accounts: [
      { ...account, name: "ada", password: await hash(PASSWORD), groups: ["staff", "beam"] },
      { ...account, name: "bob", password: bcrypt.hashSync(PASSWORD, 4) },
      { ...account, name: "cleo", password: await hash(PASSWORD), state: "disabled" },
    ],
    admin: false,
    as: "added",
    now: NOW,
    context: ORIGIN,
  });
  const warnings: string[] = [];
  const context = {
    provider: "lab",
    directory: "/",
    warn: (message: string) => warnings.push(message),
    own: { accounts: () => store.localAccounts, key: Buffer.alloc(32, 7) },
  };
  return { store, work, warnings, authenticator: new LocalAuthenticator({ hash: COST }, context, hasher) };
}

test("the right password gives the account's own name and its groups", async (t) => {
  const { authenticator } = await scene(t);
  await authenticator.start();
  for (const name of ["ada", "ADA", "\uff21da"])
    assert.deepEqual(await authenticator.authenticate(name, PASSWORD), {
      id: "ada",
      state: { groups: ["beam", "staff"] },
    });
  for (const [name, password] of [
    ["ada", `${PASSWORD}!`],
    ["ada", ""],
    ["ada", `${PASSWORD}\0`],
    ["ada\0", PASSWORD],
    ["ada", "\ud800"],
    ["ada", PASSWORD.repeat(20)],
    ["cleo", PASSWORD],
    ["dan", PASSWORD],
  ] as const)
    assert.equal(await authenticator.authenticate(name, password), null, `${name} ${password.length}`);
});

test("an unknown name costs one hash, of a kind that it keeps, and all kinds of the accounts occur", async (t) => {
  const { authenticator, work } = await scene(t);
  const kindOf = async (name: string) => {
    work.length = 0;
    assert.equal(await authenticator.authenticate(name, "wrong password, long"), null);
    assert.equal(work.length, 1, name);
    return work[0] ?? "";
  };
  assert.deepEqual(await kindOf("ada"), "argon2id 7168");
  assert.deepEqual(await kindOf("bob"), "bcrypt");
  assert.deepEqual(await kindOf("cleo"), "argon2id 7168");
  const kinds = new Map<string, number>();
  for (let index = 0; index < 60; index += 1) {
    const kind = await kindOf(`unknown${index}`);
    assert.equal(await kindOf(`UNKNOWN${index}`), kind);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  assert.deepEqual([...kinds.keys()].sort(), ["argon2id 7168", "bcrypt"]);
  assert.ok((kinds.get("argon2id 7168") ?? 0) > (kinds.get("bcrypt") ?? 0));
});

test("a hash of another kind is renewed at the right password alone", async (t) => {
  const { authenticator, store, work } = await scene(t);
  const stored = async () => (await store.localAccounts.find("lab", "bob"))?.password ?? "";
  await authenticator.authenticate("bob", "wrong");
  assert.match(await stored(), /^\$2b\$/);
  assert.deepEqual(await authenticator.authenticate("bob", PASSWORD), { id: "bob", state: { groups: [] } });
  assert.match(await stored(), /^\$argon2id\$v=19\$m=7168,t=1,p=1\$/);
  work.length = 0;
  assert.notEqual(await authenticator.authenticate("bob", PASSWORD), null);
  assert.deepEqual(work, ["argon2id 7168"]);
});

test("a start without argon2id is refused where the database has such hashes", async (t) => {
  const { authenticator } = await scene(t, false);
  await assert.rejects(authenticator.start(), { message: /cannot check\. Use Node 24\.7 or newer/ });
});

test("a start tells where there is no account yet, and a missing list of words stops it", async (t) => {
  const { authenticator, warnings, store } = await scene(t);
  await authenticator.start();
  assert.equal(warnings.length, 0);
  const context = {
    provider: "new",
    directory: "/nowhere",
    warn: (message: string) => warnings.push(message),
  };
  const own = { accounts: () => store.localAccounts, key: Buffer.alloc(32) };
  await new LocalAuthenticator({}, { ...context, own }).start();
  const [first = ""] = warnings as readonly string[];
  assert.match(first, /no account has a password yet\. Add one: tiled admin user add NAME --provider new/);
  const wrong = new LocalAuthenticator({ password: { blocklist: "words.txt" } }, { ...context, own });
  await assert.rejects(wrong.start(), { message: /^args\.password\.blocklist: / });
});

test("a hash in an unknown form is the operator's trouble, and stands in no message", async (t) => {
  const { authenticator, store } = await scene(t);
  const password = "$unknown$form";
  await store.localAccounts.setPassword({
    provider: "lab",
    name: "ada",
    password,
    now: NOW,
    context: ORIGIN,
  });
  await assert.rejects(authenticator.authenticate("ada", PASSWORD), (error: Error & { code?: string }) => {
    assert.equal(error.code, "bad_gateway");
    assert.doesNotMatch(error.message, /\$unknown/);
    return true;
  });
});
