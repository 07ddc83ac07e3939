/**
 * From a file or folder, the environment and the command line to a `Config`, or to one error that lists all problems. Steps:
 * read, interpolate, add the environment, check against the schema, apply the rules between keys.
 */
import { dirname, resolve } from "node:path";
import { parseDatabaseUri } from "../database-uri/database-uri.ts";
import { OperatorError } from "../errors.ts";
import { Secret } from "../lib/secrets.ts";
import { check } from "../yaml/check.ts";
import { readSource } from "../yaml/files.ts";
import { type Environment, interpolate } from "../yaml/interpolate.ts";
import { emptyMapping, type Located, locate, overlay, pathText } from "../yaml/located.ts";
import { ConfigError, type ConfigProblem, Problems } from "../yaml/problems.ts";
import { accessControl } from "./access.ts";
import { authenticationConfig, hasProviders } from "./authentication.ts";
import { caveConfig } from "./cave.ts";
import { treeConfigs } from "./content.ts";
import { type ConfigFrom, Context, noEffect, type Overrides } from "./context.ts";
import { withEnvFile } from "./env-file.ts";
import { misspeltVariables, withEnvironment } from "./environment.ts";
import { FORMATS } from "./formats.ts";
import type { Config, ConfigSource, Reread } from "./model.ts";
import { oldFormHint, reportOldAuthentication } from "./old-forms.ts";
import { placesOf } from "./places.ts";
import { isReported, reportTiledsOwn } from "./real-tiled.ts";
import { rereading } from "./reread.ts";
import { FILE_SHAPE, FileSchema, type FileValue } from "./schema.ts";
import { serverConfig } from "./server.ts";
import { digestsOf, filesOf, isPipe } from "./source.ts";
import { upstreamConfigs } from "./upstreams.ts";
import { checkSecrets } from "./weak-secrets.ts";

/**
 * Reads a configuration from disk.
 *
 * @param path A file, or a folder of *.yml and *.yaml; its folder is the base of relative paths inside.
 * @param env Environment variables for `$NAME` and `TILED_…`; usually `process.env`.
 * @param overrides Options of the command line; they win over the file.
 * @throws {ConfigError} Lists all problems with file, line and key. The arguments of plugins are checked by `startServer`.
 */
export function loadConfig(path: string, env: Environment, overrides: Overrides = {}): Config {
  return sound(readConfig(path, env, overrides));
}

/** A configuration as far as it can be read, and its problems. */
interface ReadConfig {
  /** Undefined if nothing can be read. Must not be served while there are problems. */
  readonly config: Config | undefined;
  readonly problems: readonly ConfigProblem[];
  /** For a reload, both: `ConfigSource`. */
  readonly files: readonly string[];
  readonly digests: ReadonlyMap<string, string>;
}

/** The same without an exception, for callers with further checks. */
export function readConfig(path: string, env: Environment, overrides: Overrides = {}): ReadConfig {
  // Copied, since a reload does not see variables that change later.
  return readPath({ path, env: { ...env }, overrides }, false);
}

/** For a reload; `reread.ts` calls it in a thread. */
export function readAgain(from: ConfigFrom): Reread {
  const { config, ...read } = readPath(from, true);
  const cave = config?.cave ?? null;
  return { ...read, cave: cave && { serverAddress: cave.serverAddress, rules: cave.rules } };
}

function readPath(from: ConfigFrom, again: boolean): ReadConfig {
  const { path, env, overrides } = from;
  const problems = new Problems();
  const files = filesOf(path);
  const source = readSource(path, problems, FILE_SHAPE, { pipes: !again });
  if (source === undefined || problems.all.length > 0)
    return { config: undefined, problems: problems.all, files, digests: new Map() };
  const absolute = resolve(path);
  const directory = source.folder ? absolute : dirname(absolute);
  const variables = withEnvFile(source.root, env, { directory, problems });
  const root = withEnvironment(interpolate(source.root, variables.env, problems), env, problems);
  const warnings = [...misspeltVariables(env), ...variables.warnings];
  const read = isPipe(path) ? null : rereading(from);
  return build({
    root,
    directory,
    overrides,
    problems,
    warnings,
    files: [...files, ...variables.files],
    read,
  });
}

/**
 * A configuration without a file. Relative paths start from the working directory.
 *
 * @param value The content that the file would have. It wins over the environment, and nothing in it is interpolated.
 * @param env As in `loadConfig`.
 * @param origin Names the source in error messages.
 * @throws {ConfigError} Lists all problems with their keys.
 *
 * @example
 * ```ts
 * const config = configFromObject({ trees: [{ path: "/", tree: "tiled.examples.generated:tree" }] }, process.env);
 * ```
 */
export function configFromObject(
  value: object,
  env: Environment,
  overrides: Overrides = {},
  origin = "command line",
): Config {
  const problems = new Problems();
  const spot = { file: origin, line: 0 };
  const under = withEnvironment(emptyMapping(spot), env, problems);
  const root = overlay(under, locate(value, spot, "environment"));
  const warnings = misspeltVariables(env);
  const directory = resolve(".");
  return sound(build({ root, directory, overrides, problems, warnings, files: [], read: null }));
}

