/**
 * The section `cave` and the rules between its keys: providers, datasets and terms that must be declared elsewhere. Ids,
 * tables and texts of terms are in `cave-parts.ts`, the server's address in `cave-address.ts`.
 */
import type { CaveDataset, CaveGroup, CaveMember, CaveTerms } from "../domain/model/cave.ts";
import type { IdentityRef } from "../domain/model/entities.ts";
import { parseUuid } from "../lib/uuid.ts";
import { seconds } from "../yaml/durations.ts";
import { at, isNothing, type Path, quoted } from "../yaml/located.ts";
import { didYouMean } from "../yaml/suggest.ts";
import { hasProviders, noSuchProvider } from "./authentication.ts";
import { serverAddress } from "./cave-address.ts";
import { checkNumbers, checkTables, entriesOf, termsOf } from "./cave-parts.ts";
import type { Context } from "./context.ts";
import type { CaveConfig, ServerConfig } from "./model.ts";

interface Around {
  readonly server: ServerConfig;
  /** The folder that files of terms start from. */
  readonly directory: string;
}

type Given<Key extends string> = { readonly [Name in Key]?: string | undefined } | undefined;
type GivenList<Item> = readonly Item[] | null | undefined;

const DEFAULT_MAX_AGE = 86_400;
const LONGEST_MAX_AGE = 30 * 86_400;
/** In a message. */
const MOST_NAMES = 20;

/** Null without the section. */
export function caveConfig(
  context: Context,
  { server, directory }: Around,
): Omit<CaveConfig, "source"> | null {
  const { cave } = context.value;
  const node = at(context.root, ["cave"]);
  if (node === undefined || isNothing(node)) return null;
  if (!hasProviders(context))
    context.problem(
      ["cave"],
      "tokens need accounts, and accounts need authentication.providers. Add a provider, or remove 'cave'.",
    );
  checkNumbers(context, "tos");
  checkNumbers(context, "datasets");
  checkNumbers(context, "groups");
  checkTables(context);
  const tos = termsOf(context, directory);
  return {
    serverAddress: serverAddress(context, server),
    rules: {
      admins: people(context, ["cave", "admins"], cave?.admins),
      origins: [...new Set((cave?.origins ?? []).filter((origin) => origin !== undefined))],
      loginTokenMaxAge: loginTokenMaxAge(context),
      tos,
      datasets: datasets(context, tos),
      groups: groups(context),
    },
  };
}

function loginTokenMaxAge(context: Context): number {
  const age = seconds(context.value.cave?.login_token_max_age ?? DEFAULT_MAX_AGE) ?? DEFAULT_MAX_AGE;
  if (age > LONGEST_MAX_AGE)
    context.problem(
      ["cave", "login_token_max_age"],
      "must not be longer than 30 days. Use at most 2592000. For a token that does not expire, use the tokens page.",
    );
  return age;
}

function datasets(context: Context, tos: readonly CaveTerms[]): readonly CaveDataset[] {
  const known = namesAt(context, "tos");
  return entriesOf(context.value.cave?.datasets).flatMap(([name, given]) => {
    const path = ["cave", "datasets", name];
    if (given.tos != null && !known.has(given.tos)) {
      const place = [...path, "tos"];
      const meant = didYouMean(given.tos, known);
      context.problem(
        place,
        `there are no terms ${context.shown(place, "of this name")} in cave.tos.${meant} ${listed("terms", [...known])}`,
      );
    }
    const admins = people(context, [...path, "admins"], given.admins);
    if (given.id === undefined) return [];
    const tables = new Map(entriesOf(given.tables).map(([namespace, names]) => [namespace, texts(names)]));
    return [{ id: given.id, name, tos: tos.find((one) => one.name === given.tos) ?? null, admins, tables }];
  });
}

function groups(context: Context): readonly CaveGroup[] {
  const known = namesAt(context, "datasets");
  return entriesOf(context.value.cave?.groups).flatMap(([name, given]) => {
    const path = ["cave", "groups", name];
    const permissions = new Map<string, readonly string[]>();
    for (const [dataset, names] of Object.entries(given.permissions ?? {})) {
      const place = [...path, "permissions", dataset];
      if (!known.has(dataset))
        context.keyProblem(
          place,
          `there is no dataset ${quoted(dataset)} in cave.datasets.${didYouMean(dataset, known)} ${listed("datasets", [...known])}`,
        );
      permissions.set(dataset, texts(names));
    }
    const members = memberList(context, [...path, "members"], given.members);
    const admins = people(context, [...path, "admins"], given.admins);
    if (given.id === undefined) return [];
    return [{ id: given.id, name, everyone: given.everyone ?? false, members, admins, permissions }];
  });
}

/** Also those whose value is wrong. */
function namesAt(context: Context, key: "tos" | "datasets"): ReadonlySet<string> {
  const node = at(context.root, ["cave", key]);
  return new Set(node?.kind === "mapping" ? node.entries.keys() : []);
}

function listed(what: string, names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map(quoted).join(", ");
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return names.length === 0 ? `It has no ${what}.` : `The ${what} are: ${shown}${more}.`;
}

function texts(list: GivenList<string | undefined>): readonly string[] {
  return [...new Set((list ?? []).filter((text) => text !== undefined))];
}

function people(
  context: Context,
  path: Path,
  given: GivenList<Given<"provider" | "id">>,
): readonly IdentityRef[] {
  return (given ?? []).flatMap((person, index) => personOf(context, [...path, index], person));
}

function personOf(context: Context, path: Path, given: Given<"provider" | "id">): readonly IdentityRef[] {
  const { provider, id } = given ?? {};
  checkProvider(context, [...path, "provider"], provider);
  return provider === undefined || id === undefined ? [] : [{ provider, id }];
}

function memberList(
  context: Context,
  path: Path,
  given: GivenList<Given<"provider" | "id" | "service">>,
): readonly CaveMember[] {
  return (given ?? []).flatMap((member, index): readonly CaveMember[] => {
    const here = [...path, index];
    const has = (key: string) => at(context.root, [...here, key]) !== undefined;
    if (member === undefined) return [];
    if (has("service")) {
      if (has("provider") || has("id"))
        context.problem(
          here,
          "a member is a person (provider and id) or a service, not both. Make two of it.",
        );
      const service = parseUuid(member.service);
      return service === undefined ? [] : [{ service }];
    }
    if (!has("provider") || !has("id"))
      context.problem(
        here,
        `the key '${has("provider") ? "id" : "provider"}' is missing. Use {provider: …, id: …} for a person, or {service: UUID}.`,
      );
    return personOf(context, here, member);
  });
}

/** A misspelled provider would match no person. */
function checkProvider(context: Context, path: Path, provider: string | undefined): void {
  const names = (context.value.authentication?.providers ?? []).map((entry) => entry?.provider);
  // If a provider's own name is wrong, that error comes first; without any, one error says so.
  if (provider === undefined || names.length === 0 || names.includes(undefined)) return;
  const known = names.filter((name) => name !== undefined);
  if (!known.includes(provider)) context.problem(path, noSuchProvider(context, provider, known, path));
}
