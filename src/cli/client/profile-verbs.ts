/**
 * `tiled profile …`: named servers in files that Python's `tiled` reads and writes, too. No verb here asks a server.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { PROFILE_NAME } from "../../client/node/folders.ts";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import { type JsonOption, withJson } from "./options.ts";
import type { CreateOptions } from "./profiles.ts";

const NAME = "the profile's name";

export function profileVerbs(tiled: Command, terminal: Terminal): void {
  const actions = () => import("./profiles.ts");
  const profile = describe(tiled.command("profile"), {
    examples: ["tiled profile create https://tiled.example.org", "tiled profile list"],
  })
    .description("manage profiles, which are names for servers")
    .helpCommand(false);
  creation(profile, terminal);

  describe(withJson(profile.command("list")), {
    examples: ["tiled profile list", "tiled profile list --json"],
  })
    .description("list the profiles and their files")
    .action(async (options: JsonOption) => (await actions()).list(options, terminal));

  describe(profile.command("paths"), {
    examples: ["tiled profile paths", "TILED_PROFILES=~/lab tiled profile paths"],
  })
    .description(
      "list the folders of profiles. A later one overrides an earlier one, and the last is written to",
    )
    .action(async () => (await actions()).paths(terminal));

  describe(profile.command("show"), {
    examples: ["tiled profile show auto", "tiled profile show lab"],
  })
    .description("print a profile as YAML")
    .argument("<name>", NAME)
    .action(async (name: string) => (await actions()).show(name, terminal));

  describe(profile.command("edit"), {
    examples: ["tiled profile edit auto", "EDITOR=nano tiled profile edit lab"],
  })
    .description("open a profile's file in $VISUAL or $EDITOR, then check it")
    .argument("<name>", NAME)
    .action(async (name: string) => (await import("./edit-profile.ts")).edit(name, terminal));

  describe(profile.command("delete"), {
    examples: ["tiled profile delete auto", "tiled profile delete lab"],
  })
    .description("delete a profile of your own. A file with other profiles keeps them")
    .argument("<name>", NAME)
    .action(async (name: string) => (await actions()).remove(name, terminal));

  defaults(profile, terminal);
}

function creation(profile: Command, terminal: Terminal): void {
  describe(profile.command("create"), {
    examples: [
      "tiled profile create https://tiled.example.org",
      "tiled profile create http://localhost:8000 --name local --no-set-default",
    ],
  })
    .description("create a profile for a server")
    .argument("<uri>", "the server's address, e.g. https://tiled.example.org")
    .option("--name <name>", "letters, digits, '.', '_' and '-'", newName, "auto")
    .addOption(new Option("--set-default", "make it the default profile").default(true).hideHelp())
    .option("--no-set-default", "do not make it the default profile")
    .option("--overwrite", "replace an existing profile of this name")
    .option("--no-verify", "accept any certificate of the server")
    .action(async (uri: string, options: CreateOptions) =>
      (await import("./profiles.ts")).create(uri, options, terminal),
    );
}

function defaults(profile: Command, terminal: Terminal): void {
  const actions = () => import("./profiles.ts");

  describe(profile.command("get-default"), {
    examples: ["tiled profile get-default", "tiled profile get-default | grep uri"],
  })
    .description("print the default profile, which verbs use without --profile and --url")
    .action(async () => (await actions()).getDefault(terminal));

  describe(profile.command("set-default"), {
    examples: ["tiled profile set-default auto", "tiled profile set-default lab"],
  })
    .description("choose the default profile")
    .argument("<name>", NAME)
    .action(async (name: string) => (await actions()).setDefault(name, terminal));

  describe(profile.command("clear-default"), {
    examples: ["tiled profile clear-default", "tiled profile clear-default && tiled whoami --profile lab"],
  })
    .description("unset the default profile. The profile itself stays")
    .action(async () => (await actions()).clearDefault(terminal));
}

function newName(text: string): string {
  if (PROFILE_NAME.test(text)) return text;
  throw new InvalidArgumentError("Use letters, digits, '.', '_' and '-', and no '.' at the beginning.");
}
