import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Type } from "typebox";
import { argsPlace, readArgs } from "../../src/plugins/args.ts";
import type { ProviderEntry } from "../../src/plugins/entries.ts";
import { load, TREES } from "../config/support.ts";

const SCHEMA = Type.Object({
  port: Type.Optional(Type.Integer()),
  tls: Type.Optional(Type.Boolean()),
  name: Type.Optional(Type.String()),
  either: Type.Optional(Type.Union([Type.Null(), Type.Number()])),
  ports: Type.Optional(Type.Array(Type.Integer())),
  deep: Type.Optional(Type.Object({ on: Type.Boolean() })),
});

const ENV = { PORT: "389", ON: "true", WORD: "hunter2" };

function provider(args: string): ProviderEntry {
  const yaml = `authentication:
  providers:
  - provider: p
    authenticator: m:N
    args:${args}
${TREES}`;
  const [found] = load(yaml, ENV).authentication.providers;
  assert.ok(found);
  return found;
}

describe("arguments of authenticators", () => {
  it("text is read as the number or boolean that the schema asks for", () => {
    const given =
      " {port: $PORT, tls: $ON, name: $PORT, either: '1.5', ports: [$PORT, 5], deep: {on: $ON}, other: $PORT}";
    assert.deepEqual(readArgs(provider(given), SCHEMA), {
      port: 389,
      tls: true,
      name: "389",
      either: 1.5,
      ports: [389, 5],
      deep: { on: true },
      other: "389",
    });
  });

  it("text that is none of it stays, for the schema to refuse", () => {
    assert.deepEqual(readArgs(provider(" {port: $WORD, tls: '2'}"), SCHEMA), { port: "hunter2", tls: "2" });
  });

  it("no arguments are none", () => {
    assert.deepEqual(readArgs(provider(""), SCHEMA), {});
    assert.deepEqual(readArgs({ ...provider(" {port: 1}"), args: {} }, SCHEMA), { port: 1 });
  });

  it("a configuration that was made without places has its values only", () => {
    const { source: _source, ...bare } = provider(" {port: 1}");
    assert.deepEqual(readArgs(bare, SCHEMA), { port: 1 });
    assert.equal(argsPlace(bare, ["port"]).path, "authentication.providers[0].args.port");
  });

  it("each has its line, a missing one that of its parent", () => {
    const given = provider(
      "\n      port: 1\n      deep:\n        on: true\n      ports:\n      - 1\n      - 2",
    );
    const line = (...keys: (string | number)[]) => argsPlace(given, keys).line;
    assert.equal(line(), 5);
    assert.equal(line("port"), 6);
    assert.equal(line("deep", "on"), 8);
    assert.equal(line("deep", "off"), 7);
    assert.equal(line("ports", 1), 11);
    assert.equal(line("missing"), 5);
    assert.equal(argsPlace(given, ["ports", 1]).path, "authentication.providers[0].args.ports[1]");
  });
});
