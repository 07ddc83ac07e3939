/** The provider of `tiled admin user …`, with the rules and costs of its passwords. */
import {
  LOCAL,
  type LocalSettings,
  settingsOf,
  settingsOfEntry,
} from "../../authenticators/local/settings.ts";
import { brokenRule, readBlocklist } from "../../authenticators/passwords/policy.ts";
import type { Config } from "../../config/model.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";

export interface LocalProvider extends LocalSettings {
  readonly provider: string;
  /** Of the site. */
  readonly names: readonly string[];
  readonly directory: string;
}

/** Without a configuration the provider must be named, and the defaults are its rules. */
export function localProvider(config: Config | null, named: string | undefined): LocalProvider {
  if (config === null) {
    if (named !== undefined) {
      return { ...settingsOf({}), provider: named, names: ["tiled"], directory: process.cwd() };
    }
    throw new OperatorError(
      "Name the provider with --provider, or the server's configuration with --config.",
    );
  }
  const local = config.authentication.providers.filter(({ authenticator }) => authenticator === LOCAL);
  const fit = local.filter(({ provider }) => named === undefined || provider === named);
  const [entry] = fit;
  if (entry === undefined)
    throw new OperatorError(
      missing(
        local.map(({ provider }) => provider),
        named,
      ),
    );
  if (fit.length > 1) {
    const names = fit.map(({ provider }) => provider).join(", ");
    throw new OperatorError(
      `Several providers have accounts of their own: ${names}. Name one with --provider.`,
    );
  }
  const { publicUrl } = config.server;
  const host = publicUrl === null ? [] : [new URL(String(publicUrl)).hostname];
  return {
    ...settingsOfEntry(entry),
    provider: entry.provider,
    names: ["tiled", entry.provider, ...host],
    directory: config.directory,
  };
}

function missing(local: readonly string[], named: string | undefined): string {
  if (local.length === 0) return `The configuration has no provider with ${LOCAL}.`;
  return `The provider ${printable(named ?? "")} does not use ${LOCAL}. These do: ${local.join(", ")}.`;
}

/** @throws OperatorError with the rule that the password breaks */
export async function requireAllowed(
  password: string,
  person: readonly (string | null)[],
  { rules, names, directory }: LocalProvider,
): Promise<void> {
  const all = [...names, ...person.filter((name) => name !== null)];
  const broken = await brokenRule(password, all, rules, await readBlocklist(rules, directory));
  if (broken !== undefined) throw new OperatorError(broken);
}
