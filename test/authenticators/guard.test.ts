import assert from "node:assert/strict";
import { test } from "node:test";
import { guarded } from "../../src/authenticators/guard.ts";
import type { PasswordAuthenticator } from "../../src/domain/ports/authenticator.ts";
import { Failure } from "../../src/errors.ts";

/** An operator's class is not type-checked: it may return anything. */
function own(authenticate: (...all: unknown[]) => unknown): PasswordAuthenticator {
  return guarded({
    kind: "password",
    confirmationMessage: "Hello",
    authenticate,
  } as unknown as PasswordAuthenticator);
}

async function isBroken(login: Promise<unknown>, log: RegExp): Promise<void> {
  await assert.rejects(login, (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, "bad_gateway");
    assert.match(error.message, log);
    return true;
  });
}

test("an identity and null pass, with their arguments", async () => {
  const seen: unknown[] = [];
  const good = own((...all) => {
    seen.push(...all);
    return { id: "alice", state: { group: "lab" }, password: "secret1" };
  });
  const { signal } = new AbortController();
  assert.deepEqual(await good.authenticate("alice", "secret1", signal, "192.0.2.7"), {
    id: "alice",
    state: { group: "lab" },
  });
  assert.deepEqual(seen, ["alice", "secret1", signal, "192.0.2.7"]);
  assert.equal(await own(() => null).authenticate("alice", "x"), null);
  assert.equal(good.confirmationMessage, "Hello");
  await good.start?.();
  await good.stop?.();
});

test("any other answer admits no one", async () => {
  const wrong = [
    undefined,
    true,
    false,
    1,
    0,
    "",
    "alice",
    {},
    [],
    { id: 7 },
    { id: null },
    { ID: "alice" },
    () => "alice",
  ];
  for (const answer of wrong)
    await isBroken(own(() => answer).authenticate("alice", "x"), /returned neither null nor/);
  for (const state of [null, "text", 7, []]) {
    await isBroken(
      own(() => ({ id: "alice", state })).authenticate("alice", "x"),
      /'state' that is not an object/,
    );
  }
});

test("any other error is a broken backend; a Failure is kept", async () => {
  const thrown = [new Error("no network"), new TypeError("x is undefined"), "no network", undefined, null];
  for (const error of thrown) {
    const login = own(() => {
      throw error;
    }).authenticate("alice", "x");
    await isBroken(login, /The authenticator failed: /);
  }
  const failure = new Failure("gateway_timeout");
  await assert.rejects(own(() => Promise.reject(failure)).authenticate("alice", "x"), failure);
});

test("a cancelled login ends as cancelled, not as a broken backend", async () => {
  const abort = new AbortController();
  const waiting = own(
    () =>
      new Promise((_, reject) => abort.signal.addEventListener("abort", () => reject(abort.signal.reason))),
  );
  const login = waiting.authenticate("alice", "x", abort.signal);
  abort.abort(new Error("client gone"));
  await assert.rejects(login, /client gone/);
});

test("methods keep their own 'this'", async () => {
  class Own {
    readonly kind = "password";
    readonly confirmationMessage = "";
    #log: string[] = [];
    async authenticate(id: string): Promise<{ id: string }> {
      return { id: `${id}${this.#log}` };
    }
    async start(): Promise<void> {
      this.#log.push("!");
    }
  }
  const authenticator = guarded(new Own());
  await authenticator.start?.();
  assert.deepEqual(await authenticator.authenticate("alice", "x"), { id: "alice!" });
});
