/**
 * `tiled admin user import`: takes accounts over from other programs, all of a file or none. `import-users-rows.ts` reads the
 * forms. Rules for new passwords do not apply, so that people keep the passwords that they have.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { type PasswordHasher, shared } from "../../authenticators/passwords/hasher.ts";
import { loadConfig } from "../../config/load.ts";
import type { NewLocalAccount } from "../../domain/ports/local-accounts.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";
import { mapConcurrently } from "../../lib/semaphore.ts";
import { nativeUsers } from "../../store/native-users.ts";
import type { Terminal } from "../console/terminal.ts";
import { COMMAND_LINE, withStore } from "./database.ts";
import { limited } from "./import-cave-input.ts";
import {
  csvRows,
  dictionaryRows,
  htpasswdRows,
  nativeRows,
  type Row,
  type RowProblem,
  type Rows,
} from "./import-users-rows.ts";
import { type LocalProvider, localProvider } from "./local-provider.ts";
import { now } from "./principals.ts";
import { linkMaker } from "./user-links.ts";
import { reasonOf, type UserOptions } from "./users.ts";

export interface ImportUsersOptions extends UserOptions {
  readonly format: "htpasswd" | "csv" | "native" | "tiled";
  readonly dryRun?: boolean;
  readonly skip?: boolean;
}

const MAX_BYTES = 64 * 1024 * 1024;
/** Accounts of one file. PostgreSQL holds a lock for each until the end. */
const MAX_ACCOUNTS = 5000;
/** Hashes at once. */
const AT_ONCE = 2;
const ASKER = { source: "command line" };
/** In the place of a hash in a dry run. */
const NO_HASH = "";

export async function importUsers(
  file: string,
  options: ImportUsersOptions,
  terminal: Terminal,
): Promise<void> {
  const { format, dryRun = false, skip = false } = options;
  await requireFile(file);
  await withStore(
    { ...options, mayCreate: options.dryRun !== true },
    terminal,
    async ({ localAccounts }, config) => {
      const local = localProvider(config, options.provider);
      const { rows, problems } = await read(file, format, local, terminal);
      if (rows.length + problems.length > MAX_ACCOUNTS)
        throw new OperatorError(`${file} has more than ${MAX_ACCOUNTS} accounts. Divide it.`);
      const request = {
        provider: local.provider,
        admin: false,
        as: { format, skip },
        now: now(),
        context: COMMAND_LINE,
      } as const;
      const tried = rows.map((row) => accountOf(row, NO_HASH));
      const before = await localAccounts.add({ ...request, accounts: tried, dryRun: true });
      const taken = before.kind === "refused" ? before.refused : [];
      const all: readonly RowProblem[] = [
        ...problems,
        ...taken.map((one) => problemOf(rows[one.index], reasonOf(one, rows[one.index]?.name ?? ""))),
      ];
      if (all.length > 0 || before.kind === "refused") throw refusal(file, all);
      const told = before.skipped.length === 0 ? "" : ` ${before.skipped.length} have an account already.`;
      const invited = rows.some(({ secret }) => secret.kind === "invitation");
      const invite = invited ? linkMaker(config, local, "invitation") : noInvitation;
      if (dryRun) {
        terminal.err(`${before.added} accounts would be added.${told} Nothing was changed.`);
        return;
      }
      const wanted = rows.filter((_, index) => !before.skipped.includes(index));
      const links: string[] = [];
      const accounts = await mapConcurrently(wanted, AT_ONCE, async (row) => {
        if (row.secret.kind !== "invitation")
          return accountOf(row, await hashOf(row.secret, local, shared()));
        const { link, url } = invite();
        links.push(`${quoted(row.name)},${url}`);
        return accountOf(row, link);
      });
      const added = await localAccounts.add({ ...request, accounts });
      if (added.kind === "refused")
        throw new OperatorError("Another program added such accounts meanwhile. Try again.");
      for (const line of links) terminal.out(line);
      terminal.err(`${added.added} accounts are added.${told}`);
    },
  );
}

function problemOf(row: Row | undefined, message: string): RowProblem {
  return { place: row?.place ?? "the file", message };
}

function refusal(file: string, problems: readonly RowProblem[]): OperatorError {
  const lines = limited(problems.map(({ place, message }) => `${place}: ${message}`));
  return new OperatorError(`${file} cannot be imported, and nothing was changed.\n${lines}`);
}

function noInvitation(): never {
  throw new Error("No line of the file is an invitation.");
}

/** A field of CSV (RFC 4180). */
function quoted(text: string): string {
  return /[",\s]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function accountOf(
  { name, email, groups, disabled }: Row,
  password: NewLocalAccount["password"],
): NewLocalAccount {
  return { name, email, groups, password, state: disabled ? "disabled" : "active" };
}

async function hashOf(
  secret: Exclude<Row["secret"], { kind: "invitation" }>,
  { cost }: LocalProvider,
  hasher: PasswordHasher,
): Promise<string> {
  if (secret.kind === "hash") return secret.text;
  return secret.kind === "sha1"
    ? hasher.wrapSha1(secret.text, cost, ASKER)
    : hasher.hash(secret.text, cost, ASKER);
}

async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new OperatorError(`There is no file ${file}.`);
  if (found.isFile() && found.size > MAX_BYTES)
    throw new OperatorError(`${file} has ${found.size} bytes, and at most ${MAX_BYTES} are read.`);
}

async function read(
  file: string,
  format: ImportUsersOptions["format"],
  { provider }: LocalProvider,
  terminal: Terminal,
): Promise<Rows> {
  if (format === "native") return nativeRows(nativeUsers(file, MAX_ACCOUNTS + 1));
  if (format === "tiled") return dictionaryRows(dictionaryOf(file, provider, terminal));
  const bytes = await readBounded(file);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new OperatorError(`${file} cannot be read as UTF-8.`);
  }
  return format === "csv" ? csvRows(text) : htpasswdRows(text);
}

/** Counts while it reads: a pipe or a device has no size. */
async function readBounded(file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BYTES) throw new OperatorError(`${file} has more than ${MAX_BYTES} bytes.`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  return Buffer.concat(chunks);
}

/** Of the provider with the same name, or else of the only one that has passwords. */
function dictionaryOf(file: string, provider: string, { env }: Terminal): Readonly<Record<string, string>> {
  const entries = loadConfig(file, env).authentication.providers.filter(
    ({ authenticator }) => authenticator === "tiled.authenticators:DictionaryAuthenticator",
  );
  const same = entries.filter((entry) => entry.provider === provider);
  const [entry] = same.length > 0 ? same : entries;
  if (entry === undefined) throw new OperatorError(`${file} has no provider with DictionaryAuthenticator.`);
  if (same.length === 0 && entries.length > 1) {
    const names = entries.map((one) => one.provider).join(", ");
    throw new OperatorError(
      `${file} has several such providers, and none is called ${printable(provider)}: ${names}.`,
    );
  }
  const users = (entry.args["users_to_passwords"] ?? {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(users).map(([name, password]) => [name, String(password)]));
}
