/**
 * The verbs of `tiled config`. `check.ts`, `migrate.ts` and `try.ts` do the work of three of them.
 */
import type { Command } from "commander";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import { port } from "../console/values.ts";
import type { CheckOptions } from "./check.ts";
import type { MigrateOptions } from "./migrate.ts";
import type { TryOptions } from "./try.ts";

export function configVerbs(tiled: Command, terminal: Terminal): void {
  const config = tiled
    .command("config")
    .description("check, try or migrate a configuration, or print the schema of configurations")
    .helpCommand(false);
  describe(config, { examples: ["tiled config check config.yml", "tiled config schema > schema.json"] });
  const check = config
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
Checks what a start checks: keys and values, classes and their arguments, certificates, folders, tag files, the logo, a
SQLite database. Without --online it does not use the network, so a class of your own is created but not started.`,
    )
    .action(async (path: string | undefined, options: CheckOptions) =>
      (await import("./check.ts")).check(path, terminal, options),
    );
  describe(check, {
    examples: ["tiled config check", "tiled config check --online /etc/tiled/config.yml"],
    exitCodes: ["0 no errors", "1 a start would fail, or an online check failed"],
  });
  const migrate = config
    .command("migrate")
    .description("divide a Tiled's configuration between this server and the Tiled behind it")
    .argument("<file-or-folder>", "the configuration of a Tiled")
    .option(
      "--out <folder>",
      "where to write tiled-auth.yml, for this server, and tiled.yml (default: beside it)",
    )
    .option("--upstream-port <port>", "the port of the Tiled behind, on loopback", port, 8001)
    .option("--force", "overwrite existing files")
    .action(async (path: string, options: MigrateOptions) =>
      (await import("./migrate.ts")).migrate(path, options, terminal),
    );
  describe(migrate, {
    examples: ["tiled config migrate config.yml", "tiled config migrate /etc/tiled --out /srv/tiled"],
  });
  const login = config
    .command("try")
    .description("try a user name and a password at a provider, and print each step")
    .argument("<provider>", "the provider's name in the configuration")
    .argument("<name>", "the user name")
    .option("--config <file-or-folder>", "the configuration (default: $TILED_CONFIG, or config.yml)")
    .addHelpText(
      "after",
      `
Asks for the password, or reads it as a line of the input. No session is opened. An LDAP directory reports each step: server,
TLS, search, name, groups, identity.`,
    )
    .action(async (provider: string, name: string, options: TryOptions) =>
      (await import("./try.ts")).tryLogin(provider, name, options, terminal),
    );
  describe(login, {
    examples: ["tiled config try lab ada", "tiled config try lab ada --config /etc/tiled/config.yml"],
    exitCodes: [
      "0 logged in",
      "1 refused, or the provider cannot be used",
      "3 the provider cannot start, for example because a file is missing",
    ],
  });
  const schema = config
    .command("schema")
    .description("print the JSON Schema of configurations, for editors")
    .action(() => printSchema(terminal));
  describe(schema, { examples: ["tiled config schema", "tiled config schema > tiled-auth.schema.json"] });
}

/** Includes the arguments of this server's own authenticators, policies and trees. */
export async function printSchema({ out }: Pick<Terminal, "out">): Promise<void> {
  const { jsonSchema } = await import("../../config/schema.ts");
  const { AUTHENTICATORS, OWN, PREFIX } = await import("../../authenticators/table.ts");
  const { POLICY_CLASSES } = await import("../../trees/policies/classes.ts");
  const { TREE_ARGS } = await import("../../vocabulary/trees.ts");
  const authenticators = new Map<string, object>();
  for (const [name, load] of AUTHENTICATORS) authenticators.set(PREFIX + name, (await load()).args);
  for (const [name, load] of OWN) authenticators.set(name, (await load()).args);
  const policies = new Map<string, object>();
  for (const [name, load] of POLICY_CLASSES) policies.set(name, (await load()).args);
  const trees = new Map<string, object>(Object.entries(TREE_ARGS));
  out(JSON.stringify(jsonSchema({ authenticators, policies, trees }), null, 2));
}
