/** The verb `tiled init`. `run.ts` does the work, and reads the options as answers. */
import type { Command } from "commander";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import type { InitOptions } from "./run.ts";

export function initVerb(tiled: Command, terminal: Terminal): void {
  const init = tiled
    .command("init")
    .description("ask five questions, and write a configuration that can be started")
    .argument(
      "[file]",
      "the configuration to write; its secrets go into a file beside it that ends with .env",
      "config.yml",
    )
    .option("--who <who>", "who may use the server: single-user, public, private (logins) or mixed")
    .option(
      "--provider <provider>",
      "how people log in: passwords, pam, orcid, google, or the address of an OpenID Connect provider",
    )
    .option("--admin <id>", "the administrator's user name or ID at the provider (default: you)")
    .option("--data <data>", "the data: example, a folder, or the address of a Tiled server behind")
    .option("--address <url>", "how people reach it: local, http://localhost:PORT or https://NAME")
    .option("--database <database>", "where logins are stored: sqlite, postgresql or its address")
    .option(
      "--yes",
      "ask nothing: private, passwords, example, local, sqlite, unless an option says otherwise",
    )
    .option("--force", "overwrite existing files, with the secrets in them")
    .action(async (file: string, options: InitOptions) =>
      (await import("./run.ts")).init(file, options, terminal),
    );
  describe(init, {
    examples: [
      "tiled init",
      "tiled init --yes --who mixed --provider orcid --data ./data --address https://tiled.example.org site.yml",
    ],
    exitCodes: ["1 a file exists, or cannot be written", "2 wrong usage, or a question without a terminal"],
  });
}
