/**
 * Finds the errors of a start without starting: the same steps (`start/steps.ts`), each tried even if others
 * fail, and without the network. `online.ts` asks the servers that a configuration names.
 */
import { startProblem } from "../../authenticators/load.ts";
import { PREFIX } from "../../authenticators/table.ts";
import type { Config } from "../../config/model.ts";
import type { PasswordAuthenticator } from "../../domain/ports/authenticator.ts";
import type { ProviderEntry } from "../../plugins/entries.ts";
import {
  type Authenticators,
  authenticatorsOf,
  iconsOf,
  logoOf,
  policyOf,
  tlsOf,
  treeOf,
  type Warn,
} from "../../start/steps.ts";
import { checkBeforeStart } from "../../store/open.ts";
import { ConfigError, type ConfigProblem, toldAt } from "../../yaml/problems.ts";

interface Preflight {
  readonly problems: readonly ConfigProblem[];
  /** Undefined if they could not be made. */
  readonly authenticators: Authenticators | undefined;
}

export async function preflight(config: Config, warn: Warn): Promise<Preflight> {
  const problems: ConfigProblem[] = [];
  const attempt = async <Result>(step: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  await attempt(() => tlsOf(config, warn));
  await attempt(() => logoOf(config));
  await attempt(() => iconsOf(config));
  const policy = await attempt(() => policyOf(config, warn));
  const authenticators = await attempt(() => authenticatorsOf(config, policy ?? null, warn));
  const tree = await attempt(() => treeOf(config, policy ?? null, warn));
  await tree?.close?.();
  await attempt(() => databaseReady(config));
  for (const [name, authenticator] of authenticators ?? []) {
    if (authenticator.kind === "password") await attempt(() => localStart(config, name, authenticator));
  }
  return { problems, authenticators };
}

async function databaseReady({ authentication, database, places }: Config): Promise<void> {
  // A single user needs no database.
  if (authentication.providers.length === 0) return;
  await toldAt(places.database, () =>
    checkBeforeStart(database.uri?.reveal() ?? null, database.initIfNotExists),
  );
}

/** Tiled's password authenticators without a `check` use this machine only; an operator's own class may use the network. */
export function isLocal({ authenticator }: ProviderEntry): boolean {
  return authenticator.startsWith(PREFIX);
}

async function localStart(
  { authentication }: Config,
  name: string,
  authenticator: PasswordAuthenticator,
): Promise<void> {
  const entry = authentication.providers.find(({ provider }) => provider === name);
  if (entry === undefined) return;
  try {
    if (authenticator.check !== undefined) await authenticator.check();
    else if (isLocal(entry)) await authenticator.start?.();
  } catch (error) {
    throw new ConfigError([startProblem(entry, error)]);
  } finally {
    await authenticator.stop?.();
  }
}
