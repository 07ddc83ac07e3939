/** `tiled admin user …`: the verbs for accounts of `tiled_auth:LocalAuthenticator`. `users.ts` has what they do. */
import { type Command, Option } from "commander";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import { notEmpty } from "../console/values.ts";
import type { ImportUsersOptions } from "./import-users.ts";
import type { InviteOptions } from "./user-links.ts";
import type { AddOptions, SetOptions, UserOptions } from "./users.ts";

const NAME = "the account's name";
const EXIT_CODES = ["1 refused (no such account, the name is taken, the password is not allowed, …)"];

export function userVerbs(
  admin: Command,
  terminal: Terminal,
  onDatabase: (command: Command) => Command,
): void {
  const user = admin
    .command("user")
    .description("manage the accounts that this server keeps itself")
    .helpCommand(false)
    .addHelpText(
      "after",
      "\nThey log in at a provider with tiled_auth:LocalAuthenticator: docs/how-to/local-accounts.md.",
    );
  describe(user, {
    examples: ["tiled admin user add ada --group beamline7", "tiled admin user list"],
    exitCodes: EXIT_CODES,
  });
  const actions = () => import("./users.ts");
  const verb = (name: string, examples: readonly string[]): Command =>
    describe(onDatabase(user.command(name)), { examples, exitCodes: EXIT_CODES }).option(
      "--provider <name>",
      "the provider's name (default: the only one with such accounts)",
      notEmpty,
    );

  verb("add", [
    "tiled admin user add ada --email ada@lab.org",
    "tiled admin user add root --admin --password-stdin < password.txt",
  ])
    .description("add an account; its password is asked for twice")
    .argument("<name>", NAME, notEmpty)
    .option("--email <address>", "an e-mail address", notEmpty)
    .option("--group <name>", "a group, for access policies; may be repeated", collected)
    .option("--admin", "give it the role admin")
    .option("--password-stdin", "read the password from the first line of the input")
    .action(async (name: string, options: AddOptions) => (await actions()).addUser(name, options, terminal));

  verb("list", ["tiled admin user list", "tiled admin user list --json"])
    .description("list accounts")
    .option("--json", "print JSON")
    .action(async (options: UserOptions & { json?: boolean }) =>
      (await actions()).listUsers(options, terminal),
    );

  verb("set", [
    "tiled admin user set ada --email ada@lab.org",
    "tiled admin user set ada --group beamline7 --group staff",
  ])
    .description("replace the e-mail address or the groups of an account, or enable it")
    .addHelpText("after", "\nGroups count from the next login on.")
    .argument("<name>", NAME, notEmpty)
    .option("--email <address>", "the new e-mail address", notEmpty)
    .option("--group <name>", "a group; may be repeated, and replaces all groups", collected)
    .option("--enable", "let an account log in that was disabled when it was imported")
    .action(async (name: string, options: SetOptions & { enable?: boolean }) =>
      (await actions()).setUser(name, options, terminal),
    );

  verb("set-password", [
    "tiled admin user set-password ada",
    "tiled admin user set-password ada --password-stdin < password.txt",
  ])
    .description("replace a password, and end the account's sessions. API keys stay valid")
    .argument("<name>", NAME, notEmpty)
    .option("--password-stdin", "read the password from the first line of the input")
    .action(async (name: string, options: UserOptions & { passwordStdin?: boolean }) =>
      (await actions()).setPassword(name, options, terminal),
    );

  verb("rename", [
    "tiled admin user rename ada ada.lovelace",
    "tiled admin user rename ada al --config /etc/tiled/config.yml",
  ])
    .description("give an account another name, and end its sessions. API keys and data stay")
    .argument("<old>", NAME, notEmpty)
    .argument("<new>", "the new name", notEmpty)
    .action(async (old: string, name: string, options: UserOptions) =>
      (await actions()).renameUser(old, name, options, terminal),
    );

  verb("remove", [
    "tiled admin user remove ada",
    "tiled admin user remove ada --config /etc/tiled/config.yml",
  ])
    .description("remove an account, and refuse its sessions and keys at once")
    .addHelpText(
      "after",
      "\nIf it ever logged in, its name stays reserved, so that no new person gets its data.",
    )
    .argument("<name>", NAME, notEmpty)
    .action(async (name: string, options: UserOptions) =>
      (await actions()).removeUser(name, options, terminal),
    );
  linkVerbs(verb, terminal);
  importVerb(verb, terminal);
}

type Verb = (name: string, examples: readonly string[]) => Command;

function linkVerbs(verb: Verb, terminal: Terminal): void {
  const links = () => import("./user-links.ts");
  verb("invite", [
    "tiled admin user invite ada --email ada@lab.org --group beamline7",
    "tiled admin user invite ada --expires 2d",
  ])
    .description("add an account without a password, and print a link by which its person chooses one")
    .addHelpText(
      "after",
      "\nThe link counts once. Run it again for a new link, which replaces the earlier one. Needs server.public_url.",
    )
    .argument("<name>", NAME, notEmpty)
    .option("--email <address>", "an e-mail address", notEmpty)
    .option("--group <name>", "a group, for access policies; may be repeated", collected, [])
    .option("--admin", "give it the role admin")
    .option(
      "--expires <time>",
      "how long the link counts: 30m, 1h, 7d (default: invitation_max_age)",
      notEmpty,
    )
    .action(async (name: string, options: InviteOptions) =>
      (await links()).inviteUser(name, options, terminal),
    );

  verb("reset-password", ["tiled admin user reset-password ada", "tiled admin user reset-password ada --now"])
    .description("print a link by which the account's person chooses a new password")
    .addHelpText(
      "after",
      "\nThe link counts once, for the time of reset_max_age, and its use ends all sessions. Needs server.public_url.",
    )
    .argument("<name>", NAME, notEmpty)
    .option("--now", "delete the password and end all sessions at once")
    .action(async (name: string, options: UserOptions & { now?: boolean }) =>
      (await links()).resetPassword(name, options, terminal),
    );
}

function importVerb(verb: Verb, terminal: Terminal): void {
  verb("import", [
    "tiled admin user import .htpasswd --format htpasswd --dry-run",
    "tiled admin user import people.csv --format csv --skip",
  ])
    .description("add the accounts of a file, with the passwords that people have; all or none")
    .argument(
      "<file>",
      "an htpasswd file, CSV, a database of NativeAuthenticator, or a configuration of Tiled",
      notEmpty,
    )
    .addOption(
      new Option("--format <format>", "the file's form")
        .choices(["htpasswd", "csv", "native", "tiled"])
        .makeOptionMandatory(),
    )
    .option("--dry-run", "check the file against the database, and change nothing")
    .option("--skip", "leave out names that have an account already")
    .action(async (file: string, options: ImportUsersOptions) =>
      (await import("./import-users.ts")).importUsers(file, options, terminal),
    );
}

function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, notEmpty(value)];
}
