import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Authenticator, PasswordAuthenticator } from "../../src/authenticators/contract.ts";
import {
  loadAuthenticators,
  startAuthenticators,
  stopAuthenticators,
} from "../../src/authenticators/load.ts";
import type { ProviderConfig } from "../../src/config/model.ts";
import { OperatorError } from "../../src/errors.ts";

const DICTIONARY = "tiled.authenticators:DictionaryAuthenticator";
const OWN = `
export class MyAuthenticator {
  static args = { type: "object", properties: { greeting: { type: "string", default: "hi" } }, additionalProperties: false };
  kind = "password";
  constructor(args, context) { this.confirmationMessage = args.greeting; this.context = context; }
  async authenticate(username) { return { id: username }; }
}
`;

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "load-"));
  await writeFile(join(folder, "package.json"), '{"type": "module"}');
});
after(() => rm(folder, { recursive: true, force: true }));

function provider(
  authenticator: string,
  args: Record<string, unknown> = {},
  name = "lab",
  index = 0,
): ProviderConfig {
  const place = { file: "config.yml", line: 3 + index, path: `authentication.providers[${index}]` };
  return { provider: name, authenticator, args, place };
}

async function load(...providers: ProviderConfig[]): Promise<ReadonlyMap<string, PasswordAuthenticator>> {
  const all = await loadAuthenticators(providers, folder, () => undefined);
  const made = new Map<string, PasswordAuthenticator>();
  for (const [name, one] of all) if (one.kind === "password") made.set(name, one);
  return made;
}

/** The message of the error that stops the start. */
async function refusal(...providers: ProviderConfig[]): Promise<string> {
  const error = await load(...providers).then(
    () => assert.fail("it was loaded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof OperatorError, String(error));
  assert.equal(error.exitCode, 1);
  return error.message;
}

async function module(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return `./${name}`;
}

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
    await loadAuthenticators([dummy], folder, (message) => warnings.push(message));
    assert.match(warnings.join(), /^Provider 'toy': .*anybody/);
  });

  for (const name of ["LDAP", "SAML", "OIDC", "ProxiedOIDC", "Entra"]) {
    test(`${name}Authenticator of the reference is not part of this version`, async () => {
      const message = await refusal(provider(`tiled.authenticators:${name}Authenticator`));
      assert.match(message, /config\.yml:3: authentication\.providers\[0\]\.authenticator: /);
      assert.match(message, /not part of this version; the available ones are .*DictionaryAuthenticator/);
    });
  }

  test("a misspelt one is told the nearest", async () => {
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
      "config.yml:3: authentication.providers[0].args.confirmation_message: must be of type string, found number. Put it in quotes.",
      "config.yml:3: authentication.providers[0].args.users_to_password: is not known. Did you mean 'users_to_passwords'? Known arguments: users_to_passwords, confirmation_message.",
      "config.yml:3: authentication.providers[0].args.users_to_passwords: is missing.",
      "config.yml:4: authentication.providers[1].args.servce: is not known. Did you mean 'service'? Known arguments: service, confirmation_message.",
    ]);
    assert.doesNotMatch(message, /hunter2/);
  });

  test("a password that is no text, or empty, names its user and not its value", async () => {
    const users = { alice: 31337, "bob smith": true, carol: null, dave: "", eve: ["31337"], "a/b~c": 31337 };
    const message = await refusal(provider(DICTIONARY, { users_to_passwords: users }));
    assert.match(
      message,
      /users_to_passwords\.alice: must be of type string, found number\. Put it in quotes\./,
    );
    assert.match(
      message,
      /users_to_passwords\['bob smith'\]: must be of type string, found boolean\. Put it in quotes\./,
    );
    assert.match(message, /users_to_passwords\.carol: must be of type string, found null\.$/m);
    assert.match(message, /users_to_passwords\.dave: must not be empty\./);
    assert.match(message, /users_to_passwords\.eve: must be of type string, found array\.$/m);
    assert.match(message, /users_to_passwords\['a\/b~c'\]: must be/);
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
    assert.match(await refusal(provider(DICTIONARY, args)), /__proto__: is not known/);
  });

  test("the configuration's own object is left alone", async () => {
    const args = Object.freeze({ users_to_passwords: Object.freeze({ alice: "secret1" }) });
    await load(provider(DICTIONARY, args));
    assert.deepEqual(Object.keys(args), ["users_to_passwords"]);
  });
});

