/**
 * `tiled admin …`: verbs for operators that work on a server's database directly, also while it runs. `--database` or the
 * configuration names it. Their changes are in the audit table as the command line's, with the name of the machine's user.
 */
import { type Command, Option } from "commander";
import { AUDIT_EVENTS } from "../../domain/model/entities.ts";
import type { Uuid } from "../../lib/uuid.ts";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import { atLeastOne, firstEight, notEmpty, since, uuid, whole } from "../console/values.ts";
import type { AuditOptions } from "./audit.ts";
import type { ImportOptions } from "./import-cave.ts";
import type { DatabaseOptions } from "./target.ts";
import { userVerbs } from "./user-verbs.ts";

const PRINCIPAL = "a principal: its UUID, or PROVIDER:ID of one of its identities";

/** Returns `admin`, for the verbs of `cli/client` that ask a server over HTTP. */
export function adminVerbs(tiled: Command, terminal: Terminal): Command {
  const admin = tiled
    .command("admin")
    .description("manage users, sessions, keys, backups and the audit log")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
Running servers of a database apply changes to it within a second.
Other users of the machine can see a password in a URI on the command line: use TILED_DATABASE_URI or --config instead.
The command then prints on stderr which database it works on. --config and TILED_CONFIG win over TILED_DATABASE_URI.

Commands that ask a server use the login of 'tiled login', or TILED_API_KEY.`,
    );
  described(admin, ["tiled admin principals", "tiled admin list-principals --url https://tiled.example.org"]);
  admin.commandsGroup("Work on a database or configuration of this machine:");
  databaseVerbs(admin, terminal);
  principalVerbs(admin, terminal);
  userVerbs(admin, terminal, onDatabase);
  auditVerb(admin, terminal);
  importVerb(admin, terminal);
  return admin;
}

function databaseVerbs(admin: Command, terminal: Terminal): void {
  described(admin.command("initialize-database"), [
    "tiled admin initialize-database sqlite:////var/lib/tiled/tiled.db",
    "tiled admin initialize-database postgresql://tiled@localhost:5432/tiled",
  ])
    .description("create the tables of a new database")
    .argument("<uri>", "e.g. sqlite:////var/lib/tiled/tiled.db or postgresql://user:password@host:5432/name")
    .action(async (uri: string) => (await import("./database.ts")).initialize(uri, terminal));

  described(admin.command("upgrade-database"), [
    "tiled admin upgrade-database sqlite:////var/lib/tiled/tiled.db",
    "tiled admin upgrade-database postgresql://tiled@localhost:5432/tiled",
  ])
    .description("upgrade this server's own tables in a database; Tiled upgrades its own")
    .argument("<uri>", "the database's URI")
    .argument("[revision]", "the required revision of Tiled's tables; at another one nothing is changed")
    .action(async (uri: string, revision: string | undefined) =>
      (await import("./database.ts")).upgrade(uri, revision, terminal),
    );

  described(admin.command("check-config"), [
    "tiled admin check-config",
    "tiled admin check-config /etc/tiled/config.yml",
  ])
    .description("check a configuration, as 'tiled config check' does")
    .argument("[file-or-folder]", "a YAML file, or a folder of them (default: $TILED_CONFIG, or config.yml)")
    .action(async (path: string | undefined) => (await import("../config/check.ts")).check(path, terminal));

  described(onDatabase(admin.command("check-database")), [
    "tiled admin check-database --config /etc/tiled/config.yml",
    "tiled admin check-database --database sqlite:////var/lib/tiled/tiled.db",
  ])
    .description("check whether a database can be served, without changing it")
    .action(async (options: DatabaseOptions) => (await import("./database.ts")).check(options, terminal));

  described(onDatabase(admin.command("backup")), [
    "tiled admin backup tiled-2026-01-31.db",
    "tiled admin backup latest.db --force --config /etc/tiled/config.yml",
  ])
    .description("copy a database to a file while servers use it, and verify the copy")
    .argument(
      "<file>",
      "the new file, mode 0600: a SQLite database, or for PostgreSQL an archive of pg_dump",
      notEmpty,
    )
    .option("--force", "replace an existing file")
    .action(async (file: string, options: DatabaseOptions & { force?: boolean }) =>
      (await import("./backup.ts")).backup(file, options, terminal),
    );

  described(onDatabase(admin.command("restore")), [
    "tiled admin restore tiled-2026-01-31.db",
    "tiled admin restore latest.db --config /etc/tiled/config.yml",
  ])
    .description("verify a backup and replace the database with it")
    .addHelpText("after", "\nStop the server first. An existing SQLite file is kept beside it.")
    .argument(
      "<file>",
      "a file of 'tiled admin backup'; with PostgreSQL the database must be empty",
      notEmpty,
    )
    .action(async (file: string, options: DatabaseOptions) =>
      (await import("./backup.ts")).restore(file, options, terminal),
    );

  described(onDatabase(admin.command("purge")), [
    "tiled admin purge",
    "tiled admin purge --config /etc/tiled/config.yml",
  ])
    .description("delete expired sessions and keys, and old audit rows")
    .addHelpText(
      "after",
      `
Running servers do this within a minute. Audit rows are old after the configuration's audit.retention_days. With --database
alone, without a configuration, no audit rows are deleted.`,
    )
    .action(async (options: DatabaseOptions) => (await import("./database.ts")).purge(options, terminal));
}

function principalVerbs(admin: Command, terminal: Terminal): void {
  const actions = () => import("./principals.ts");

  described(onDatabase(admin.command("principals")), [
    "tiled admin principals",
    "tiled admin principals --json --limit 10",
  ])
    .description("list users and services")
    .option("--offset <n>", "skip the first n", whole, 0)
    .option("--limit <n>", "list at most n", atLeastOne, 100)
    .option("--json", "print JSON, with sessions and keys")
    .action(async (options: DatabaseOptions & { offset: number; limit: number; json?: boolean }) =>
      (await actions()).list(options, terminal),
    );

  described(onDatabase(admin.command("make-admin")), [
    "tiled admin make-admin pam alice",
    "tiled admin make-admin orcid 0000-0002-1825-0097",
  ])
    .description("give a user the role admin, even before their first login")
    .argument("<provider>", "the provider's name in the configuration", notEmpty)
    .argument("<id>", "the user's name there", notEmpty)
    .action(async (provider: string, id: string, options: DatabaseOptions) =>
      (await import("./admins.ts")).makeAdmin({ provider, id }, options, terminal),
    );

  described(onDatabase(admin.command("revoke-admin")), [
    "tiled admin revoke-admin pam alice",
    "tiled admin revoke-admin 9f8d1c2e-0b5a-4d43-9e0a-5f1c4a9b7d10",
  ])
    .description("take the role admin away from a user")
    .addHelpText(
      "after",
      "\nA person in authentication.tiled_admins gets it back at the next start or login.",
    )
    .argument("<provider>", `the provider's name; without an id, ${PRINCIPAL}`, notEmpty)
    .argument("[id]", "the user's name there", notEmpty)
    .action(async (provider: string, id: string | undefined, options: DatabaseOptions) =>
      (await import("./admins.ts")).revokeAdmin(provider, id, options, terminal),
    );

  described(onDatabase(admin.command("disable")), [
    "tiled admin disable pam:alice",
    "tiled admin disable pam:alice --even-last-admin",
  ])
    .description("refuse a principal's logins, sessions, tokens and keys at once, until enabled again")
    .argument("<principal>", PRINCIPAL)
    .option("--even-last-admin", "even if no working administrator is left")
    .action(async (principal: string, options: DatabaseOptions & { evenLastAdmin?: boolean }) =>
      (await actions()).disable(principal, options, terminal),
    );

  described(onDatabase(admin.command("enable")), [
    "tiled admin enable pam:alice",
    "tiled admin enable 9f8d1c2e-0b5a-4d43-9e0a-5f1c4a9b7d10",
  ])
    .description("let a disabled principal log in again")
    .argument("<principal>", PRINCIPAL)
    .action(async (principal: string, options: DatabaseOptions) =>
      (await actions()).enable(principal, options, terminal),
    );

  described(onDatabase(admin.command("revoke-session")), [
    "tiled admin revoke-session 5d0c6f3e-7a41-4b53-8d0e-2f9f6f1b8c11",
    "tiled admin revoke-session 5d0c6f3e-7a41-4b53-8d0e-2f9f6f1b8c11 --config /etc/tiled",
  ])
    .description("end one session and its tokens")
    .argument("<session>", "the session's UUID, as whoami and 'principals --json' show it", uuid)
    .action(async (session: Uuid, options: DatabaseOptions) =>
      (await actions()).revokeSession(session, options, terminal),
    );

  described(onDatabase(admin.command("revoke-sessions")), [
    "tiled admin revoke-sessions pam:alice",
    "tiled admin revoke-sessions pam:alice --config /etc/tiled/config.yml",
  ])
    .description("end all sessions of a principal. API keys stay valid")
    .argument("<principal>", PRINCIPAL)
    .action(async (principal: string, options: DatabaseOptions) =>
      (await actions()).revokeSessions(principal, options, terminal),
    );

  described(onDatabase(admin.command("revoke-key")), [
    "tiled admin revoke-key pam:alice 0123abcd",
    "tiled admin revoke-key pam:alice 0123abcd --config /etc/tiled/config.yml",
  ])
    .description("revoke an API key")
    .argument("<principal>", PRINCIPAL)
    .argument("<first-eight>", "the key's first eight digits", firstEight)
    .action(async (principal: string, key: string, options: DatabaseOptions) =>
      (await actions()).revokeKey(principal, key, options, terminal),
    );
}

