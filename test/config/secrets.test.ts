/**
 * A secret in the wrong place: whatever stands at whatever key, no error and no warning repeats it.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfig } from "../../src/config/load.ts";
import { FILE_SHAPE } from "../../src/config/schema.ts";
import type { Shape } from "../../src/config/words.ts";
import { problems, TREES, withFiles } from "./support.ts";

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

const FORMS: Readonly<Record<string, unknown>> = {
  "as a text": SECRET,
  "as a URL": `https://u:${SECRET}@example.org/`,
  "as a database": `mysql://u:${SECRET}@example.org/d`,
  "as a mistyped database": `postgresql:/u:${SECRET}@example.org/d`,
  "in a name": `${SECRET}:Name`,
  "in a list": [SECRET, [SECRET]],
  "in a mapping": { a: SECRET, b: { c: SECRET } },
};

function said(text: string, env: Readonly<Record<string, string>> = {}): string {
  return withFiles(text, (path) => {
    const { config, problems: found } = readConfig(path, env);
    return JSON.stringify([found, config?.warnings]);
  });
}

describe("a secret at any key", () => {
  it("there are many keys", () => assert.ok(ALL.length > 120, String(ALL.length)));

  for (const [form, value] of Object.entries(FORMS)) {
    it(`${form} is not repeated`, () => {
      for (const place of ALL) {
        assert.ok(
          !said(fileWith(JSON.parse(place), value)).includes("hunter2"),
          `${place}: ${said(fileWith(JSON.parse(place), value))}`,
        );
      }
    });
  }

  it("from the environment is not repeated", () => {
    for (const place of ALL) {
      for (const value of [SECRET, "8675309", `https://${SECRET}@x`, `mysql://u:${SECRET}@h/d`]) {
        const text = said(fileWith(JSON.parse(place), "$SECRET"), { SECRET: value });
        assert.doesNotMatch(text, /hunter2|8675309/, place);
      }
    }
  });

  it("as a number is repeated only where a number belongs", () => {
    const repeated = ALL.filter((place) => said(fileWith(JSON.parse(place), 8_675_309)).includes("8675309"));
    for (const place of repeated)
      assert.match(place, /port|pool_size|max_overflow|limit|failures|retention_days|"per"/);
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