describe("modules of an operator's own", () => {
  test("relative to the configuration's folder, absolute, with or without './', .js, .mjs and .ts", async () => {
    await module("own.js", OWN);
    await module("own.mjs", OWN);
    await module(
      "own.ts",
      OWN.replace("(username)", "(username: string)")
        .replace("args, context", "args: any, context: any")
        .replace("kind =", "context; confirmationMessage; kind ="),
    );
    await mkdir(join(folder, "with space"), { recursive: true });
    await module("with space/ö#%20?.js", OWN);
    for (const path of [
      "./own.js",
      "own.js",
      "./own.mjs",
      "./own.ts",
      join(folder, "own.js"),
      "with space/ö#%20?.js",
    ]) {
      const made = await load(provider(`${path}:MyAuthenticator`));
      const own = made.get("lab") as PasswordAuthenticator & {
        context: { provider: string; directory: string };
      };
      assert.deepEqual(await own.authenticate("alice", "x"), { id: "alice" });
      assert.equal(own.confirmationMessage, "hi");
      assert.equal(own.context.provider, "lab");
      assert.equal(own.context.directory, folder);
    }
  });

  test("a default export, and a CommonJS module", async () => {
    await module("default.js", OWN.replace("export class", "export default class"));
    await load(provider("./default.js:default"));
    await module(
      "common.cjs",
      OWN.replace("export class MyAuthenticator", "exports.MyAuthenticator = class"),
    );
    await load(provider("./common.cjs:MyAuthenticator"));
  });

  const REFUSED: [string, string, RegExp][] = [
    [
      "no such export",
      OWN.replace("MyAuthenticator", "Other"),
      /does not export 'MyAuthenticator': it exports Other\./,
    ],
    ["nothing exported", "1;", /it exports nothing/],
    ["not a class", "export const MyAuthenticator = {};", /is not a class but of type object/],
    [
      "an arrow function",
      "export const MyAuthenticator = () => {};",
      /is not a class but a function that 'new'/,
    ],
    ["throws on import", "throw new Error('no network');", /cannot be loaded: no network/],
    ["a syntax error", "export class {", /cannot be loaded: SyntaxError/],
    ["an import that is missing", "import 'nowhere-to-be-found';", /cannot be loaded: .*nowhere-to-be-found/],
    ["throws undefined", "throw undefined;", /cannot be loaded: undefined/],
    [
      "no kind",
      OWN.replace('kind = "password";', ""),
      /its 'kind' must be one of "password", "external", "proxied", it has none/,
    ],
    ["an unknown kind", OWN.replace('"password"', '"retina"'), /it has "retina"/],
    ["no schema", OWN.replace("static args", "static other"), /has no schema of its arguments/],
    ["an open schema", OWN.replace("additionalProperties: false", ""), /additionalProperties must be false/],
    ["a wrong schema", OWN.replace('"string"', '"strnig"'), /the schema of its arguments is not valid/],
    ["an unknown keyword", OWN.replace("default:", "dflt:"), /not valid: .*"dflt"/],
    [
      "its constructor throws",
      OWN.replace("this.context =", "throw new Error('no');"),
      /its constructor failed: no/,
    ],
    ["a kind of the prototype's", OWN.replace('"password"', '"constructor"'), /it has "constructor"/],
    [
      "external without its methods",
      OWN.replace('"password"', '"external"'),
      /no method 'begin', which kind "external" needs/,
    ],
    ["no authenticate", OWN.replace("async authenticate", "async login"), /no method 'authenticate'/],
    [
      "no message",
      OWN.replace("this.confirmationMessage", "this.message"),
      /'confirmationMessage' must be a text/,
    ],
    [
      "start is no method",
      OWN.replace('kind = "password"', 'kind = "password"; start = 1'),
      /'start' must be a method/,
    ],
  ];
  for (const [index, [what, text, expected]] of REFUSED.entries()) {
    test(`refused: ${what}`, async () => {
      const path = await module(`refused${index}.mjs`, text);
      const message = await refusal(provider(`${path}:MyAuthenticator`));
      assert.match(message, expected);
      assert.match(message, /config\.yml:3: authentication\.providers\[0\]\.authenticator: /);
    });
  }

  test("names that lead nowhere say how to write one", async () => {
    const how = /Write path:Name, as in '\.\/my_auth\.js:MyAuthenticator'/;
    assert.match(
      await refusal(provider("./gone.js:MyAuthenticator")),
      new RegExp(`no file ${folder}/gone\\.js\\. ${how.source}`),
    );
    assert.match(await refusal(provider("./own.js/x.js:MyAuthenticator")), /There is no file/);
    await mkdir(join(folder, "folder.js"), { recursive: true });
    assert.match(await refusal(provider("./folder.js:MyAuthenticator")), /is not a file/);
    for (const name of [
      "./own.js",
      "./own.js:",
      "./own.js:my-class",
      "own.js:a.b",
      "",
      ":",
      "./own.txt:A",
      "C:\\x\\own.js",
    ]) {
      assert.match(await refusal(provider(name)), how, name);
    }
    assert.match(await refusal(provider("C:\\auth\\own.js:MyAuthenticator")), /There is no file .*own\.js/);
  });

  test("a Python class is told apart", async () => {
    for (const name of ["my_package.auth:MyAuth", "my_auth:MyAuth", "./my_auth.py:MyAuth", "pakët.x:Y"]) {
      assert.match(
        await refusal(provider(name)),
        /names a Python class, and this server cannot run Python.*JavaScript class/,
        name,
      );
    }
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
