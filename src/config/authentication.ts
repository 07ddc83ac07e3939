/**
 * The section `authentication` and the rules between its keys: names, administrators, and the single-user key, which is not
 * allowed beside providers.
 */
import type { Limit } from "../domain/ports/failures.ts";
import { Secret } from "../lib/secrets.ts";
import type { ProviderEntry } from "../plugins/entries.ts";
import { seconds } from "../yaml/durations.ts";
import { formatProblem } from "../yaml/formats.ts";
import { at, isNothing, type Located, type Path, quoted } from "../yaml/located.ts";
import { didYouMean } from "../yaml/suggest.ts";
import { kindOf } from "../yaml/words.ts";
import type { Context } from "./context.ts";
import { FORMATS } from "./formats.ts";
import type { AuthenticationConfig } from "./model.ts";

export function authenticationConfig(context: Context): AuthenticationConfig {
  const given = context.value.authentication ?? {};
  const providers = providerConfigs(context);
  checkAdmins(context);
  const secretKeys = given.secret_keys?.filter((key) => key !== undefined) ?? [];
  const throttle = given.login_throttle;
  return {
    providers,
    admins: (given.tiled_admins ?? []).flatMap((admin) =>
      admin?.provider === undefined || admin.id == null ? [] : [{ provider: admin.provider, id: admin.id }],
    ),
    adminGroups: (given.tiled_admins ?? []).flatMap((admin) =>
      admin?.provider === undefined || admin.group == null
        ? []
        : [{ provider: admin.provider, group: admin.group }],
    ),
    secretKeys: secretKeys.length === 0 ? null : secretKeys.map((key) => new Secret(key)),
    allowAnonymousAccess: context.overrides.public === true || given.allow_anonymous_access === true,
    singleUserApiKey: singleUserApiKey(context),
    accessTokenMaxAge: seconds(given.access_token_max_age ?? 900) ?? 900,
    refreshTokenMaxAge: seconds(given.refresh_token_max_age ?? 604_800) ?? 604_800,
    sessionMaxAge: seconds(given.session_max_age ?? 31_536_000) ?? 31_536_000,
    refreshTokenRotation: given.refresh_token_rotation ?? true,
    refreshTokenGrace: seconds(given.refresh_token_grace ?? 60) ?? 60,
    sessionLimit: given.session_limit ?? 200,
    apiKeyLimit: given.api_key_limit ?? 100,
    loginBudget:
      given.login_budget === false
        ? false
        : {
            logins: given.login_budget?.logins ?? 1000,
            per: seconds(given.login_budget?.per ?? 600) ?? 600,
          },
    loginThrottle:
      throttle === false
        ? false
        : { account: limit(throttle?.account, 10), address: limit(throttle?.address, 100) },
  };
}

interface GivenLimit {
  readonly failures?: number | null | undefined;
  readonly per?: string | number | null | undefined;
}

function limit(given: GivenLimit | null | undefined, failures: number): Limit {
  return { failures: given?.failures ?? failures, per: seconds(given?.per ?? 300) ?? 300 };
}

/** Whether the configuration wants logins, even if `providers` is wrong. */
export function hasProviders({ root }: Context): boolean {
  const providers = at(root, ["authentication", "providers"]);
  if (providers === undefined || isNothing(providers)) return false;
  return providers.kind !== "list" || providers.items.length > 0;
}

function providerConfigs(context: Context): readonly ProviderEntry[] {
  const first = new Map<string, number>();
  const configs: ProviderEntry[] = [];
  for (const [index, given] of (context.value.authentication?.providers ?? []).entries()) {
    const path = ["authentication", "providers", index];
    const name = given?.provider;
    if (name !== undefined) {
      const before = first.get(name);
      if (before !== undefined) {
        context.problem(
          [...path, "provider"],
          `authentication.providers[${before}] has the name ${quoted(name)} already. Give each provider a name of its own.`,
        );
      } else first.set(name, index);
    }
    checkPasswords(context, [...path, "args", "users_to_passwords"]);
    if (name === undefined || given?.authenticator === undefined) continue;
    const source = at(context.root, [...path, "args"]);
    configs.push({
      provider: name,
      authenticator: given.authenticator,
      args: given.args ?? {},
      ...(given.case_sensitive == null ? {} : { caseSensitive: given.case_sensitive }),
      ...(given.label == null ? {} : { label: given.label }),
      ...(given.icon == null ? {} : { icon: given.icon }),
      place: context.place(path),
      ...(source === undefined ? {} : { source }),
    });
  }
  return configs;
}

/** YAML does not read a password of digits, `yes` or `null` as text, so a user could never enter it. */
function checkPasswords(context: Context, path: readonly (string | number)[]): void {
  const users = at(context.root, path);
  if (users?.kind !== "mapping") return;
  for (const [name, { value, keySpot }] of users.entries) {
    if (value.kind === "scalar" && typeof value.value === "string") continue;
    const message = `YAML reads this password as ${kindOf(value)}. Put it in quotes: ${printable(name)}: "…"`;
    context.problems.add(value.kind === "scalar" ? value.spot : keySpot, [...path, name], message);
  }
}

function printable(name: string): string {
  return quoted(name).slice(1, -1);
}

function checkAdmins(context: Context): void {
  const path = ["authentication", "tiled_admins"];
  const admins = context.value.authentication?.tiled_admins ?? [];
  const names = (context.value.authentication?.providers ?? []).map((provider) => provider?.provider);
  if (admins.length > 0 && !hasProviders(context)) {
    context.problem(
      path,
      "administrators need authentication.providers to log in with. Add a provider, or remove tiled_admins.",
    );
    return;
  }
  // If a provider's own name is wrong, that error comes first.
  if (names.includes(undefined)) return;
  for (const [index, admin] of admins.entries()) {
    if (admin !== undefined && (admin.id == null) === (admin.group == null)) {
      context.problem(
        [...path, index],
        "either 'id' or 'group' is needed: the ID of a person, or the name of a group.",
      );
    }
    const name = admin?.provider;
    if (name === undefined || names.includes(name)) continue;
    const known = names.filter((other) => other !== undefined);
    const place = [...path, index, "provider"];
    context.problem(place, noSuchProvider(context, name, known, place));
  }
}

export function noSuchProvider(context: Context, name: string, known: readonly string[], path: Path): string {
  return `there is no provider ${context.shown(path, "of this name")}.${didYouMean(name, known)} The providers are: ${known.join(", ")}.`;
}

function singleUserApiKey(context: Context): Secret | null {
  const { problems, overrides } = context;
  const path = ["authentication", "single_user_api_key"];
  const key = overrides.apiKey ?? context.value.authentication?.single_user_api_key;
  if (overrides.apiKey !== undefined) {
    const wrong = formatProblem(FORMATS.alphanumeric, overrides.apiKey);
    if (wrong !== undefined) problems.add({ file: "option --api-key", line: 0 }, [], wrong);
  }
  const there: Located | undefined = at(context.root, path);
  if (
    hasProviders(context) &&
    (overrides.apiKey !== undefined || (there !== undefined && !isNothing(there)))
  ) {
    const spot = overrides.apiKey !== undefined ? { file: "option --api-key", line: 0 } : context.spot(path);
    problems.add(
      spot,
      path,
      "a single-user key cannot be used together with authentication.providers. Remove one of the two; users make API keys of their own (tiled api_key create).",
    );
  }
  return key == null ? null : new Secret(key);
}
