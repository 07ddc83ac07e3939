/**
 * No error and no warning repeats a secret: nothing at a key that holds one, or around it, is repeated, nor is text with
 * a password in it, text like a key, or text from the environment anywhere. Other wrong values are quoted.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfig } from "../../src/config/load.ts";
import { FILE_SHAPE } from "../../src/config/schema.ts";
import type { Shape } from "../../src/yaml/words.ts";
import { problems, scratchFile, TREES } from "./support.ts";

const SECRET = "hunter2-Tr0ub4dor&3";

type Path = readonly (string | number)[];

/** The path of every key of the schema, lists by their first item. */
function* places(shape: Shape, path: Path): Generator<Path> {
  yield path;
  for (const option of shape.anyOf ?? []) yield* below(option, path);
  yield* below(shape, path);
}

function* below(shape: Shape, path: Path): Generator<Path> {
  if (shape.anyOf !== undefined) for (const option of shape.anyOf) yield* below(option, path);
  for (const [key, property] of Object.entries(shape.properties ?? {}))
    yield* places(property, [...path, key]);
  for (const named of Object.values(shape.patternProperties ?? {})) yield* places(named, [...path, "name"]);
  if (shape.items !== undefined) yield* places(shape.items, [...path, 0]);
}

/** JSON is YAML, too. */
function fileWith(path: Path, value: unknown): string {
  const tree = path.reduceRight<unknown>(
    (inner, step) => (typeof step === "number" ? [inner] : { [step]: inner }),
    value,
  );
  return JSON.stringify(tree);
}

const ALL = [
  ...new Set(
    [...places(FILE_SHAPE, [])].filter((path) => path.length > 0).map((path) => JSON.stringify(path)),
  ),
];

/** What is repeated nowhere. */
const NOWHERE: Readonly<Record<string, unknown>> = {
  "as a URL": `https://u:${SECRET}@example.org/`,
  "as a database": `mysql://u:${SECRET}@example.org/d`,
  "as a mistyped database": `postgresql:/u:${SECRET}@example.org/d`,
  "as a user name of a URL": `https://${SECRET}@example.org/`,
  "as a key in hexadecimal": `hunter2${"0123456789abcdef".repeat(4)}`,
  "as a key in Base64": "hunter2+aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=",
  "in a mapping": { a: SECRET, b: { c: SECRET } },
};

/** A secret that nothing tells from a name, which was put at a key where a name or a number belongs. */
const PLAIN: Readonly<Record<string, unknown>> = {
  "as text": SECRET,
  "in a name": `${SECRET}:Name`,
  "in a list": [SECRET, [SECRET]],
};

/** The keys that hold secrets, the sections that have one of these, and the arguments, which may hold some. */
const SECRET_PLACE =
  /^\["(?:authentication|database)"\]$|secret_keys|single_user_api_key|"uri"|"args"|^\["authentication","providers"(?:,0)?\]$|^\["access_control"\]$|^\["(?:catalog|media_types|webhooks|streaming_cache)"\]/;

function said(text: string, env: Readonly<Record<string, string>> = {}): string {
  const { config, problems: found } = readConfig(scratchFile(text), env);
  return JSON.stringify([found, config?.warnings]);
}

describe("a secret at any key", () => {
  it("there are many keys", () => assert.ok(ALL.length > 120, String(ALL.length)));

  for (const [form, value] of Object.entries(NOWHERE)) {
    it(`${form} is not repeated`, () => {
      for (const place of ALL) {
        const text = said(fileWith(JSON.parse(place), value));
        assert.ok(!text.includes("hunter2"), `${place}: ${text}`);
      }
    });
  }

  for (const [form, value] of Object.entries(PLAIN)) {
    it(`${form} is not repeated where a secret belongs`, () => {
      const repeated = ALL.filter((place) => said(fileWith(JSON.parse(place), value)).includes("hunter2"));
      assert.deepEqual(
        repeated.filter((place) => SECRET_PLACE.test(place)),
        [],
      );
    });
  }

  it("is not repeated through an alias", () => {
    for (const place of ALL) {
      const text = `x: &secret "${SECRET}"\n${fileWith(JSON.parse(place), "@").replace('"@"', " *secret ").slice(1, -1)}\n`;
      assert.ok(!said(text).includes("hunter2"), `${place}: ${said(text)}`);
    }
  });

  it("from the environment is not repeated", () => {
    for (const place of ALL) {
      for (const value of [SECRET, "8675309", `https://${SECRET}@x`, `mysql://u:${SECRET}@h/d`]) {
        const text = said(fileWith(JSON.parse(place), "$SECRET"), { SECRET: value });
        assert.doesNotMatch(text, /hunter2|8675309/, place);
      }
    }
  });

  it("as a number is not repeated where a secret belongs", () => {
    const repeated = ALL.filter((place) => said(fileWith(JSON.parse(place), 8_675_309)).includes("8675309"));
    assert.deepEqual(
      repeated.filter((place) => SECRET_PLACE.test(place)),
      [],
    );
  });

  it("in a line that is not YAML is not repeated", () => {
    const names = ["single_user_api_key", "secret_keys", "uri", "args", "client_secret", "password", "a key"];
    const lines = names.flatMap((name) => [
      `${name}: @${SECRET}`,
      `${name}: "${SECRET}`,
      `${name}: ${SECRET}: x`,
      `"${name}": [${SECRET}, @`,
      `{title: x, ${name}: ${SECRET}, y: @}`,
      `{title: x,${name}:${SECRET}, y: @}`,
      `{title: "x", "${name}" : ${SECRET}, y: @}`,
      `{${name}: x y z ${SECRET} @, a: @}`,
      `title: "x" # ${name} ${SECRET}\n@`,
      `title: @ # ${name}: ${SECRET}`,
      `title: "x\n  ${SECRET}\n${name}: '${SECRET}\n`,
      `- ${SECRET}: @`,
      `- ${name}: &${SECRET} @`,
      `${SECRET}`,
      `\t${SECRET}: ${SECRET}`,
    ]);
    for (const line of lines) {
      for (const before of ["", "pages:\n  title: x\n  ", "authentication:\n  "]) {
        const text = said(`${before}${line}\n${TREES}`);
        assert.ok(!text.includes("hunter2"), `${line}: ${text}`);
      }
    }
  });

  it("in an environment variable of the server is not repeated", () => {
    const names = [
      "AUTHENTICATION",
      "SECRET_KEYS",
      "SINGLE_USER_API_KEY",
      "DATABASE",
      "DATABASE_URI",
      "SERVER",
      "PUBLIC_URL",
      "TREES",
    ];
    for (const name of names) {
      for (const value of [
        SECRET,
        JSON.stringify([SECRET]),
        JSON.stringify({ a: SECRET, uri: `x://${SECRET}` }),
      ]) {
        const found = problems(TREES, { [`TILED_${name}`]: value });
        assert.doesNotMatch(
          JSON.stringify(found.map(({ message, path }) => [message, path])),
          /hunter2/,
          `${name}=${value}`,
        );
      }
    }
  });
});
