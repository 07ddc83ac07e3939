/**
 * Generates docs/reference/configuration.md from the configuration's schema: `npm run docs` writes it, and
 * test/docs/configuration.test.ts checks that it is current. The descriptions are in src/config.
 */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../src/bin.ts", import.meta.url));
export const PAGE = new URL("../docs/reference/configuration.md", import.meta.url);

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly { readonly if: Schema; readonly else: Schema }[];
  readonly not?: Schema;
  readonly $ref?: string;
}

interface Row {
  readonly path: string;
  readonly schema: Schema;
  readonly required: boolean;
}

/** The allowed forms of a value, without null and without quoted forms, which every value has. */
function forms(schema: Schema): readonly Schema[] {
  if (schema.anyOf === undefined) return schema.type === "null" || schema.$ref !== undefined ? [] : [schema];
  return schema.anyOf.flatMap(forms);
}

/** The keys below `schema` in order; `[]` stands for a list item, `NAME` for a name of the file's own. */
function* rows(schema: Schema, path: string, required = false): Generator<Row> {
  if (path !== "" && !/(?:\[\]|\.NAME)$/.test(path)) yield { path, schema, required };
  for (const form of forms(schema)) {
    // A single alternative says which keys are required in the file's own words.
    const [only, ...others] = form.oneOf ?? [];
    const needed = [...(form.required ?? []), ...(others.length === 0 ? (only?.required ?? []) : [])];
    for (const [key, below] of Object.entries(form.properties ?? {}))
      yield* rows(below, path === "" ? key : `${path}.${key}`, needed.includes(key));
    for (const below of Object.values(form.patternProperties ?? {})) yield* rows(below, `${path}.NAME`);
    if (form.items !== undefined) yield* rows(form.items, `${path}[]`);
  }
}

const code = (value: unknown): string => `\`${JSON.stringify(value)}\``;

/** The kind of value for readers: `integer, 1 to 100`, `"pretty"` or `"json"`. */
function kind(schema: Schema): string {
  const kinds = forms(schema).map((form): string => {
    if (form.const !== undefined) return code(form.const);
    if (form.enum !== undefined) return form.enum.map(code).join(" or ");
    if (form.type === "array") return `list of ${kind(form.items ?? {}).replace(/^(object|string)$/, "$1s")}`;
    if (form.format === "tiled-duration") return "ISO 8601 duration";
    if (form.type === "number" || form.type === "integer") {
      const { minimum, maximum } = form;
      if (minimum !== undefined && maximum !== undefined) return `${form.type}, ${minimum} to ${maximum}`;
    }
    return [form.type ?? "any"].flat().filter((type) => type !== "null")[0] ?? "any";
  });
  return [...new Set(kinds)].join(" or ");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function table(found: Iterable<Row>, skip = ""): string {
  const lines = [...found].map(({ path, schema, required }) => {
    const [form] = forms(schema);
    const fallback = schema.default ?? form?.default;
    const told = required ? "required" : fallback === undefined || fallback === null ? "" : code(fallback);
    const text = schema.description ?? form?.description ?? "";
    return `| \`${path.slice(skip.length)}\` | ${kind(schema)} | ${told} | ${cell(text)} |`;
  });
  return ["| key | value | default | |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

const isUnused = ({ schema }: Row): boolean => schema.deprecated === true || schema.not !== undefined;

/** The arguments of each built-in class: the alternatives that depend on the item's `key`. */
function* classes(item: Schema, key: string): Generator<string> {
  for (const { if: unless, else: then } of item.allOf ?? []) {
    const name = unless.not?.properties?.[key]?.const;
    const args = then.properties?.["args"];
    if (typeof name !== "string" || args === undefined) continue;
    const found = [...rows(args, "args")].slice(1);
    const body = found.length === 0 ? "No arguments." : table(found, "args.");
    yield `### \`${name}\`\n\n${body}\n`;
  }
}

const INTRODUCTION = `\
Every key of a configuration file. \`npm run docs\` makes this page from the schema; \`tiled config schema\` prints the schema, with which
an editor completes and explains keys. Ready to copy: [examples](../../example_configs/README.md). \`tiled config check FILE\` finds
mistakes in a file.

A configuration is a YAML file, or a folder of \`*.yml\` and \`*.yaml\` files. \`$NAME\` and \`\${NAME}\` in a value stand for an environment
variable, or for a line of the file that \`env_file\` names; an unset one stops the start. Durations are seconds (\`900\`) or ISO 8601 (\`PT15M\`). \`[]\` stands for each item of a list,
\`NAME\` for each name that you choose.
Classes, logos, tag files and folders start from the configuration's folder. Certificates and SQLite files start from the folder where the
server is started.
`;

export function configurationPage(): string {
  const printed = execFileSync(process.execPath, [BIN, "config", "schema"], { encoding: "utf8" });
  const schema: Schema = JSON.parse(printed);
  const all = [...rows(schema, "")];
  const used = all.filter((row) => !isUnused(row));
  const sections = used
    .filter(({ path }) => !path.includes("."))
    .map((root) => {
      const below = used.filter(
        ({ path }) => path.startsWith(`${root.path}.`) || path.startsWith(`${root.path}[`),
      );
      const body = below.length === 0 ? table([root]) : `${root.schema.description}.\n\n${table(below)}`;
      return `## ${root.path}\n\n${body}\n`;
    });
  const section = (key: string): Schema => forms(schema.properties?.[key] ?? {})[0] ?? {};
  const item = (list: Schema | undefined): Schema => forms(list ?? {})[0]?.items ?? {};
  const unused = Map.groupBy(all.filter(isUnused), ({ schema: { description = "" } }) => description);
  return [
    "# Configuration\n",
    INTRODUCTION,
    ...sections,
    "## Arguments of authenticators\n",
    "The `args` of an item of `authentication.providers`, by its `authenticator`.\n",
    ...classes(item(section("authentication").properties?.["providers"]), "authenticator"),
    "## Arguments of trees\n",
    "The `args` of an item of `trees`, by its `tree`.\n",
    ...classes(item(schema.properties?.["trees"]), "tree"),
    "## Arguments of access policies\n",
    "The `args` of `access_control`, by its `access_policy`.\n",
    ...classes(section("access_control"), "access_policy"),
    "## Keys of Tiled that have no effect here\n",
    "A file with one of these is refused, or the start warns of it. [migrating.md](../how-to/migrating.md) says what to do.\n",
    "| key | |",
    "| --- | --- |",
    ...[...unused].map(
      ([text, found]) => `| ${found.map(({ path }) => `\`${path}\``).join(", ")} | ${cell(text)} |`,
    ),
    "",
  ].join("\n");
}

if (import.meta.main) await writeFile(PAGE, configurationPage());
