import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { folder, load, provider, refusal } from "./loading.ts";

const OWN = `
export class MyAuthenticator {
  static args = { type: "object", properties: { greeting: { type: "string", default: "hi" } }, additionalProperties: false };
  kind = "password";
  constructor(args, context) { this.confirmationMessage = args.greeting; this.context = context; }
  async authenticate(username) {
    const { provider, directory } = this.context;
    return { id: username, state: { provider, directory } };
  }
}
`;

async function module(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return `./${name}`;
}

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
      const own = made.get("lab");
      const state = { provider: "lab", directory: folder };
      assert.deepEqual(await own?.authenticate("alice", "x"), { id: "alice", state });
      assert.equal(own?.confirmationMessage, "hi");
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
      assert.match(
        await refusal(provider(name)),
        /Write path:Name, as in|name a class of your own like/,
        name,
      );
    }
    assert.match(await refusal(provider("C:\\auth\\own.js:MyAuthenticator")), /There is no file .*own\.js/);
  });

  test("a Python class is recognized", async () => {
    for (const name of [
      "my_package.auth:MyAuth",
      "my_auth:MyAuth",
      "./my_auth.py:MyAuth",
      "pakët.x:Y",
      "lab.auth:A.from_uri",
      "lab.auth.MyAuth",
    ]) {
      assert.match(
        await refusal(provider(name)),
        /is a Python class, and this server cannot run Python.*write the class in JavaScript \(docs\/how-to\/authenticators\.md/,
        name,
      );
    }
  });
});
