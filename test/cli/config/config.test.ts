import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv } from "ajv";
import { check, loadWhole } from "../../../src/cli/config/check.ts";
import { printSchema } from "../../../src/cli/config/config.ts";
import { ConfigError } from "../../../src/yaml/problems.ts";
import { makeFiles, TREES } from "../../config/support.ts";

function io(env: Readonly<Record<string, string>> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  return {
    env,
    lines: { out, err },
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
  };
}

async function checked(text: string, env: Readonly<Record<string, string>> = {}) {
  const { path, remove } = makeFiles(text);
  const world = io(env);
  try {
    await check(path, world);
    return { ...world.lines, problems: [] };
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return {
      ...world.lines,
      problems: error.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`),
    };
  } finally {
    remove();
  }
}

describe("checking a configuration without starting", () => {
  it("says that there are no errors", async () => {
    assert.deepEqual(await checked(TREES), {
      out: ["No errors found in configuration."],
      err: [],
      problems: [],
    });
  });

  it("names the redirect URIs to register", async () => {
    const provider = `authentication:
  secret_keys: [0123456789abcdef0123456789abcdef01234567]
  providers:
    - provider: lab
      authenticator: tiled.authenticators:OIDCAuthenticator
      args: {well_known_uri: "https://lab.example/realm", client_id: a, client_secret: b}
${TREES}`;
    const { out, problems } = await checked(`server: {public_url: "https://tiled.example.org"}\n${provider}`);
    assert.deepEqual(problems, []);
    assert.deepEqual(out.slice(2), [
      "    https://tiled.example.org/api/v1/auth/provider/lab/code",
      "    https://tiled.example.org/api/v1/auth/provider/lab/device_code",
    ]);
    const here = await checked(provider);
    assert.ok(here.out.includes("    http://127.0.0.1:8000/api/v1/auth/provider/lab/code"), String(here.out));
  });

  it("prints warnings of an authenticator's class, such as Tiled's own page for logins without its tokens", async () => {
    const { err, problems } = await checked(`authentication:
  secret_keys: [0123456789abcdef0123456789abcdef01234567]
  providers:
  - provider: sso
    authenticator: tiled.authenticators:OIDCAuthenticator
    args: {audience: app, client_id: app, client_secret: b, well_known_uri: "https://idp.example.org/.well-known/openid-configuration",
           redirect_on_success: "https://tiled.example.org/ui/auth-callback"}
trees: [{path: /, upstream: "http://127.0.0.1:8001"}]
`);
    assert.deepEqual(problems, []);
    const told = err.filter((line) => line.includes("needs args.tokens_in_redirect: true"));
    assert.deepEqual(told.length, 1, err.join());
    assert.match(told[0] ?? "", /^Provider 'sso': args\.redirect_on_success \(https:.*auth-callback\)/);
  });

  it("prints warnings on stderr", async () => {
    const { out, err } = await checked(`specs: []\n${TREES}`);
    assert.equal(out.length, 1);
    assert.match(err.join(), /^accepted and of no effect here: specs/);
  });

  it("reports errors of the file and of the authenticators' arguments at once, each with its line", async () => {
    const { out, problems } = await checked(`authentication:
  providers:
  - provider: toy
    authenticator: tiled.authenticators:DictionaryAuthenticator
    args:
      users_to_password: {}
  - provider: pam
    authenticator: tiled.authenticators:PAMAuthenticatr
  - provider: own
    authenticator: ./nowhere.js:Own
servr: {}
${TREES}`);
    assert.deepEqual(out, []);
    assert.equal(problems.length, 5, problems.join("\n"));
    assert.match(
      problems[0] ?? "",
      /^5 authentication\.providers\[0\]\.args\.users_to_passwords: this argument is missing/,
    );
    assert.match(
      problems[1] ?? "",
      /^6 authentication\.providers\[0\]\.args\.users_to_password: .*Did you mean 'users_to_passwords'/,
    );
    assert.match(
      problems[2] ?? "",
      /^7 authentication\.providers\[1\]\.authenticator: .*Did you mean 'tiled\.authenticators:PAMAuthenticator'/,
    );
    assert.match(problems[3] ?? "", /^9 authentication\.providers\[2\]\.authenticator: There is no file/);
    assert.match(problems[4] ?? "", /^11 servr: unknown key/);
  });

  it("a wrong password is reported once, and not shown", async () => {
    const { problems } = await checked(`authentication:
  providers:
  - provider: toy
    authenticator: tiled.authenticators:DictionaryAuthenticator
    args: {users_to_passwords: {alice: 8675309}}
${TREES}`);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /^5 .*\.alice: YAML reads this password as a number\. Put it in quotes/);
    assert.doesNotMatch(problems.join(), /8675309/);
  });

  it("reports errors in a policy's arguments, and in the file that they name", async () => {
    const policy = (args: string) =>
      `${TREES}access_control:\n  access_policy: tiled.access_control.access_policies:TagBasedAccessPolicy\n  args:\n${args}`;
    const { problems } = await checked(policy("    provider: toy\n    tag_definition: x.yml\n"));
    assert.equal(problems.length, 2, problems.join("\n"));
    assert.match(problems[0] ?? "", /^4 access_control\.args\.tag_definitions: this argument is missing/);
    assert.match(
      problems[1] ?? "",
      /^6 access_control\.args\.tag_definition: .*Did you mean 'tag_definitions'/,
    );
    const tags = makeFiles("tags: {a: {auto_tags: [{name: b}]}, c: {auto_tags: [{name: c}]}}\n");
    try {
      const found = await checked(policy(`    provider: toy\n    tag_definitions: ${tags.path}\n`));
      assert.deepEqual(
        found.problems.map((line) => line.replace(/:.*/, "")),
        ["1 tags.a.auto_tags[0].name", "1 tags.c.auto_tags"],
      );
    } finally {
      tags.remove();
    }
  });

  it("looks where TILED_CONFIG says", async () => {
    const { path, remove } = makeFiles(`server: {port: 7}\n${TREES}`);
    try {
      assert.equal((await loadWhole(undefined, io({ TILED_CONFIG: path }))).server.port, 7);
      assert.equal((await loadWhole(path, io(), { port: 8 })).server.port, 8);
    } finally {
      remove();
    }
  });

  it("names the errors of the section cave beside those of a start, and takes its address for providers", async () => {
    const file = (section: string) => `authentication:
  secret_keys: [0123456789abcdef0123456789abcdef01234567]
  providers:
    - provider: lab
      authenticator: tiled.authenticators:OIDCAuthenticator
      args: {well_known_uri: "https://lab.example/realm", client_id: a, client_secret: b}
${TREES}pages: {logo: missing.png}
cave: {server_address: "https://cave.example.org", ${section}}
`;
    const { problems } = await checked(
      file(
        "tos: {t: {id: 1, file: terms.txt}}, groups: {x: {}, y: {id: 1, members: [{provider: labs, id: a}]}}",
      ),
    );
    assert.deepEqual(
      problems.map((problem) => problem.slice(0, problem.indexOf(":"))),
      ["8 pages.logo", "9 cave.groups.x.id", "9 cave.tos.t.file", "9 cave.groups.y.members[0].provider"],
    );
    const { out } = await checked(file("groups: {x: {id: 1}}").replace("pages: {logo: missing.png}\n", ""));
    assert.ok(out.includes("    https://cave.example.org/api/v1/auth/provider/lab/code"), String(out));
  });

  it("prints a JSON Schema that knows the arguments of the authenticators", async () => {
    const world = io();
    await printSchema(world);
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(
      JSON.parse(world.lines.out.join("\n")),
    );
    const file = (args: object) => ({
      trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
      authentication: {
        providers: [{ provider: "p", authenticator: "tiled.authenticators:PAMAuthenticator", args }],
      },
    });
    assert.equal(validate(file({ service: "login" })), true);
    assert.equal(validate(file({ servce: "login" })), false);
  });
});
