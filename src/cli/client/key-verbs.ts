/**
 * `tiled api_key …` for one's own API keys, and the verbs of `tiled admin` that ask a server over HTTP. `cli/admin` has those
 * that work on a database of this machine.
 */
import { type Command, InvalidArgumentError } from "commander";
import { secondsOf } from "../../client/expires-in.ts";
import { describe } from "../console/help.ts";
import type { Terminal } from "../console/terminal.ts";
import { uuid, whole } from "../console/values.ts";
import type { CreateKeyOptions } from "./keys.ts";
import { type JsonOption, onServer, type ServerOptions, withJson } from "./options.ts";

const KEY = "the key's first eight characters, or the whole key";
const PRINCIPAL = "the user's or service's UUID, as 'tiled admin list-principals' shows it";
const LOGIN_NEEDED = ["4 a login is needed, and there is no terminal to ask on"];
const SOME_UUID = "a1b2c3d4-0000-4000-8000-000000000000";

export function keyVerbs(tiled: Command, terminal: Terminal): void {
  const actions = () => import("./keys.ts");
  const keys = describe(tiled.command("api_key"), {
    examples: ["tiled api_key create --expires-in 30d", "tiled api_key list"],
    exitCodes: LOGIN_NEEDED,
  })
    .description("create, list and revoke your API keys")
    .helpCommand(false);

  describe(onServer(withKeyOptions(keys.command("create"))), {
    examples: [
      "tiled api_key create --expires-in 30d --note 'nightly backup'",
      "tiled api_key create --scopes read:metadata --scopes read:data",
    ],
    exitCodes: LOGIN_NEEDED,
  })
    .description("create an API key and print its secret, which cannot be shown again")
    .action(async (options: CreateKeyOptions) => (await actions()).create(null, options, terminal));

  describe(withJson(onServer(keys.command("list"))), {
    examples: ["tiled api_key list", "tiled api_key list --json"],
    exitCodes: LOGIN_NEEDED,
  })
    .description("list your API keys")
    .action(async (options: ServerOptions & JsonOption) => (await actions()).list(null, options, terminal));

  describe(onServer(keys.command("revoke")), {
    examples: ["tiled api_key revoke 1a2b3c4d", "tiled api_key revoke 1a2b3c4d --profile lab"],
    exitCodes: LOGIN_NEEDED,
  })
    .description("revoke an API key")
    .argument("<first-eight>", KEY)
    .action(async (key: string, options: ServerOptions) =>
      (await actions()).revoke(null, key, options, terminal),
    );
}

/** `admin`: with the verbs that work on a database. */
export function remoteAdminVerbs(admin: Command, terminal: Terminal): void {
  admin.commandsGroup("Ask a server over HTTP, as an administrator (--profile, --url):");
  principalVerbs(admin, terminal);
  const keys = describe(admin.command("api-key"), {
    examples: [`tiled admin api-key list ${SOME_UUID}`, `tiled admin api-key create ${SOME_UUID}`],
    exitCodes: LOGIN_NEEDED,
  })
    .description("create, list and revoke API keys of any user or service")
    .helpCommand(false);
  othersKeyVerbs(keys, terminal);
}

function principalVerbs(admin: Command, terminal: Terminal): void {
  const actions = () => import("./principals.ts");

  describe(onServer(admin.command("list-principals")), {
    examples: ["tiled admin list-principals", "tiled admin list-principals 100 50 --profile lab"],
    exitCodes: LOGIN_NEEDED,
  })
    .description("print a server's users and services as JSON, in the order of their creation")
    .argument("[offset]", "skip this many", whole, 0)
    .argument("[limit]", "print at most this many", whole, 100)
    .action(async (offset: number, limit: number, options: ServerOptions) =>
      (await actions()).list({ offset, limit }, options, terminal),
    );

  describe(onServer(admin.command("show-principal")), {
    examples: [
      `tiled admin show-principal ${SOME_UUID}`,
      `tiled admin show-principal ${SOME_UUID} --url https://tiled.example.org`,
    ],
    exitCodes: LOGIN_NEEDED,
  })
    .description("print a user or service as JSON")
    .argument("<uuid>", PRINCIPAL, uuid)
    .action(async (principal: string, options: ServerOptions) =>
      (await actions()).show(principal, options, terminal),
    );

  describe(onServer(admin.command("create-service-principal")), {
    examples: ["tiled admin create-service-principal", "tiled admin create-service-principal --role admin"],
    exitCodes: LOGIN_NEEDED,
  })
    .description(
      "create an account for a program and print it as JSON. 'admin api-key create' gives it a key",
    )
    .option("--role <role>", "the role of the account, such as user or admin", "user")
    .action(async (options: ServerOptions & { readonly role: string }) =>
      (await actions()).createService(options, terminal),
    );
}

function othersKeyVerbs(keys: Command, terminal: Terminal): void {
  const actions = () => import("./keys.ts");

  describe(onServer(withKeyOptions(keys.command("create"))), {
    examples: [
      `tiled admin api-key create ${SOME_UUID} --expires-in 1y`,
      `tiled admin api-key create ${SOME_UUID} --scopes read:metadata --note detector`,
    ],
    exitCodes: LOGIN_NEEDED,
  })
    .description("create an API key for a user or service and print its secret, which cannot be shown again")
    .argument("<uuid>", PRINCIPAL, uuid)
    .action(async (principal: string, options: CreateKeyOptions) =>
      (await actions()).create(principal, options, terminal),
    );

  describe(withJson(onServer(keys.command("list"))), {
    examples: [`tiled admin api-key list ${SOME_UUID}`, `tiled admin api-key list ${SOME_UUID} --json`],
    exitCodes: LOGIN_NEEDED,
  })
    .description("list the API keys of a user or service")
    .argument("<uuid>", PRINCIPAL, uuid)
    .action(async (principal: string, options: ServerOptions & JsonOption) =>
      (await actions()).list(principal, options, terminal),
    );

  describe(onServer(keys.command("revoke")), {
    examples: [
      `tiled admin api-key revoke ${SOME_UUID} 1a2b3c4d`,
      `tiled admin api-key revoke ${SOME_UUID} 1a2b3c4d --profile lab`,
    ],
    exitCodes: LOGIN_NEEDED,
  })
    .description("revoke an API key of a user or service")
    .argument("<uuid>", PRINCIPAL, uuid)
    .argument("<first-eight>", KEY)
    .action(async (principal: string, key: string, options: ServerOptions) =>
      (await actions()).revoke(principal, key, options, terminal),
    );
}

function withKeyOptions(command: Command): Command {
  return withJson(command)
    .option(
      "--expires-in <time>",
      "seconds, or 30s, 5m, 1h, 7d, 1y (default: the longest allowed)",
      expiresIn,
    )
    .option("--scopes <scope>", "a permission of the key; can be repeated (default: its owner's)", collect)
    .option(
      "--access-tags <tag>",
      "limit the key to entries with this tag; can be repeated (default: no limit)",
      collect,
    )
    .option("--note <text>", "a note that 'list' shows");
}

function expiresIn(text: string): string {
  try {
    secondsOf(text);
    return text;
  } catch {
    throw new InvalidArgumentError("Use seconds (600), or a number and a unit: 30s, 5m, 1h, 7d, 1y.");
  }
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
