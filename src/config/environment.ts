/**
 * Settings from environment variables. `TILED_<TOP LEVEL KEY>` with JSON wins over the file. The single settings below apply
 * only if the file does not set them, as in Tiled.
 */
import { check } from "../yaml/check.ts";
import type { Environment } from "../yaml/interpolate.ts";
import { at, isNothing, type Located, locate, overlay, type Spot, withValue } from "../yaml/located.ts";
import type { Problems } from "../yaml/problems.ts";
import { nearest } from "../yaml/suggest.ts";
import type { Shape } from "../yaml/words.ts";
import { FORMATS } from "./formats.ts";
import { FILE_SHAPE, FileSchema, TOP_LEVEL_KEYS } from "./schema.ts";

const SINGLE: Readonly<Record<string, readonly [section: string, key: string]>> = {
  TILED_SINGLE_USER_API_KEY: ["authentication", "single_user_api_key"],
  TILED_SECRET_KEYS: ["authentication", "secret_keys"],
  TILED_ALLOW_ANONYMOUS_ACCESS: ["authentication", "allow_anonymous_access"],
  TILED_ACCESS_TOKEN_MAX_AGE: ["authentication", "access_token_max_age"],
  TILED_REFRESH_TOKEN_MAX_AGE: ["authentication", "refresh_token_max_age"],
  TILED_SESSION_MAX_AGE: ["authentication", "session_max_age"],
  TILED_DATABASE_URI: ["database", "uri"],
  TILED_DATABASE_INIT_IF_NOT_EXISTS: ["database", "init_if_not_exists"],
  TILED_DATABASE_POOL_SIZE: ["database", "pool_size"],
  TILED_DATABASE_MAX_OVERFLOW: ["database", "max_overflow"],
  TILED_DATABASE_POOL_PRE_PING: ["database", "pool_pre_ping"],
  TILED_DATABASE_EXCLUSIVE_WRITER: ["database", "exclusive_writer"],
  TILED_PUBLIC_URL: ["server", "public_url"],
};

const PREFIX = "TILED_";
const LISTS: ReadonlySet<string> = new Set(["TILED_SECRET_KEYS"]);

export function withEnvironment(file: Located, env: Environment, problems: Problems): Located {
  let root = file;
  for (const key of TOP_LEVEL_KEYS) {
    const name = `TILED_${key.toUpperCase()}`;
    const text = own(env, name);
    if (text === undefined) continue;
    const spot = variable(name);
    const schema = FileSchema.properties[key as keyof typeof FileSchema.properties] as {
      deprecated?: boolean;
    };
    // A key without effect need not be JSON: `TILED_RESPONSE_BYTESIZE_LIMIT=1GB`.
    const value =
      schema.deprecated === true ? locate(text, spot, "environment") : fromJson(text, spot, [key], problems);
    if (value === undefined) continue;
    root = withValue(root, [key], overlay(at(root, [key]) ?? value, value));
  }
  for (const [name, path] of Object.entries(SINGLE)) {
    const text = own(env, name);
    if (text === undefined) continue;
    const there = at(root, path);
    const stronger = there !== undefined && !isNothing(there);
    if (stronger && text === "") continue;
    const spot = variable(name);
    const value = LISTS.has(name) ? fromJson(text, spot, path, problems) : locate(text, spot, "environment");
    if (value === undefined) continue;
    if (!stronger) root = withValue(root, path, value);
    // Tiled refuses it as well, and it would apply as soon as the file does not set it.
    else check(shapeOf(path), value, path, { problems, formats: FORMATS, noEffect: () => {} });
  }
  return root;
}

/** Variables that are not read but nearly have the name of one that is: `TILED_SECRET_KEY`. */
export function misspeltVariables(env: Environment): readonly string[] {
  const known = [...Object.keys(SINGLE), ...TOP_LEVEL_KEYS.map((key) => `TILED_${key.toUpperCase()}`)].map(
    (name) => name.slice(PREFIX.length),
  );
  return Object.keys(env).flatMap((name) => {
    const rest = name.slice(PREFIX.length);
    if (!name.startsWith(PREFIX) || known.includes(rest) || env[name] === undefined) return [];
    const near = nearest(rest, known);
    return near === undefined
      ? []
      : [`environment variable ${name}: not read here. Did you mean ${PREFIX}${near}?`];
  });
}

function shapeOf([section, key]: readonly [section: string, key: string]): Shape {
  return FILE_SHAPE.properties?.[section]?.anyOf?.[0]?.properties?.[key] ?? {};
}

function variable(name: string): Spot {
  return { file: `environment variable ${name}`, line: 0 };
}

function own(env: Environment, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

/** The parser's own message quotes the text, which may hold a secret. */
function fromJson(
  text: string,
  spot: Spot,
  path: readonly string[],
  problems: Problems,
): Located | undefined {
  try {
    return locate(JSON.parse(text), spot, "environment");
  } catch {
    problems.add(spot, path, `must be JSON: ${jsonForm(path)}.`);
    return undefined;
  }
}

function jsonForm([section = "", key]: readonly string[]): string {
  if (key !== undefined) return `a list in brackets, each item in double quotes, like '["…", "…"]'`;
  const isList = FILE_SHAPE.properties?.[section]?.anyOf?.[0]?.type === "array";
  return `what the file would say below '${section}', like '${isList ? "[…]" : '{"…": …}'}'`;
}