function sound({ config, problems }: ReadConfig): Config {
  if (problems.length > 0 || config === undefined) throw new ConfigError(problems);
  return config;
}

interface SingleUser {
  /** The tree's name, e.g. `tiled.examples.generated_minimal:tree`. */
  readonly tree: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  readonly public?: boolean | undefined;
  readonly apiKey?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** One tree for one user, without a file. */
export function singleUserConfig({ tree, args = {}, env, ...overrides }: SingleUser): Config {
  return configFromObject({ trees: [{ path: "/", tree, args }] }, env, overrides);
}

/** The path that the command reads if none is given. */
export function defaultConfigPath(env: Environment): string {
  return env["TILED_CONFIG"] || "config.yml";
}

interface Parts {
  readonly root: Located;
  readonly directory: string;
  readonly overrides: Overrides;
  readonly problems: Problems;
  /** Those before the check. */
  readonly warnings: readonly string[];
  readonly files: readonly string[];
  /** Null if it cannot be read again. */
  readonly read: ConfigSource["read"] | null;
}

function build(parts: Parts): ReadConfig {
  const { root, directory, overrides, problems, warnings: earlier, read } = parts;
  const warnings = [...earlier];
  const value = check(FILE_SHAPE, root, [], {
    problems,
    formats: FORMATS,
    noEffect: (node, path, why) => {
      if (isReported(pathText(path))) return;
      warnings.push(noEffect({ ...node.spot, path: pathText(path) }, why));
    },
    hint: (key, near) => oldFormHint(key, root) ?? (near ? undefined : belongs(key)),
  });
  const context = new Context({ value: (value ?? {}) as FileValue, root, overrides, problems, warnings });
  const { database, metrics, pages, audit, log, allow_origins: origins } = context.value;
  const server = serverConfig(context);
  const cave = caveConfig(context, { directory, server });
  const files = [...parts.files, ...context.files];
  const digests = digestsOf(root);
  checkSecrets(context, server);
  const config: Config = {
    server,
    authentication: authenticationConfig(context),
    database: {
      uri: database?.uri == null ? null : new Secret(database.uri),
      initIfNotExists: database?.init_if_not_exists ?? false,
      poolSize: database?.pool_size ?? 5,
      maxOverflow: database?.max_overflow ?? 10,
      poolPrePing: database?.pool_pre_ping ?? true,
      exclusiveWriter: database?.exclusive_writer ?? false,
    },
    trees: treeConfigs(context),
    upstreams: upstreamConfigs(context),
    accessControl: accessControl(context),
    cave: cave && { ...cave, source: read && { files, digests, read } },
    allowOrigins: (origins ?? []).filter((origin) => origin !== undefined),
    metrics: { prometheus: metrics?.prometheus ?? true },
    pages: {
      title: pages?.title ?? "Tiled",
      logo: pages?.logo == null ? null : resolve(directory, pages.logo),
      contact: pages?.contact ?? null,
    },
    log: { format: log?.format ?? "auto", level: log?.level ?? "info" },
    audit: { retentionDays: audit?.retention_days === undefined ? 365 : audit.retention_days },
    places: placesOf(context),
    directory,
    warnings,
  };
  reportTiledsOwn(context);
  reportOldAuthentication(context);
  checkDatabase(context);
  warnOfMemory(context, config);
  return { config, problems: problems.all, files, digests };
}

/** Each parameter of the URI takes effect at the start, or is a problem now. */
function checkDatabase(context: Context): void {
  const uri = context.value.database?.uri;
  if (uri == null) return;
  try {
    parseDatabaseUri(uri);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    context.problem(["database", "uri"], error.message);
  }
}

/** Warns of what ends with the process, and of origins that have no effect. */
function warnOfMemory(context: Context, config: Config): void {
  const providers = hasProviders(context);
  if (providers && config.database.uri === null) {
    context.warn(
      ["database"],
      "not configured: logins and API keys are kept in memory and end with the process",
    );
  }
  if (providers && config.authentication.secretKeys === null) {
    context.warn(
      ["authentication", "secret_keys"],
      "not set: each start makes a new key, so logins end with the process",
    );
  }
  if (!providers && config.database.uri !== null) {
    context.warn(
      ["database"],
      "no effect without authentication.providers: a single user has no sessions or keys",
    );
  }
  for (const [index, origin] of config.allowOrigins.entries()) {
    if (origin === "*") {
      context.warn(
        ["allow_origins", index],
        "'*' lets the pages of every site read what this server answers to their visitors, and start logins from their addresses; name the origins of your applications",
      );
      continue;
    }
    if (/^[a-z][a-z0-9+.-]*:\/\/[^/\s?#@]+$/i.test(origin)) continue;
    context.warn(
      ["allow_origins", index],
      "browsers send no origin like this. Use one like 'https://app.example.org', without a slash at the end",
    );
  }
}

/** The section of a key that is in the wrong one. */
function belongs(key: string): string | undefined {
  const sections = ["authentication", "database", "server", "uvicorn"] as const;
  const home = sections.find((name) => {
    const section = FileSchema.properties[name].anyOf[0];
    return Object.hasOwn(section.properties, key);
  });
  return home === undefined ? undefined : `it belongs in '${home}'`;
}
