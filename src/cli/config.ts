/**
 * The verbs of `tiled config`, and `tiled admin check-config`: a configuration is checked as far as it can be without starting, the arguments of its authenticators included.
 */
import type { Command } from "commander";
import type { Overrides } from "../config/context.ts";
import type { Config } from "../config/model.ts";
import { ConfigError, type Problem } from "../config/problems.ts";
import { shownHost } from "../lib/address.ts";
import type { MigrateOptions } from "./migrate.ts";
import type { Terminal } from "./terminal.ts";
import { port } from "./values.ts";

export type ConfigIo = Pick<Terminal, "env" | "out" | "err">;

export function configVerbs(tiled: Command, terminal: Terminal): void {
  const config = tiled
    .command("config")
    .description("check a configuration, divide one of a Tiled, or print the schema")
    .helpCommand(false);
  config
    .command("check")
    .description("check a configuration without starting a server")
    .argument(
      "[file-or-folder]",
      "a YAML file, or a folder of *.yml and *.yaml files (default: $TILED_CONFIG, or config.yml)",
    )
    .action((path: string | undefined) => check(path, terminal));
  config
    .command("migrate")
    .description(
      "make of a Tiled's configuration two: tiled-auth.yml for this server, tiled.yml for the Tiled behind it",
    )
    .argument("<file-or-folder>", "the configuration of a Tiled")
    .option("--out <folder>", "where to write (default: beside it)")
    .option("--upstream-port <port>", "the port of the Tiled behind, on loopback", port, 8001)
    .option("--force", "overwrite files that are there")
    .action(async (path: string, options: MigrateOptions) =>
      (await import("./migrate.ts")).migrate(path, options, terminal),
    );
  config
    .command("schema")
    .description("print the JSON Schema of configurations, for editors")
    .action(() => printSchema(terminal));
}

/** Throws a `ConfigError` with all that is wrong. Warnings go to stderr. */
export async function check(path: string | undefined, io: ConfigIo): Promise<void> {
  const config = await loadWhole(path, io);
  for (const warning of config.warnings) io.err(warning);
  io.out("No errors found in configuration.");
  const { redirectNotice } = await import("./notices.ts");
  for (const line of redirectNotice(baseOf(config), await externalsOf(config, io))) io.out(line);
}

function baseOf({ server: { publicUrl, tls, host, port, rootPath } }: Config): string {
  return publicUrl ?? `${tls === null ? "http" : "https"}://${shownHost(host)}:${port}${rootPath}`;
}

/** Tells what their classes warn of, too. */
async function externalsOf({ authentication, directory }: Config, io: ConfigIo): Promise<readonly string[]> {
  const { externalNames, loadAuthenticators } = await import("../authenticators/load.ts");
  return externalNames(
    await loadAuthenticators(authentication.providers, directory, (warning) => io.err(warning)),
  );
}

/**
 * A configuration whose authenticators' arguments are checked, too. Throws a `ConfigError` with all that is wrong, so
 * that nobody mends one half only to be told of the other.
 */
export async function loadWhole(
  path: string | undefined,
  io: ConfigIo,
  overrides: Overrides = {},
): Promise<Config> {
  const { defaultConfigPath, readConfig } = await import("../config/load.ts");
  const { config, problems } = readConfig(path ?? defaultConfigPath(io.env), io.env, overrides);
  if (config === undefined) throw new ConfigError(problems);
  const known = new Set(problems.map((problem) => problem.path));
  const found = [...(await providerProblems(config)), ...(await policyProblems(config))];
  const further = found.filter((problem) => !known.has(problem.path));
  if (problems.length + further.length > 0) throw new ConfigError([...problems, ...further]);
  return config;
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
  const { POLICIES, POLICY_PREFIX } = await import("../trees/policies/names.ts");
  const { TREE_ARGS } = await import("../trees/names.ts");
  const authenticators = new Map<string, object>();
  for (const [name, load] of AUTHENTICATORS) authenticators.set(PREFIX + name, (await load()).args);
  const policies = new Map<string, object>();
  for (const [name, load] of POLICIES) policies.set(POLICY_PREFIX + name, (await load()).args);
  const trees = new Map<string, object>(Object.entries(TREE_ARGS));
  out(JSON.stringify(jsonSchema({ authenticators, policies, trees }), null, 2));
}
