/**
 * The steps of a start that read and check files, one function each. `server.ts` runs them for the parts, `cli/config/preflight.ts`
 * (`tiled config check`) for the errors, so both give the same verdict. Each throws a `ConfigError` with the place in the
 * configuration.
 */
import { loadAuthenticators } from "../authenticators/load.ts";
import type { OwnAccounts } from "../authenticators/local/authenticator.ts";
import type { Config } from "../config/model.ts";
import { placeName } from "../config/places.ts";
import { systemClock } from "../lib/clock.ts";
import type { Asset } from "../pages/assets.ts";
import { readIcon, readLogo } from "../pages/logo.ts";
import { PROVIDER_ICONS } from "../pages/provider-icons.ts";
import { certificateWarning, checkPair, readCert, readKey, type Tls } from "../tls.ts";
import type { ScanWish } from "../trees/data-thread/messages.ts";
import type { DataThread } from "../trees/data-thread/thread.ts";
import { loadTrees } from "../trees/load.ts";
import type { Tree } from "../trees/model/contract.ts";
import type { AccessPolicy } from "../trees/policies/contract.ts";
import { loadPolicy } from "../trees/policies/load.ts";
import { ConfigError, toldAt } from "../yaml/problems.ts";

export type Warn = (message: string) => void;
export type Authenticators = Awaited<ReturnType<typeof loadAuthenticators>>;

export async function tlsOf({ server: { tls }, places }: Config, warn: Warn): Promise<Tls | null> {
  if (tls === null) return null;
  const [cert, key] = await together([
    toldAt(places.cert, () => readCert(tls.cert)),
    toldAt(places.key, () => readKey(tls.key)),
  ]);
  await toldAt(places.key, () => checkPair({ cert, key }, tls));
  const warning = certificateWarning(cert, systemClock.now());
  if (warning !== undefined) warn(`${placeName(places.cert)}: ${warning}`);
  return { cert, key };
}

/** Fails with the problems of all works together. */
async function together<Results extends readonly unknown[]>(
  works: { readonly [Index in keyof Results]: Promise<Results[Index]> },
): Promise<Results> {
  const settled = await Promise.allSettled(works);
  const errors = settled.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  const problems = errors.flatMap((error) => (error instanceof ConfigError ? error.problems : []));
  if (problems.length === errors.length && problems.length > 0) throw new ConfigError(problems);
  return Promise.all(works) as unknown as Promise<Results>;
}

export async function logoOf({ pages, places, directory }: Config): Promise<Asset | null> {
  const { logo } = pages;
  return logo === null ? null : toldAt(places.logo, () => readLogo(logo, directory));
}

/** The icons of providers, by name. */
export async function iconsOf({ authentication, directory }: Config): Promise<ReadonlyMap<string, Asset>> {
  const icons = new Map<string, Asset>();
  for (const { provider, icon, place } of authentication.providers) {
    if (icon === undefined) continue;
    const at = { ...place, path: `${place.path}.icon` };
    icons.set(provider, PROVIDER_ICONS.get(icon) ?? (await toldAt(at, () => readIcon(icon, directory))));
  }
  return icons;
}

export async function policyOf({ accessControl, directory }: Config, warn: Warn) {
  return loadPolicy(accessControl, { directory, warn: (message) => warn(`access_control: ${message}`) });
}

export async function authenticatorsOf(
  { authentication, directory }: Config,
  policy: AccessPolicy | null,
  warn: Warn,
  own?: OwnAccounts,
) {
  return loadAuthenticators({
    providers: authentication.providers,
    directory,
    warn,
    own,
    keepClaims: (provider) => (provider === policy?.stateFrom ? (policy.claims ?? []) : []),
  });
}

/** Close the tree at the end: it watches files. */
export async function treeOf(
  { trees, directory }: Config,
  policy: AccessPolicy | null,
  warn: Warn,
  reader: DataThread | null = null,
): Promise<Tree> {
  const scan = reader && { scan: (wish: ScanWish) => reader.scan(wish) };
  const tree = await loadTrees(trees, { directory, clock: systemClock, warn, ...scan });
  for (const tag of policy?.undefinedTags?.(tree.tags?.() ?? []) ?? [])
    warn(
      `access_control: entries have the tag ${JSON.stringify(tag)}, which is not defined and grants nothing.`,
    );
  return tree;
}
