/**
 * The verbs of `tiled config`, and `tiled admin check-config`: a configuration is checked for all that a start would
 * refuse (`preflight.ts`), and where asked for, by asking other servers (`online.ts`).
 */
import type { Command } from "commander";
import type { Overrides } from "../config/context.ts";
import type { Config } from "../config/model.ts";
import { OperatorError } from "../errors.ts";
import { shownHost } from "../lib/address.ts";
import { ConfigError, type Problem } from "../yaml/problems.ts";
import type { MigrateOptions } from "./migrate.ts";
import type { Terminal } from "./terminal.ts";
import { port } from "./values.ts";

export type ConfigIo = Pick<Terminal, "env" | "out" | "err">;

export function configVerbs(tiled: Command, terminal: Terminal): void {
  const config = tiled
    .command("config")
    .description("check a configuration, divide a Tiled's configuration in two, or print the schema")
    .helpCommand(false);
  config
    .command("check")
    .description("check a configuration without starting a server")
    .argument(
      "[file-or-folder]",
      "a YAML file, or a folder of *.yml and *.yaml files (default: $TILED_CONFIG, or config.yml)",
    )
    .option("--online", "also ask the providers, the database and the servers behind this one, 10 s each")
    .addHelpText(
      "after",
      `
Checks all that a start checks: the keys and their values, the classes and their arguments, certificates, folders, files
of tags, the logo, a SQLite database. Without --online nothing is opened to the network, so a class of your own is made
but not started.

Exit codes: 0 no errors, 1 a start would be refused, or an online check failed.`,
    )
    .action((path: string | undefined, options: CheckOptions) => check(path, terminal, options));
  config
    .command("migrate")
    .description(
      "divide a Tiled's configuration: tiled-auth.yml for this server, tiled.yml for the Tiled behind it",
    )
    .argument("<file-or-folder>", "the configuration of a Tiled")
    .option("--out <folder>", "where to write (default: beside it)")
    .option("--upstream-port <port>", "the port of the Tiled behind, on loopback", port, 8001)
    .option("--force", "overwrite existing files")
    .action(async (path: string, options: MigrateOptions) =>
      (await import("./migrate.ts")).migrate(path, options, terminal),
    );
  config
    .command("schema")
    .description("print the JSON Schema of configurations, for editors")
    .action(() => printSchema(terminal));
}

export interface CheckOptions {
  readonly online?: boolean;
}

/** Throws a `ConfigError` with all that is wrong. Warnings go to stderr. */
export async function check(
  path: string | undefined,
  io: ConfigIo,
  { online = false }: CheckOptions = {},
): Promise<void> {
  const { config, problems } = await readAt(path, io, {});
  const { preflight } = await import("./preflight.ts");
  const warn = (message: string) => io.err(message);
  const { problems: found, authenticators = new Map() } = await preflight(config, warn);
  refuseAll(problems, found);
  for (const warning of config.warnings) io.err(warning);
  io.out("No errors found in configuration.");
  const { redirectNotice } = await import("./notices.ts");
  const { externalNames } = await import("../authenticators/load.ts");
  for (const line of redirectNotice(baseOf(config), externalNames(authenticators))) io.out(line);
  if (!online) return;
  const { askOnline } = await import("./online.ts");
  const answers = await askOnline(config, authenticators);
  for (const { ok, text } of answers) io.out(`${ok ? "ok" : "FAILED"}: ${text}`);
  if (answers.length === 0) io.out("There is no other server to ask.");
  const failed = answers.filter(({ ok }) => !ok).length;
  if (failed > 0) throw new OperatorError(`${failed} of ${answers.length} online checks failed.`);
}

function baseOf({ server: { accountUrl, publicUrl, tls, host, port, rootPath } }: Config): string {
  return (
    accountUrl ?? publicUrl ?? `${tls === null ? "http" : "https"}://${shownHost(host)}:${port}${rootPath}`
  );
}

/**
 * A configuration whose authenticators' arguments are checked, too. Throws a `ConfigError` with all that is wrong, so
 * that all of it can be mended at once.
 */
export async function loadWhole(
  path: string | undefined,
  io: ConfigIo,
  overrides: Overrides = {},
): Promise<Config> {
  const { config, problems } = await readAt(path, io, overrides);
  refuseAll(problems, [...(await providerProblems(config)), ...(await policyProblems(config))]);
  return config;
}

async function readAt(path: string | undefined, io: ConfigIo, overrides: Overrides) {
  const { defaultConfigPath, readConfig } = await import("../config/load.ts");
  const { config, problems } = readConfig(path ?? defaultConfigPath(io.env), io.env, overrides);
  if (config === undefined) throw new ConfigError(problems);
  return { config, problems };
}

/** What is wrong at one place is told once. */
function refuseAll(problems: readonly Problem[], found: readonly Problem[]): void {
  const known = new Set(problems.map((problem) => problem.path));
  const all = [...problems, ...found.filter((problem) => !known.has(problem.path))];
  if (all.length > 0) throw new ConfigError(all);
}

/** What the authenticators' own classes say to their arguments. */
async function providerProblems({ authentication, directory }: Config): Promise<readonly Problem[]> {
  const { loadAuthenticators } = await import("../authenticators/load.ts");
  try {
    // Their warnings come with the start.
    await loadAuthenticators(authentication.providers, directory, () => {});
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** What the policy's own class says to its arguments, and to the file of tag definitions. */
async function policyProblems({ accessControl, directory }: Config): Promise<readonly Problem[]> {
  const { loadPolicy } = await import("../trees/policies/load.ts");
  try {
    await loadPolicy(accessControl, { directory, warn: () => {} });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** With the arguments of the authenticators, policies and trees that come with this server. */
export async function printSchema({ out }: Pick<ConfigIo, "out">): Promise<void> {
  const { jsonSchema } = await import("../config/schema.ts");
  const { AUTHENTICATORS, PREFIX } = await import("../authenticators/table.ts");
  const { POLICY_CLASSES } = await import("../trees/policies/classes.ts");
  const { TREE_ARGS } = await import("../vocabulary/trees.ts");
  const authenticators = new Map<string, object>();
  for (const [name, load] of AUTHENTICATORS) authenticators.set(PREFIX + name, (await load()).args);
  const policies = new Map<string, object>();
  for (const [name, load] of POLICY_CLASSES) policies.set(name, (await load()).args);
  const trees = new Map<string, object>(Object.entries(TREE_ARGS));
  out(JSON.stringify(jsonSchema({ authenticators, policies, trees }), null, 2));
}
