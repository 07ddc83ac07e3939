/**
 * Makes the administrators of the configuration at the start, and warns of names in several spellings. The domain decides
 * about logins.
 */
import type { Logger } from "pino";
import { addressRule, caseRule } from "../authenticators/case-rule.ts";
import type { Config } from "../config/model.ts";
import type { Authenticator } from "../domain/ports/authenticator.ts";
import type { Store } from "../domain/ports/store.ts";
import { systemClock } from "../lib/clock.ts";
import { sameAddress } from "../lib/fold.ts";

type Authenticators = ReadonlyMap<string, Authenticator>;

const AT_START = { address: null, requestId: null, actor: null };

export async function ensureAdmins(
  store: Store,
  { authentication: { admins, adminGroups, providers } }: Config,
  authenticators: Authenticators,
  log: Logger,
): Promise<void> {
  const now = new Date(systemClock.now());
  const rule = caseRule(providers, authenticators);
  const byAddress = addressRule(providers, authenticators);
  for (const { identity, known } of await store.principals.ensureAdmins({
    identities: admins,
    groupProviders: adminGroups.map(({ provider }) => provider),
    caseSensitive: rule,
    now,
    context: AT_START,
  })) {
    if (byAddress(identity.provider) && sameAddress(identity.id, known)) {
      await store.principals.ensureAdmins({
        identities: [{ ...identity, id: known }],
        caseSensitive: rule,
        now,
        context: AT_START,
      });
      continue;
    }
    log.warn(
      `authentication.tiled_admins names ${JSON.stringify(identity.id)} of the provider '${identity.provider}', and the database knows ` +
        `${JSON.stringify(known)}: no administrator was made. Write the name as it is known.`,
    );
  }
}

/** The start does not wait for it. */
export async function warnOfTwins(
  store: Store,
  { authentication: { providers } }: Config,
  authenticators: Authenticators,
  log: Logger,
): Promise<void> {
  const rule = caseRule(providers, authenticators);
  const asked = providers.map(({ provider }) => provider).filter((provider) => !rule(provider));
  if (asked.length === 0) return;
  try {
    for (const { provider, spellings } of await store.principals.twins(asked)) {
      log.warn(
        `The provider '${provider}' has accounts here that may be one person's: ${spellings.map((name) => JSON.stringify(name)).join(", ")}. ` +
          "Each keeps working. Disable those that are not used (tiled admin disable), or set case_sensitive: true beside the " +
          "provider's name if it tells them apart.",
      );
    }
  } catch (error) {
    log.warn({ err: error }, "Whether there are names in several spellings could not be looked up.");
  }
}
