import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { type ArgsSchemas, FILE_SHAPE, jsonSchema, TOP_LEVEL_KEYS } from "../../src/config/schema.ts";
import type { Shape } from "../../src/yaml/words.ts";
import { problems, TREES } from "./support.ts";

const TREE = "tiled.examples.generated_minimal:tree";

function validator(args: ArgsSchemas = {}) {
  const ajv = new Ajv({ strict: true, validateFormats: false, allowUnionTypes: true });
  return ajv.compile(jsonSchema(args));
}

function* keys(shape: Shape, path: string): Generator<readonly [string, Shape]> {
  for (const option of shape.anyOf ?? []) yield* keys(option, path);
  if (shape.items !== undefined) yield* keys(shape.items, `${path}[]`);
  for (const named of Object.values(shape.patternProperties ?? {})) yield* keys(named, `${path}.NAME`);
  for (const [key, property] of Object.entries(shape.properties ?? {})) {
    yield [`${path}.${key}`, property];
    yield* keys(property, `${path}.${key}`);
  }
}

function* sections(shape: Shape, path: string): Generator<readonly [string, Shape]> {
  if (shape.properties !== undefined) yield [path, shape];
  for (const option of shape.anyOf ?? []) yield* sections(option, path);
  if (shape.items !== undefined) yield* sections(shape.items, `${path}[]`);
  for (const named of Object.values(shape.patternProperties ?? {})) yield* sections(named, `${path}.NAME`);
  for (const [key, property] of Object.entries(shape.properties ?? {}))
    yield* sections(property, `${path}.${key}`);
}

describe("the schema", () => {
  it("describes each key", () => {
    const all = [...keys(FILE_SHAPE, "")];
    assert.ok(all.length > 120);
    for (const [path, shape] of all) assert.ok((shape.description ?? "").length >= 8, path);
  });

  it("is closed everywhere but in uvicorn's settings", () => {
    const open = [...sections(FILE_SHAPE, "")].filter(([, shape]) => shape.additionalProperties !== false);
    assert.deepEqual(
      open.map(([path]) => path),
      [".uvicorn"],
    );
  });

  it("has the keys of the reference and ours", () => {
    for (const key of [
      "authentication",
      "database",
      "trees",
      "server",
      "pages",
      "audit",
      "uvicorn",
      "catalog",
    ]) {
      assert.ok(TOP_LEVEL_KEYS.includes(key), key);
    }
  });

  // What one of them takes the other takes, too: editors and the server agree.
  for (const [name, text, valid] of [
    ["the least", TREES, true],
    [
      "everything",
      `server: {host: h, port: 1, tls: {cert: c, key: k}, trusted_proxies: [10.0.0.1]}\nuvicorn: {future: 1}\naudit: {retention_days: null}\n${TREES}`,
      true,
    ],
    [
      "empty sections",
      `server:\ndatabase:\nauthentication: {providers: , login_throttle: false}\n${TREES}`,
      true,
    ],
    ["what has no effect", `media_types: {a: 1}\nspecs: 5\n${TREES}`, true],
    ["lifetimes", `authentication: {access_token_max_age: PT15M, session_max_age: 900}\n${TREES}`, true],
    [
      "numbers and booleans in quotes",
      `server: {port: "8_000"}\nmetrics: {prometheus: "Yes"}\nuvicorn: {proxy_headers: 1}\n${TREES}`,
      true,
    ],
    ["a word that is no boolean", `metrics: {prometheus: "maybe"}\n${TREES}`, false],
    ["a word that is no number", `server: {port: "8e3"}\n${TREES}`, false],
    ["a number that is no boolean", `metrics: {prometheus: 2}\n${TREES}`, false],
    ["an unknown key", `colour: blue\n${TREES}`, false],
    ["an unknown key below", `server: {colour: blue}\n${TREES}`, false],
    ["a refused key", `uvicorn: {uds: /run/x}\n${TREES}`, false],
    ["another kind of value", `server: {port: [1]}\n${TREES}`, false],
    ["a number out of bounds", `server: {port: 65536}\n${TREES}`, false],
    ["a missing key", `trees: [{path: /}]\n`, false],
    ["an upstream", `trees: [{path: /, upstream: "http://a", timeout: PT1M}]\n`, true],
    ["an upstream and a tree in one", `trees: [{path: /, upstream: "http://a", tree: "a:b"}]\n`, false],
    ["no secret keys", `authentication: {secret_keys: []}\n${TREES}`, false],
    ["a lifetime of nothing", `authentication: {access_token_max_age: 0}\n${TREES}`, false],
    [
      "a throttle's longest window",
      `authentication: {login_throttle: {account: {per: 2073600}, address: {per: "24 days, 00:00:00"}}}\n${TREES}`,
      true,
    ],
    [
      "a throttle's window beyond it",
      `authentication: {login_throttle: {address: {per: 2073601}}}\n${TREES}`,
      false,
    ],
    ["a throttle of true", `authentication: {login_throttle: true}\n${TREES}`, false],
  ] as const) {
    it(`and editors agree on ${name}`, () => {
      assert.equal(problems(text).length === 0, valid);
      assert.equal(validator()(parse(text)), valid);
    });
  }

  it("lets a variable stand for a number or a boolean", () => {
    const validate = validator();
    const trees = [{ path: "/", tree: TREE }];
    assert.equal(validate({ trees, server: { port: "$PORT" }, metrics: { prometheus: "$ON" } }), true);
    assert.equal(validate({ trees, server: { port: "eight" } }), false);
  });

  it("has the arguments of the given authenticators", () => {
    const args = { type: "object", properties: { service: { type: "string" } }, additionalProperties: false };
    const validate = validator({
      authenticators: new Map([["tiled.authenticators:PAMAuthenticator", args]]),
    });
    const file = (authenticator: string, given: object) => ({
      trees: [{ path: "/", tree: TREE }],
      authentication: { providers: [{ provider: "p", authenticator, args: given }] },
    });
    assert.equal(validate(file("tiled.authenticators:PAMAuthenticator", { service: "x" })), true);
    assert.equal(validate(file("tiled.authenticators:PAMAuthenticator", { servce: "x" })), false);
    assert.equal(validate(file("./own.js:Own", { servce: "x" })), true);
  });

  it("has the arguments of the given policies and trees", () => {
    const args = { type: "object", properties: { size: { type: "integer" } }, additionalProperties: false };
    const validate = validator({ policies: new Map([["a:Policy", args]]), trees: new Map([["t", args]]) });
    const file = (policy: object, tree: object) => ({
      trees: [{ path: "/", tree: "t", args: tree }],
      access_control: { access_policy: "a:Policy", args: policy },
    });
    assert.equal(validate(file({ size: 1 }, { size: 1 })), true);
    assert.equal(validate(file({ size: "1" }, { size: 1 })), false);
    assert.equal(validate(file({ size: 1 }, { sise: 1 })), false);
  });
});
