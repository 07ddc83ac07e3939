/**
 * Picks a provider by name, or the only one of its kind.
 */
import type { Parts } from "./parts.ts";
import type { Provider } from "./wire.ts";

/** @throws TypeError with the names to choose from */
export function chosen({ serverInfo }: Parts, name: string | undefined, external: boolean): Provider {
  const fit = serverInfo.authentication.providers.filter(({ mode }) => (mode === "external") === external);
  const named = name === undefined ? fit : fit.filter(({ provider }) => provider === name);
  const [first, ...others] = named;
  if (first !== undefined && others.length === 0) return first;
  const names = fit.map(({ provider }) => provider).join(", ") || "none";
  throw new TypeError(`Pass \`provider\`. Providers for this kind of login: ${names}.`);
}
