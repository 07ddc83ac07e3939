/**
 * `tiled admin user add`, `list`, `set`, `set-password`, `rename` and `remove`. `user-verbs.ts` has their options, and
 * `local-provider.ts` finds the provider. A password is asked for before the database is opened.
 */
import { isNewName, NAME_RULE } from "../../authenticators/local/names.ts";
import { shared } from "../../authenticators/passwords/hasher.ts";
import { kindOfHash } from "../../authenticators/passwords/stored.ts";
import type { Config } from "../../config/model.ts";
import { isStorableName } from "../../domain/model/storable-text.ts";
import type { ListedAccount, RefusedAccount } from "../../domain/ports/local-accounts.ts";
import { OperatorError } from "../../errors.ts";
import { printable, printableJson } from "../../lib/printable.ts";
import { table } from "../console/table.ts";
import type { Terminal } from "../console/terminal.ts";
import { COMMAND_LINE, withStore } from "./database.ts";
import { type LocalProvider, localProvider, requireAllowed } from "./local-provider.ts";
import { newPassword } from "./new-password.ts";
import { now } from "./principals.ts";
import type { DatabaseOptions } from "./target.ts";

export interface UserOptions extends DatabaseOptions {
  readonly provider?: string;
}

export interface SetOptions extends UserOptions {
  readonly email?: string;
  readonly group?: readonly string[];
}

export interface AddOptions extends SetOptions {
  readonly admin?: boolean;
  readonly passwordStdin?: boolean;
}

/** Changes of the command line do not compete for the check of passwords. */
const ASKER = { source: "command line" };

export async function addUser(name: string, options: AddOptions, terminal: Terminal): Promise<void> {
  if (!isNewName(name)) throw new OperatorError(`${printable(name)} is not allowed. ${NAME_RULE}`);
  const { email = null, group: groups = [], admin = false, passwordStdin = false } = options;
  requireStorable([...groups, ...(email === null ? [] : [email])]);
  await withStore({ ...options, mayCreate: true }, terminal, async ({ localAccounts }, config) => {
    const local = localProvider(config, options.provider);
    const { provider } = local;
    const change = { provider, admin, as: "added", now: now(), context: COMMAND_LINE } as const;
    const account = { name, email, password: "", state: "active", groups: [...new Set(groups)] } as const;
    const before = await localAccounts.add({ ...change, accounts: [account], dryRun: true });
    if (before.kind === "refused") throw refused(before.refused, [account]);
    const password = await allowedPassword(passwordStdin, [name, email], local, terminal);
    const added = await localAccounts.add({ ...change, accounts: [{ ...account, password }] });
    if (added.kind === "refused") throw refused(added.refused, [account]);
    terminal.err(`${shown(provider, name)} is added${admin ? " with the role admin" : ""}.`);
  });
}

/** The hash of a new password. */
async function allowedPassword(
  fromInput: boolean,
  person: readonly (string | null)[],
  local: LocalProvider,
  terminal: Terminal,
): Promise<string> {
  const password = await newPassword(fromInput, terminal);
  await requireAllowed(password, person, local);
  return shared().hash(password, local.cost, ASKER);
}

const REASONS: Readonly<Record<RefusedAccount["reason"], (name: string, known: string) => string>> = {
  exists: (name, known) =>
    name === known ? `${name} has an account already.` : `${name} is a spelling of the account ${known}.`,
  removed: (name) =>
    `${name} was the name of an account that was removed, and its data would become the new person's. Choose another name.`,
  other_spelling: (name, known) =>
    `${name} is a spelling of ${known}, which the database knows at this provider.`,
};

export function reasonOf({ reason, known }: RefusedAccount, name: string): string {
  return REASONS[reason](printable(name), printable(known));
}

export function refused(
  all: readonly RefusedAccount[],
  accounts: readonly { readonly name: string }[],
): OperatorError {
  return new OperatorError(all.map((one) => reasonOf(one, accounts[one.index]?.name ?? "")).join("\n"));
}

export async function setUser(
  name: string,
  options: SetOptions & { readonly enable?: boolean },
  terminal: Terminal,
): Promise<void> {
  const { email, group: groups, enable } = options;
  if (email === undefined && groups === undefined && !enable)
    throw new OperatorError("Nothing to set: use --email, --group or --enable.");
  requireStorable([...(groups ?? []), ...(email === undefined ? [] : [email])]);
  await withStore(options, terminal, async ({ localAccounts }, config) => {
    const { provider } = localProvider(config, options.provider);
    const { kind } = await localAccounts.set({
      provider,
      name,
      email,
      groups,
      enable,
      now: now(),
      context: COMMAND_LINE,
    });
    if (kind === "unknown") throw unknown(provider, name);
    terminal.err(`${shown(provider, name)} is changed.`);
  });
}

