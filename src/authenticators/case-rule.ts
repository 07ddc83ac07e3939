/**
 * Whether case tells the names of a provider apart: the operator's `case_sensitive`, else what the authenticator knows of its
 * backend, else no. The domain and the store apply the rule.
 */
import type { Authenticator } from "../domain/ports/authenticator.ts";
import type { ProviderEntry } from "../plugins/entries.ts";

export function caseRule(
  providers: readonly ProviderEntry[],
  authenticators: ReadonlyMap<string, Authenticator>,
): (provider: string) => boolean {
  const rules = new Map<string, boolean>();
  for (const { provider, caseSensitive } of providers) {
    rules.set(provider, caseSensitive ?? authenticators.get(provider)?.caseSensitive ?? false);
  }
  return (provider) => rules.get(provider) ?? false;
}

/** Whether the names of a provider are e-mail addresses. No if the operator says that case tells them apart. */
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
