/**
 * `tiled admin import-cave`: writes the people, tokens and accepted terms of a middle_auth server into the database, and its
 * groups and permissions into a configuration file. Checks everything before it writes.
 */
import { caseRule } from "../../authenticators/case-rule.ts";
import { loadAuthenticators } from "../../authenticators/load.ts";
import type { Config } from "../../config/model.ts";
import { importedPeople } from "../../domain/cave/import.ts";
import type {
  CaveImporter,
  ImportCave,
  ImportConflict,
  ImportDifference,
  ImportOutcome,
} from "../../domain/ports/cave-import.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import { COMMAND_LINE, withStore } from "./database.ts";
import { checkedExport, limited, readJson } from "./import-cave-input.ts";
import { OutputFiles, type OutputOptions } from "./import-cave-output.ts";
import { now } from "./principals.ts";

export interface ImportOptions extends OutputOptions {
  readonly config?: string;
  readonly provider?: string;
  readonly dryRun?: boolean;
}

export async function importCave(path: string, options: ImportOptions, terminal: Terminal): Promise<void> {
  const json = await readJson(path);
  const { config: file } = options;
  await withStore(file === undefined ? {} : { config: file }, terminal, async ({ caveImporter }, config) => {
    if (config === null) {
      throw new OperatorError(
        "The server's configuration is needed, since it says how people log in. Name it with --config.",
      );
    }
    const { provider, caseSensitive } = await providerFor(config, options.provider);
    const exported = checkedExport(json, caseSensitive, path);
    const request = {
      provider,
      caseSensitive,
      people: importedPeople(exported),
      now: now(),
      context: COMMAND_LINE,
    };
    const writer = new OutputFiles(options, config, { exported, path, provider });
    const plan = await imported(caveImporter, { ...request, dryRun: true });
    if (options.dryRun === true) {
      report(plan, provider, true, terminal);
      await writer.preview(plan, terminal);
      terminal.out("Nothing was changed.");
      return;
    }
    await writer.refuseOther(plan);
    const outcome = await imported(caveImporter, { ...request, dryRun: false });
    report(outcome, provider, false, terminal);
    await writer.write(outcome, terminal);
  });
}

/** The provider where imported people will log in. middle_auth identifies them by e-mail address. */
async function providerFor(
  { authentication: { providers }, directory }: Config,
  wanted: string | undefined,
): Promise<{ readonly provider: string; readonly caseSensitive: boolean }> {
  const authenticators = await loadAuthenticators({ providers, directory, warn: () => {} });
  const byAddress = [...authenticators].flatMap(([name, authenticator]) =>
    authenticator.kind !== "password" && authenticator.namesAddresses === true ? [name] : [],
  );
  const provider = wanted ?? (byAddress.length === 1 ? byAddress[0] : undefined);
  const names = [...authenticators.keys()].join(", ") || "none";
  if (provider === undefined) {
    throw new OperatorError(
      byAddress.length > 1
        ? `Which provider? ${byAddress.join(", ")} identify people by e-mail address. Name one with --provider.`
        : `middle_auth identifies people by their e-mail addresses, and no provider of this configuration does (it has: ${names}). For Google, add 'user_id_claim: email' to its args. If a provider's user names are e-mail addresses, name it with --provider.`,
    );
  }
  const authenticator = authenticators.get(provider);
  if (authenticator === undefined) {
    throw new OperatorError(`The configuration has no provider ${printable(provider)}. It has: ${names}.`);
  }
  if (authenticator.kind !== "password" && authenticator.namesAddresses !== true) {
    throw new OperatorError(
      `The provider ${provider} does not identify people by e-mail address, so imported people could not log in. Add 'user_id_claim: email' to its args.`,
    );
  }
  return { provider, caseSensitive: caseRule(providers, authenticators)(provider) };
}

type Done = Extract<ImportOutcome, { kind: "done" }>;

async function imported(importer: CaveImporter, request: ImportCave): Promise<Done> {
  const outcome = await importer.import(request);
  if (outcome.kind === "done") return outcome;
  const names = new Map(request.people.map(({ id, name, email }) => [id, email ?? name]));
  const lines = outcome.conflicts.map((conflict) =>
    printable(`user ${conflict.person} (${names.get(conflict.person)}): ${shown(conflict)}`),
  );
  throw new OperatorError(
    `Nothing was changed, since these people would collide with principals of this database:\n${limited(lines)}\nClients keep the numbers of people, so an import needs a database in which they are free: a new one, before its first login ('tiled admin initialize-database URI').`,
  );
}

function shown({ kind, here }: ImportConflict): string {
  switch (kind) {
    case "number":
      return `the number belongs to ${here}`;
    case "identity":
      return `is ${here} here`;
    case "spelling":
      return `is known here as ${here}`;
    case "token":
      return `has the token ${here}`;
  }
}

function report(
  { created, known, differences }: Done,
  provider: string,
  dryRun: boolean,
  io: Terminal,
): void {
  const { people, services, tokens, terms } = created;
  if (people + services > 0) {
    const would = dryRun ? "Would import" : "Imported";
    const who = `${counted(people, "person", "people")} (provider ${provider}) and ${counted(services, "service")}`;
    io.out(`${would} ${who}, with ${counted(tokens, "token")} and ${counted(terms, "acceptance")} of terms.`);
  } else io.out("Nothing to import: the database has all of them.");
  if (known > 0) io.out(`Left as they are, since they are known: ${counted(known, "account")}.`);
  if (differences.length > 0) {
    const places = counted(differences.length, "place");
    io.out(`The file differs from the database in ${places}. Nothing is changed there:`);
    io.out(limited(differences.map((difference) => printable(differing(difference)))));
  }
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function differing({ person, field, here, file }: ImportDifference): string {
  switch (field) {
    case "token":
      return `user ${person}: the token ${file} is not here: made after the import, or revoked here`;
    case "terms":
      return `user ${person}: has accepted the terms ${file} there, not here`;
    default:
      return `user ${person}: the ${field === "description" ? "token's description" : field} is ${quoted(here)} here, ${quoted(file)} in the file`;
  }
}

function quoted(text: string | null): string {
  return text === null ? "none" : JSON.stringify(text);
}