function auditVerb(admin: Command, terminal: Terminal): void {
  described(onDatabase(admin.command("audit")), [
    "tiled admin audit --since 7d --event login_failed",
    "tiled admin audit --follow --json",
  ])
    .description("print the security events: user, action, address, time")
    .option("--follow", "print new events until Ctrl-C")
    .option("--json", "print JSON lines")
    .option(
      "--since <time>",
      "only events since 2026-01-31, 2026-01-31T12:00:00 (UTC), or 90s, 15m, 2h, 7d ago",
      since,
    )
    .addOption(new Option("--event <name...>", "only events of these kinds").choices(AUDIT_EVENTS))
    .option("--principal <principal>", `only events about ${PRINCIPAL}`)
    .option("--limit <n>", "at most the newest n events", atLeastOne, 100)
    .action(async (options: AuditOptions) => (await import("./audit.ts")).audit(options, terminal));
}

function importVerb(admin: Command, terminal: Terminal): void {
  described(admin.command("import-cave"), [
    "tiled admin import-cave export.json --dry-run",
    "tiled admin import-cave export.json --output /etc/tiled/cave.yml",
  ])
    .description("take over the people, tokens, groups and permissions of a middle_auth server")
    .argument(
      "<file>",
      "the server's export, a JSON file: docs/how-to/from-middle-auth.md has the query",
      notEmpty,
    )
    .option("--config <file-or-folder>", "the server's configuration (default: $TILED_CONFIG, or config.yml)")
    .option(
      "--provider <name>",
      "the provider where these people log in (default: the only one that identifies people by e-mail address)",
      notEmpty,
    )
    .option(
      "--server-address <url>",
      "the address that users give to CAVEclient (default: that of the configuration's section 'cave')",
      notEmpty,
    )
    .option("--output <file>", "the file for the configuration's section 'cave'", notEmpty, "cave.yml")
    .option("--force", "overwrite an existing output file")
    .option("--dry-run", "check the file against the database and print what an import would do")
    .addHelpText(
      "after",
      `
People and service accounts keep their numbers, and tokens are imported as hashes, so clients notice nothing. If a number belongs to
another principal of the database, nothing is written: use a new database, before its first login. A second run changes nothing. After
a change of the file it adds new people and lists all other differences.`,
    )
    .action(async (file: string, options: ImportOptions) =>
      (await import("./import-cave.ts")).importCave(file, options, terminal),
    );
}

function onDatabase(command: Command): Command {
  return command
    .option(
      "--database <uri>",
      "the database's URI (default: that of --config or $TILED_CONFIG, else $TILED_DATABASE_URI, else that of config.yml)",
    )
    .option(
      "--config <file-or-folder>",
      "the server's configuration (default: $TILED_CONFIG, or config.yml)",
    );
}

function described(command: Command, examples: readonly string[]): Command {
  return describe(command, {
    examples,
    exitCodes: ["1 refused (no such principal, database not initialized, …)"],
  });
}
