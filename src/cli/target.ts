/**
 * Which database an administrative verb works on, and what is known of its server: `--database`, else the configuration
 * that `--config` or TILED_CONFIG names, else TILED_DATABASE_URI, else `config.yml`. A configuration that is named counts
 * as it does for the server, whose file is stronger than TILED_DATABASE_URI.
 */
import { existsSync } from "node:fs";
import { defaultConfigPath, loadConfig, readConfig } from "../config/load.ts";
import type { Config, DatabaseConfig } from "../config/model.ts";
import { parseDatabaseUri } from "../database-uri/database-uri.ts";
import { OperatorError } from "../errors.ts";
import { Secret } from "../lib/secrets.ts";
import { ConfigError } from "../yaml/problems.ts";
import type { Terminal } from "./terminal.ts";

export interface DatabaseOptions {
  readonly database?: string;
  readonly config?: string;
}

export interface Target {
  readonly database: DatabaseConfig;
  /** Null: nothing tells of a time. */
  readonly auditRetentionDays: number | null;
  /** Null where the database was named without one. */
  readonly config: Config | null;
}

/** On stderr it is said which database that is, unless it was given on the command line. */
export function target({ database, config }: DatabaseOptions, terminal: Terminal): Target {
  const { env } = terminal;
  if (database !== undefined) return at(database);
  const path = config ?? defaultConfigPath(env);
  const there = existsSync(path);
  const named = config !== undefined || (Boolean(env["TILED_CONFIG"]) && there);
  const uri = env["TILED_DATABASE_URI"] ?? "";
  if (!named && uri !== "") {
    const same = there ? configOf(path, uri, terminal) : undefined;
    const other = there && same === undefined ? `; not that of ${path}, which --config ${path} takes` : "";
    return told(same === undefined ? at(uri) : of(same), `of TILED_DATABASE_URI${other}`, terminal);
  }
  if (config === undefined && !env["TILED_CONFIG"] && !there) throw new OperatorError(unnamed(path));
  return told(of(load(path, terminal)), `of ${path}`, terminal);
}

function at(uri: string): Target {
  const database = { uri: new Secret(uri), initIfNotExists: false };
  return {
    database: { ...database, poolSize: 2, maxOverflow: 0, poolPrePing: false },
    auditRetentionDays: null,
    config: null,
  };
}

function of(config: Config): Target {
  const database = { ...config.database, initIfNotExists: false };
  return { database, auditRetentionDays: config.audit.retentionDays, config };
}

function told(found: Target, source: string, terminal: Terminal): Target {
  const address = parseDatabaseUri(found.database.uri?.reveal() ?? null);
  // One in memory will be refused.
  if (address.kind !== "memory") terminal.err(`Working on the database at ${address.shown} (${source}).`);
  return found;
}

/** A configuration that nobody named tells of the same database, or nothing. */
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
      `${error.message}\nThe variables of the server's environment have to be set here, too. Without its configuration --database URI names the database, or TILED_DATABASE_URI where neither --config nor TILED_CONFIG does.`,
    );
  }
}

function unnamed(path: string): string {
  return `Which database? There is no ${path} here. Name the server's configuration with --config FILE-OR-FOLDER or TILED_CONFIG, or the database itself with --database URI or TILED_DATABASE_URI.`;
}
