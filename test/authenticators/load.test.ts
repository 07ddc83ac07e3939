import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  loadAuthenticators,
  startAuthenticators,
  stopAuthenticators,
} from "../../src/authenticators/load.ts";
import type { Authenticator } from "../../src/domain/ports/authenticator.ts";
import { OperatorError } from "../../src/errors.ts";
import { folder, load, provider, refusal } from "./loading.ts";

const DICTIONARY = "tiled.authenticators:DictionaryAuthenticator";

describe("names from the table", () => {
  test("each is loaded with its defaults", async () => {
    const made = await load(
      provider(DICTIONARY, { users_to_passwords: { alice: "secret1" } }, "list", 0),
      provider("tiled.authenticators:DummyAuthenticator", {}, "anybody", 1),
      provider("tiled.authenticators:PAMAuthenticator", {}, "machine", 2),
    );
    assert.deepEqual([...made.keys()], ["list", "anybody", "machine"]);
    for (const authenticator of made.values()) assert.equal(authenticator.confirmationMessage, "");
    assert.deepEqual(await made.get("list")?.authenticate("alice", "secret1"), { id: "alice" });
  });

  test("two providers of one class are two authenticators", async () => {
    const made = await load(
      provider(DICTIONARY, { users_to_passwords: { alice: "one" } }, "first", 0),
      provider(DICTIONARY, { users_to_passwords: { alice: "two" } }, "second", 1),
    );
    assert.deepEqual(await made.get("first")?.authenticate("alice", "one"), { id: "alice" });
    assert.equal(await made.get("second")?.authenticate("alice", "one"), null);
  });

  test("a warning names its provider", async () => {
    const warnings: string[] = [];
    const dummy = provider("tiled.authenticators:DummyAuthenticator", {}, "toy");
    await loadAuthenticators({
      providers: [dummy],
      directory: folder,
      warn: (message) => warnings.push(message),
    });
    assert.match(warnings.join(), /^Provider 'toy': .*every user name/);
  });

  test("a misspelling suggests the nearest name", async () => {
    assert.match(
      await refusal(provider("tiled.authenticators:DictionaryAuthenticatr")),
      /Did you mean 'tiled\.authenticators:DictionaryAuthenticator'\?/,
    );
    assert.match(
      await refusal(provider("PAMAuthenticator")),
      /must be written 'tiled\.authenticators:PAMAuthenticator'/,
    );
    for (const name of [
      "tiled.authenticators:constructor",
      "tiled.authenticators:__proto__",
      "tiled.authenticators:",
    ]) {
      assert.match(await refusal(provider(name)), /is not known/);
    }
  });

  test("two providers of one name", async () => {
    const dummy = "tiled.authenticators:DummyAuthenticator";
    const message = await refusal(provider(dummy, {}, "lab", 0), provider(dummy, {}, "lab", 1));
    assert.match(message, /config\.yml:4: authentication\.providers\[1\]\.provider: .*'lab'/);
  });
});

describe("args", () => {
  test("all problems of all providers at once, each with its place", async () => {
    const message = await refusal(
      provider(DICTIONARY, { users_to_password: { alice: "hunter2" }, confirmation_message: 7 }, "one", 0),
      provider("tiled.authenticators:PAMAuthenticator", { servce: "hunter2" }, "two", 1),
    );
    const lines = message.split("\n").slice(1);
    assert.deepEqual(lines.toSorted(), [
      "config.yml:3: authentication.providers[0].args.confirmation_message: must be text, not a number. Put it in quotes.",
      "config.yml:3: authentication.providers[0].args.users_to_password: there is no such argument. Did you mean 'users_to_passwords'? Use users_to_passwords, confirmation_message.",
      "config.yml:3: authentication.providers[0].args.users_to_passwords: this argument is missing.",
      "config.yml:4: authentication.providers[1].args.servce: there is no such argument. Did you mean 'service'? Use service, confirmation_message.",
    ]);
    assert.doesNotMatch(message, /hunter2/);
  });

  test("a password that is no text, or empty, names its user and not its value", async () => {
    const users = { alice: 31337, "bob smith": true, carol: null, dave: "", eve: ["31337"], "a/b~c": 31337 };
    const message = await refusal(provider(DICTIONARY, { users_to_passwords: users }));
    assert.match(message, /users_to_passwords\.alice: must be text, not a number\. Put it in quotes\./);
    assert.match(
      message,
      /users_to_passwords\['bob smith'\]: must be text, not true or false\. Put it in quotes\./,
    );
    assert.match(message, /users_to_passwords\.carol: a value is missing here; it must be text\.$/m);
    assert.match(message, /users_to_passwords\.dave: must not be empty\./);
    assert.match(message, /users_to_passwords\.eve: must be text, not a list\.$/m);
    assert.match(message, /users_to_passwords\['a\/b~c'\]/);
    assert.doesNotMatch(message, /31337/);
  });

  test("a user's name that no database holds", async () => {
    const users = { "": "p", "a\0b": "p", ["x".repeat(256)]: "p", "line\nend": "p" };
    const lines = (await refusal(provider(DICTIONARY, { users_to_passwords: users }))).split("\n").slice(1);
    assert.equal(lines.length, 3);
    for (const line of lines) assert.match(line, /this key is not allowed here/);
  });

  test("a key __proto__ is an ordinary, unknown key", async () => {
    const args = JSON.parse('{"users_to_passwords": {}, "__proto__": {"confirmation_message": "x"}}');
    assert.match(await refusal(provider(DICTIONARY, args)), /__proto__: there is no such argument/);
  });

  test("the configuration's own object is left alone", async () => {
    const args = Object.freeze({ users_to_passwords: Object.freeze({ alice: "secret1" }) });
    await load(provider(DICTIONARY, args));
    assert.deepEqual(Object.keys(args), ["users_to_passwords"]);
  });
});

describe("start and stop", () => {
  function recorder(log: string[], name: string, fails = false): Authenticator {
    return {
      kind: "password",
      confirmationMessage: "",
      authenticate: async () => null,
      start: async () => {
        log.push(`start ${name}`);
        if (fails) throw new Error(`${name} is broken\nand more`);
      },
      stop: async () => {
        log.push(`stop ${name}`);
        throw new Error("cannot stop either");
      },
    };
  }
  const silent: Authenticator = { kind: "password", confirmationMessage: "", authenticate: async () => null };

  test("each is started and stopped, once, whatever becomes of the others", async () => {
    const log: string[] = [];
    const all = new Map([
      ["a", recorder(log, "a")],
      ["b", silent],
      ["c", recorder(log, "c")],
    ]);
    await startAuthenticators(all);
    await stopAuthenticators(all);
    assert.deepEqual(log, ["start a", "start c", "stop a", "stop c"]);
  });

  test("a failing start names the provider, and stops what has started", async () => {
    const log: string[] = [];
    const all = new Map([
      ["a", recorder(log, "a")],
      ["b", recorder(log, "b", true)],
      ["c", recorder(log, "c")],
    ]);
    await assert.rejects(startAuthenticators(all), (error) => {
      assert.ok(error instanceof OperatorError);
      assert.equal(error.message, "The provider 'b' cannot start: b is broken");
      return error.exitCode === 3;
    });
    assert.deepEqual(log, ["start a", "start b", "stop a", "stop b"]);
  });
});