export async function setPassword(
  name: string,
  options: UserOptions & { readonly passwordStdin?: boolean },
  terminal: Terminal,
): Promise<void> {
  await withStore(options, terminal, async ({ localAccounts }, config) => {
    const local = localProvider(config, options.provider);
    const { provider } = local;
    const account = await localAccounts.find(provider, name);
    if (account === undefined) throw unknown(provider, name);
    const password = await allowedPassword(
      options.passwordStdin === true,
      [account.name, account.email],
      local,
      terminal,
    );
    const outcome = await localAccounts.setPassword({
      provider,
      name: account.name,
      password,
      now: now(),
      context: COMMAND_LINE,
    });
    if (outcome.kind === "unknown") throw unknown(provider, name);
    terminal.err(
      `${shown(provider, account.name)} has a new password. ${outcome.sessions} sessions are ended.`,
    );
  });
}

export async function renameUser(
  old: string,
  to: string,
  options: UserOptions,
  terminal: Terminal,
): Promise<void> {
  if (!isNewName(to)) throw new OperatorError(`${printable(to)} is not allowed. ${NAME_RULE}`);
  await withStore(options, terminal, async ({ localAccounts }, config) => {
    const { provider } = localProvider(config, options.provider);
    const outcome = await localAccounts.rename({
      provider,
      name: old,
      to,
      now: now(),
      context: COMMAND_LINE,
    });
    if (outcome.kind === "unknown") throw unknown(provider, old);
    if (outcome.kind === "taken") {
      throw new OperatorError(
        `${printable(to)} cannot be the new name: ${printable(outcome.known)} is or was another account's.`,
      );
    }
    terminal.err(
      `${shown(provider, outcome.from)} is ${shown(provider, to)} now. ${outcome.sessions} sessions are ended.`,
    );
    if (isAdmin(config, provider, outcome.from)) {
      terminal.err(
        `authentication.tiled_admins names ${shown(provider, outcome.from)}: change it to ${printable(to)}, or the next start makes an administrator of the old name.`,
      );
    }
  });
}

function isAdmin(config: Config | null, provider: string, id: string): boolean {
  return (
    config?.authentication.admins.some((admin) => admin.provider === provider && admin.id === id) === true
  );
}

export async function removeUser(name: string, options: UserOptions, terminal: Terminal): Promise<void> {
  await withStore(options, terminal, async ({ localAccounts }, config) => {
    const { provider } = localProvider(config, options.provider);
    const { kind } = await localAccounts.remove({ provider, name, now: now(), context: COMMAND_LINE });
    if (kind === "unknown") throw unknown(provider, name);
    if (kind === "last_admin") {
      throw new OperatorError(
        `${shown(provider, name)} is the last working administrator. Let another administrator log in first.`,
      );
    }
    terminal.err(`${shown(provider, name)} is removed.`);
  });
}

export async function listUsers(
  options: UserOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const all = await withStore(options, terminal, ({ localAccounts }, config) =>
    localAccounts.list(localProvider(config, options.provider).provider),
  );
  if (options.json) terminal.out(printableJson(JSON.stringify(all.map(toJson), null, 2)));
  else if (all.length === 0) terminal.err("No accounts.");
  else {
    const lines = table(["Name", "E-mail", "State", "Hash", "Groups", "Latest login (UTC)"]);
    terminal.out(lines(all.map(toRow)));
  }
}

function stateOf({ state, password, principalDisabled }: ListedAccount): string {
  if (state === "disabled" || principalDisabled) return "disabled";
  return password === null ? "invited" : "active";
}

function toRow(account: ListedAccount): string[] {
  return [
    account.name,
    account.email ?? "-",
    stateOf(account),
    account.password === null ? "-" : kindOfHash(account.password),
    account.groups.join(", ") || "-",
    account.latestLogin === null ? "-" : account.latestLogin.toISOString().slice(0, 19).replace("T", " "),
  ];
}

function toJson(account: ListedAccount): object {
  return {
    name: account.name,
    email: account.email,
    state: stateOf(account),
    hash: account.password === null ? null : kindOfHash(account.password),
    groups: account.groups,
    latest_login: account.latestLogin,
  };
}

export function requireStorable(texts: readonly string[]): void {
  for (const text of texts) {
    if (!isStorableName(text) || /\p{Cc}/u.test(text))
      throw new OperatorError(
        `${printable(text)} is not allowed: it has control characters or more than 255 characters.`,
      );
  }
}

export function shown(provider: string, name: string): string {
  return printable(`${provider}:${name}`);
}

export function unknown(provider: string, name: string): OperatorError {
  return new OperatorError(
    `There is no account ${shown(provider, name)}. 'tiled admin user list' lists them.`,
  );
}
