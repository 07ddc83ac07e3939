/**
 * Whether the names of a provider are told apart by case: as the operator says, else as the authenticator knows of its
 * backend, else not. What follows from it is decided in the domain and the store.
 */
import type { Authenticator } from "../domain/ports/authenticator.ts";
import type { ProviderEntry } from "../plugins/entries.ts";

export function caseRule(
  providers: readonly ProviderEntry[],
  authenticators: ReadonlyMap<string, Authenticator>,
): (provider: string) => boolean {
  const told = new Map<string, boolean>();
  for (const { provider, caseSensitive } of providers) {
    told.set(provider, caseSensitive ?? authenticators.get(provider)?.caseSensitive ?? false);
  }
  return (provider) => told.get(provider) ?? false;
}

/** Whether the names of a provider are e-mail addresses, unless the operator says that case tells them apart. */
export function addressRule(
  providers: readonly ProviderEntry[],
  authenticators: ReadonlyMap<string, Authenticator>,
): (provider: string) => boolean {
  const byAddress = new Set<string>();
  for (const { provider, caseSensitive } of providers) {
    const authenticator = authenticators.get(provider);
    if (caseSensitive === true || authenticator === undefined || authenticator.kind === "password") continue;
    if (authenticator.namesAddresses === true) byAddress.add(provider);
  }
  return (provider) => byAddress.has(provider);
}
