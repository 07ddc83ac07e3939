import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, TREES, wrong } from "../config/support.ts";

/** A password as it arrives at the authenticator: any text may stand there. */
function password(yaml: string, env: Readonly<Record<string, string>> = {}): unknown {
  const config = load(file(yaml), env);
  const { args = {} } = config.authentication.providers[0] ?? {};
  const users = args["users_to_passwords"] as Record<string, unknown>;
  assert.deepEqual(Object.keys(users), ["alice"], "the structure is the file's");
  return users["alice"];
}

function file(value: string): string {
  return `authentication:
  providers:
  - provider: toy
    authenticator: tiled.authenticators:DictionaryAuthenticator
    args:
      users_to_passwords:
        alice: ${value}
${TREES}`;
}

const env = { NAME: "value", _x1: "other", EMPTY: "", DOLLAR: `$NAME \${NAME} $$` };

describe("interpolation", () => {
  for (const [yaml, expected] of [
    ["$NAME", "value"],
    [`\${NAME}`, "value"],
    [`a\${NAME}b`, "avalueb"],
    ["a$NAME-b", "avalue-b"],
    ["'$NAME'", "value"],
    ['"$NAME$_x1"', "valueother"],
    ["$$NAME", "$value"],
    [`$$\${NAME}`, "$$value"],
    [`x\${EMPTY}y`, "xy"],
    ["$DOLLAR", `$NAME \${NAME} $$`],
    ["|-\n          a\n          $NAME", "a\nvalue"],
  ] as const) {
    it(`${JSON.stringify(yaml)} becomes ${JSON.stringify(expected)}`, () => {
      assert.equal(password(yaml, env), expected);
    });
  }

  for (const text of [
    "$",
    "a$",
    "$ NAME",
    "5$",
    "$5",
    "cost$5.00",
    `\${`,
    `\${}`,
    `\${ NAME}`,
    "$-NAME",
    `\${NAME`,
    "a$}b",
    "$é",
  ]) {
    it(`${JSON.stringify(text)} starts no name and stays`, () => {
      assert.equal(password(JSON.stringify(text), env), text);
    });
  }

  for (const value of [
    "x\nsecret_keys: [y]",
    "x: y",
    "[a, b]",
    "{a: b}",
    "*a",
    "!!null",
    "# no comment",
    "'\"",
    "null",
    "yes",
    "12345",
    "---\n",
    `\${NAME}`,
    "$1 $& $` $'",
    "\u2028\0",
  ]) {
    it(`a variable of ${JSON.stringify(value)} is a text and nothing else`, () => {
      assert.equal(password("$NAME", { NAME: value }), value);
      assert.equal(password(`p-\${NAME}-s`, { NAME: value }), `p-${value}-s`);
    });
  }

  it("an unset variable is an error with its name and place", () => {
    assert.deepEqual(wrong(file(`a\${NO_SUCH}`)), [
      "7 authentication.providers[0].args.users_to_passwords.alice: the environment variable 'NO_SUCH' is not set.",
    ]);
  });

  it("each unset variable is named, in lists and in what has no effect, too", () => {
    const yaml = `authentication: {secret_keys: [$A, "x$B"]}\nwebhooks: {secret_keys: [$C]}\n${TREES}`;
    assert.deepEqual(wrong(yaml), [
      "1 authentication.secret_keys[0]: the environment variable 'A' is not set.",
      "1 authentication.secret_keys[1]: the environment variable 'B' is not set.",
      "2 webhooks.secret_keys[0]: the environment variable 'C' is not set.",
    ]);
  });

  it("a variable that is used in several places is one error, whatever belongs there", () => {
    const yaml = `server: {port: $A, public_url: "https://\${A}/$A"}
uvicorn: {root_path: $A}
authentication:
  secret_keys: [$A]
  providers: [{provider: $A, authenticator: "tiled.authenticators:DummyAuthenticator"}]
  tiled_admins: [{provider: lab, id: $A}]
${TREES}`;
    assert.deepEqual(wrong(yaml), [
      "1 server.port: the environment variable 'A' is not set. It is used at server.public_url (line 1), uvicorn.root_path (line 2), authentication.secret_keys[0] (line 4), authentication.providers[0].provider (line 5) and 1 more place, too.",
    ]);
  });

  it("the names of JavaScript's own objects are no variables", () => {
    for (const name of ["__proto__", "constructor", "toString"]) {
      const [problem = ""] = wrong(file(`$${name}`));
      assert.match(problem, new RegExp(`'${name}' is not set`));
    }
  });

  it("a default is refused: it would be taken for the value", () => {
    const [problem = ""] = wrong(file(`"\${NAME:-hunter2}"`), env);
    assert.match(
      problem,
      /^7 authentication.providers\[0\].*'\$\{NAME' is followed by more than a closing brace/,
    );
    assert.doesNotMatch(problem, /hunter2/);
  });

  it("keys are not interpolated", () => {
    const yaml = file("x").replace("alice:", "$NAME:");
    const { args } = load(yaml, env).authentication.providers[0] ?? {};
    assert.deepEqual(args, { users_to_passwords: { $NAME: "x" } });
  });

  it("a number and a boolean may come from the environment", () => {
    const yaml = `authentication: {allow_anonymous_access: $OPEN, session_limit: $LIMIT, access_token_max_age: $AGE}
database: {uri: a.db, init_if_not_exists: "\${OPEN}", pool_size: "1$SIZE"}
server: {port: $PORT}
${TREES}`;
    const config = load(yaml, { OPEN: "Yes", LIMIT: " 7\n", SIZE: "7", PORT: "8080", AGE: "60" });
    assert.equal(config.authentication.allowAnonymousAccess, true);
    assert.equal(config.authentication.sessionLimit, 7);
    assert.equal(config.authentication.accessTokenMaxAge, 60);
    assert.equal(config.database.initIfNotExists, true);
    assert.equal(config.database.poolSize, 17);
    assert.equal(config.server.port, 8080);
  });

  it("other texts are refused there, and not shown", () => {
    const yaml = `server: {port: $PORT}\nauthentication: {allow_anonymous_access: $OPEN}\n${TREES}`;
    for (const value of ["hunter2", "", "0x1F90", "80 80", "8e3"]) {
      const found = wrong(yaml, { PORT: value, OPEN: value });
      assert.deepEqual(found, [
        "1 server.port: text from the environment is not allowed here. Use a whole number from 0 to 65535.",
        "2 authentication.allow_anonymous_access: text from the environment is not allowed here. Use true or false.",
      ]);
    }
    assert.deepEqual(wrong(yaml, { PORT: "70000", OPEN: "0" }), [
      "1 server.port: this number is not allowed here. Use a whole number from 0 to 65535.",
    ]);
  });
});
