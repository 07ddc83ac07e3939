/**
 * The database that an administrative verb works on: `--database`, else that of the configuration that `--config` or
 * TILED_CONFIG names, else TILED_DATABASE_URI, else that of `config.yml`. A named configuration wins over
 * TILED_DATABASE_URI, as it does for the server.
 */
import { existsSync } from "node:fs";
import { defaultConfigPath, loadConfig, readConfig } from "../../config/load.ts";
import type { Config, DatabaseConfig } from "../../config/model.ts";
import { parseDatabaseUri } from "../../database-uri/database-uri.ts";
import { OperatorError } from "../../errors.ts";
import { Secret } from "../../lib/secrets.ts";
import { ConfigError } from "../../yaml/problems.ts";
import type { Terminal } from "../console/terminal.ts";

export interface DatabaseOptions {
  readonly database?: string;
  readonly config?: string;
  /** Whether the configuration's `init_if_not_exists` counts here as it does for a server. Default: false. */
  readonly mayCreate?: boolean;
}

export interface Target {
  readonly database: DatabaseConfig;
  /** Null: unknown. */
  readonly auditRetentionDays: number | null;
  /** Null if the database was named without one. */
  readonly config: Config | null;
}

/** Prints the database on stderr, unless it was given on the command line. */
export function target(options: DatabaseOptions, terminal: Terminal): Target {
  const { database, config, mayCreate = false } = options;
  const { env } = terminal;
  if (database !== undefined) return at(database);
  const path = config ?? defaultConfigPath(env);
  const there = existsSync(path);
  const named = config !== undefined || (Boolean(env["TILED_CONFIG"]) && there);
  const uri = env["TILED_DATABASE_URI"] ?? "";
  if (!named && uri !== "") {
    const same = there ? configOf(path, uri, terminal) : undefined;
    const other = there && same === undefined ? `; for that of ${path} use --config ${path}` : "";
    return announced(
      same === undefined ? at(uri) : of(same, mayCreate),
      `of TILED_DATABASE_URI${other}`,
      terminal,
    );
  }
  if (config === undefined && !env["TILED_CONFIG"] && !there) throw new OperatorError(unnamed(path));
  return announced(of(load(path, terminal), mayCreate), `of ${path}`, terminal);
}

function at(uri: string): Target {
  const database = { uri: new Secret(uri), initIfNotExists: false };
  return {
    database: { ...database, poolSize: 2, maxOverflow: 0, poolPrePing: false, exclusiveWriter: false },
    auditRetentionDays: null,
    config: null,
  };
}

function of(config: Config, mayCreate: boolean): Target {
  const database = {
    ...config.database,
    initIfNotExists: mayCreate && config.database.initIfNotExists,
  };
  return { database, auditRetentionDays: config.audit.retentionDays, config };
}

function announced(found: Target, source: string, terminal: Terminal): Target {
  const address = parseDatabaseUri(found.database.uri?.reveal() ?? null);
  // A database in memory will be refused.
  if (address.kind !== "memory") terminal.err(`Working on the database at ${address.shown} (${source}).`);
  return found;
}

/** An unnamed configuration counts only if it has the same database. */
function configOf(path: string, uri: string, { env }: Terminal): Config | undefined {
  const { config, problems } = readConfig(path, env);
  return problems.length === 0 && config?.database.uri?.reveal() === uri ? config : undefined;
}

function load(path: string, { env }: Terminal): Config {
  try {
    return loadConfig(path, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new OperatorError(
      `${error.message}\nSet the variables of the server's environment here as well. Without its configuration, name the database with --database URI, or with TILED_DATABASE_URI and neither --config nor TILED_CONFIG.`,
    );
  }
}

function unnamed(path: string): string {
  return `Which database? There is no ${path} here. Name the server's configuration with --config FILE-OR-FOLDER or TILED_CONFIG, or the database itself with --database URI or TILED_DATABASE_URI.`;
}
