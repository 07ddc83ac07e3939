/**
 * The schema of the configuration file. `yaml/check.ts` checks files against it, `tiled config schema` prints it for editors.
 * It has every key of Tiled's own configuration: with its effect, without one, or refused with the reason.
 */
import { type Static, type TProperties, Type } from "typebox";
import { QUOTED } from "../yaml/lax.ts";
import { noEffect, optional, section, text } from "../yaml/schema-shapes.ts";
import type { Shape } from "../yaml/words.ts";
import { accessControl, audit, authentication, database, tree } from "./schema-authentication.ts";
import { cave } from "./schema-cave.ts";
import { log, server, uvicorn } from "./schema-server.ts";

const DATA = "a setting of a real Tiled behind this server";
const STORAGE = "connections of a real Tiled behind this server";

export const FileSchema = section("Configuration of tiled-auth", {
  authentication: optional(authentication, "Who may log in, how, and for how long"),
  database: optional(database, "Where principals, sessions and keys are stored. Default: in memory"),
  trees: optional(Type.Array(tree), "The data to serve"),
  access_control: optional(accessControl, "Who sees which entries"),
  cave: optional(cave, "The authentication of CAVE: tokens, groups, datasets and terms of service"),
  allow_origins: optional(
    Type.Array(text("not-empty")),
    "Origins of web applications that may call this server from a browser, or '*'",
  ),
  env_file: optional(
    text("not-empty"),
    "A file of lines NAME=value, relative to the configuration's folder, for $NAME in this configuration. A variable of the environment wins",
  ),
  server: optional(server, "Where the server listens, and how it is reached"),
  uvicorn: optional(uvicorn, "Settings of Tiled's web server, as far as they apply here"),
  log: optional(log, "The log, on stderr"),
  metrics: optional(
    section("Metrics for Prometheus", {
      prometheus: optional(Type.Boolean(), "Whether /api/v1/metrics exists", true),
    }),
    "Metrics for Prometheus",
  ),
  pages: optional(
    section("What the login pages show", {
      title: optional(text("not-empty"), "The name of the site", "Tiled"),
      logo: optional(text("not-empty"), "An image file, relative to the configuration's folder"),
      contact: optional(text("not-empty"), "Whom to ask for help: an address or a sentence"),
    }),
    "What the login pages show",
  ),
  audit: optional(audit, "The record of security events"),
  catalog: noEffect(DATA),
  media_types: noEffect(DATA),
  file_extensions: noEffect(DATA),
  response_bytesize_limit: noEffect(DATA),
  exact_count_limit: noEffect(DATA),
  specs: noEffect(DATA),
  reject_undeclared_specs: noEffect(DATA),
  expose_raw_assets: noEffect(DATA),
  routers: noEffect("Python code cannot be loaded here"),
  streaming_cache: noEffect(DATA),
  webhooks: noEffect(DATA),
  create_mount_nodes_if_not_exist: noEffect(DATA),
  catalog_pool_size: noEffect(STORAGE),
  storage_pool_size: noEffect(STORAGE),
  catalog_max_overflow: noEffect(STORAGE),
  storage_max_overflow: noEffect(STORAGE),
  object_cache: noEffect("Tiled has removed it as well"),
});

type Deep<Value> = Value extends readonly (infer Item)[]
  ? readonly Deep<Item>[]
  : Value extends Readonly<Record<string, unknown>>
    ? { readonly [Key in keyof Value]?: Deep<Value[Key]> | undefined }
    : Value;

/** A file after the check: wrong and missing parts are undefined, even if the schema requires them. */
export type FileValue = Deep<Static<typeof FileSchema>>;

export const TOP_LEVEL_KEYS: readonly string[] = Object.keys(FileSchema.properties satisfies TProperties);

/** The schema in the form that `yaml/check.ts` reads. */
export const FILE_SHAPE: Shape = FileSchema as object;

/** Schemas of arguments, by the name of the class or tree. */
export interface ArgsSchemas {
  readonly authenticators?: ReadonlyMap<string, object>;
  readonly policies?: ReadonlyMap<string, object>;
  readonly trees?: ReadonlyMap<string, object>;
}

/** JSON Schema of the file, for editors. */
export function jsonSchema(args: ArgsSchemas = {}): Readonly<Record<string, unknown>> {
  const schema = JSON.parse(JSON.stringify(FileSchema), orVariable) as typeof FileSchema;
  const { authentication, access_control: policy, trees } = schema.properties;
  withArgs(authentication.anyOf[0].properties.providers.anyOf[0].items, "authenticator", args.authenticators);
  withArgs(policy.anyOf[0], "access_policy", args.policies);
  withArgs(trees.anyOf[0].items, "tree", args.trees);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "tiled-auth configuration",
    definitions: {
      variable: { type: "string", pattern: "\\$", description: "$NAME, from the environment" },
      quoted_integer: QUOTED.integer,
      quoted_number: QUOTED.number,
      quoted_boolean: QUOTED.boolean,
    },
    ...schema,
  };
}

/** The schema of `args` depends on the name beside it. */
function withArgs(section: object, key: string, schemas: ReadonlyMap<string, object> = new Map()): void {
  const conditions = [...schemas].map(([name, args]) => ({
    if: { not: { properties: { [key]: { const: name } }, required: [key] } },
    else: { properties: { args: { anyOf: [args, { type: "null" }] } } },
  }));
  if (conditions.length > 0) Object.assign(section, { allOf: conditions });
}

/** In place of a number or a boolean the file may have a variable or a value in quotes, whose bounds are not checked. */
function orVariable(_key: string, value: unknown): unknown {
  const { type, const: only } = Object(value) as { readonly type?: unknown; readonly const?: unknown };
  if (type !== "integer" && type !== "number" && type !== "boolean") return value;
  const variable = { $ref: "#/definitions/variable" };
  if (only !== undefined) return { anyOf: [value, variable] };
  return { anyOf: [value, variable, { $ref: `#/definitions/quoted_${type}` }] };
}
