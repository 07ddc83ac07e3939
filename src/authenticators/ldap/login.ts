/**
 * The steps of one login on one connection: find the entry, check the password, then groups and attributes. The identity is
 * the same as Tiled's, since databases have it.
 */
import { randomBytes } from "node:crypto";
import type { Entry } from "ldapts";
import type { AuthenticatedIdentity } from "../../domain/ports/authenticator.ts";
import { away } from "./away.ts";
import type { Connection } from "./connection.ts";
import { valuesOf } from "./entries.ts";
import { escapeDn, escapeFilter, fill, isDnTemplate } from "./escape.ts";
import { allowed, type GroupsOf, groupEntries, groupNames } from "./groups.ts";
import { type Refusal, WRONG_PASSWORD } from "./reasons.ts";
import type { Settings } from "./settings.ts";

export interface LoginParts {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly warn: (message: string) => void;
  readonly report: (step: string) => void;
}

export type Outcome =
  | { readonly kind: "in"; readonly identity: AuthenticatedIdentity }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** The name in templates and filters (`plain`), the identity, and the entry if it was searched. */
interface Person {
  readonly plain: string;
  readonly identity: string;
  readonly entryDn: string | null;
}

const MAX_IDENTITY = 255;

/** `username` is normalized and matches the rule; `password` is prepared. */
export async function logIn(parts: LoginParts, username: string, password: string): Promise<Outcome> {
  const { settings, connection, report } = parts;
  const person = await find(parts, username);
  if ("code" in person) {
    // An unknown name costs what a wrong password costs.
    for (const template of settings.templates.length === 0 ? [""] : settings.templates) {
      await connection.bindPerson(unknownDn(settings, template), password);
    }
    return refused(person);
  }
  const bound = await bind(parts, person, password);
  if ("code" in bound) return refused(bound);
  const refusal = await checkSearchFilter(parts, person);
  if (refusal !== undefined) return refused(refusal);
  const dn = await personDn(parts, person, bound.name);
  if (dn === null && (settings.groups !== null || settings.allowedGroups.length > 0)) {
    return refused({ code: "no_entry", text: "no single entry has this name, so groups are not known" });
  }
  const attributes = await readState(parts, dn);
  if (settings.searchUser !== null && (settings.groups !== null || settings.allowedGroups.length > 0)) {
    await connection.bindSearchUser(settings.searchUser.dn, settings.searchUser.password);
  }
  const groups = await readGroups({ ...parts, dn: dn ?? "", name: person.plain });
  if (groups === null) return refused(NOT_ALLOWED);
  if (settings.groups !== null) report(`Groups: ${groups.length === 0 ? "none" : groups.join(", ")}.`);
  const state = { ...attributes, ...(settings.groups !== null && { groups }) };
  report(`The identity is ${JSON.stringify(person.identity)}.`);
  return { kind: "in", identity: { id: person.identity, state } };
}

const NOT_ALLOWED: Refusal = {
  code: "not_in_allowed_groups",
  text: "the person is in none of allowed_groups",
};

function refused(refusal: Refusal): Outcome {
  return { kind: "refused", refusal };
}

async function find(
  { connection, settings, report }: LoginParts,
  username: string,
): Promise<Person | Refusal> {
  const { lookup, searchUser } = settings;
  if (lookup === null) return { plain: username, identity: username, entryDn: null };
  if (searchUser !== null) {
    await connection.bindSearchUser(searchUser.dn, searchUser.password);
    report(`Bound as the search user ${searchUser.dn}.`);
  }
  const filter = fill(lookup.filter, { login_attr: lookup.attribute, login: escapeFilter(username) });
  const entries = await searchPeople(connection, lookup.base, filter, [lookup.nameAttribute]);
  report(
    `The search ${filter} below ${lookup.base} finds ${entries.length === 1 ? entries[0]?.dn : `${entries.length} entries`}.`,
  );
  const [entry] = entries;
  if (entry === undefined) return { code: "unknown_user", text: "no entry has this name" };
  if (entries.length > 1) return { code: "ambiguous_name", text: "several entries have this name" };
  return personOf(settings, entry, username);
}

function personOf(settings: Settings, entry: Entry, username: string): Person | Refusal {
  const attribute = settings.lookup?.nameAttribute ?? "";
  const [name] = valuesOf(entry, attribute) ?? [];
  if (name === undefined || name === "") {
    return { code: "no_name", text: `the entry ${entry.dn} has no text in ${attribute}` };
  }
  const identity = settings.useLookupName ? identityOf(attribute, name) : username;
  if ([...identity].length > MAX_IDENTITY) {
    return {
      code: "name_too_long",
      text: `the name of ${entry.dn} is longer than ${MAX_IDENTITY} characters`,
    };
  }
  return { plain: name, identity, entryDn: entry.dn };
}

/** Tiled puts a backslash before each comma of a common name, and uses the result as the identity. */
function identityOf(attribute: string, name: string): string {
  return attribute.toLowerCase() === "cn" ? name.replaceAll(/([^\\]),/g, "$1\\,") : name;
}

async function searchPeople(
  connection: Connection,
  base: string,
  filter: string,
  attributes: readonly string[],
): Promise<readonly Entry[]> {
  const found = await connection.search({ base, scope: "sub", filter, attributes, limit: 2 });
  if (found.kind === "entries") return found.entries;
  throw away(
    "bad_gateway",
    `The directory ${connection.server.name} has no entry '${base}' (user_search_base), or the search user may not read it.`,
  );
}

/** Tries the templates in turn. */
async function bind(
  { connection, settings, report }: LoginParts,
  { plain, entryDn }: Person,
  password: string,
): Promise<{ readonly name: string } | Refusal> {
  const names =
    settings.templates.length === 0 && entryDn !== null
      ? [entryDn]
      : settings.templates.map((template) => filledName(template, plain));
  let last = WRONG_PASSWORD;
  for (const name of names) {
    const refusal = await connection.bindPerson(name, password);
    report(
      refusal === undefined
        ? `The directory accepts the password of ${name}.`
        : `The directory refuses ${name}: ${refusal.text}.`,
    );
    if (refusal === undefined) return { name };
    if (last === WRONG_PASSWORD) last = refusal;
  }
  return last;
}

function filledName(template: string, name: string): string {
  return fill(template, { username: isDnTemplate(template) ? escapeDn(name) : name });
}

function unknownDn({ lookup, templates }: Settings, template: string): string {
  const unknown = randomBytes(16).toString("hex");
  return template === "" || templates.length === 0
    ? `cn=${unknown},${lookup?.base ?? ""}`
    : filledName(template, unknown);
}

async function checkSearchFilter(
  { connection, settings, report }: LoginParts,
  { plain }: Person,
): Promise<Refusal | undefined> {
  const { searchFilter, userSearch, lookup } = settings;
  const base = lookup?.base ?? userSearch?.base;
  if (searchFilter === null || base === undefined) return undefined;
  const filter = fill(searchFilter, { userattr: userSearch?.attribute ?? "", username: escapeFilter(plain) });
  const entries = await searchPeople(connection, base, filter, ["1.1"]);
  report(
    `search_filter ${filter} finds ${entries.length === 2 ? "several entries" : `${entries.length} entries`}.`,
  );
  if (entries.length === 1) return undefined;
  return {
    code: "search_filter",
    text: `search_filter finds ${entries.length === 0 ? "no entry" : "several entries"}`,
  };
}

/** The DN of a person who logged in by a name that is none is searched. */
async function personDn(
  { connection, settings }: LoginParts,
  person: Person,
  bound: string,
): Promise<string | null> {
  if (isDnTemplate(bound)) return bound;
  if (person.entryDn !== null) return person.entryDn;
  const { userSearch } = settings;
  if (userSearch === null) return null;
  const filter = `(${userSearch.attribute}=${escapeFilter(person.plain)})`;
  const entries = await searchPeople(connection, userSearch.base, filter, ["1.1"]);
  return entries.length === 1 ? (entries[0]?.dn ?? null) : null;
}

async function readState(
  { connection, settings, warn }: LoginParts,
  dn: string | null,
): Promise<Record<string, unknown>> {
  const { stateAttributes } = settings;
  if (stateAttributes.length === 0 || dn === null) return {};
  const found = await connection.search({
    base: dn,
    scope: "base",
    filter: "(objectClass=*)",
    attributes: stateAttributes,
    limit: 1,
  });
  const [entry] = found.kind === "entries" ? found.entries : [];
  if (entry === undefined) return {};
  const state: Record<string, unknown> = {};
  for (const attribute of stateAttributes) {
    const values = valuesOf(entry, attribute);
    if (values === undefined)
      warn(`'${attribute}' of ${JSON.stringify(dn)} is not text and was left out of the state.`);
    else state[attribute] = values;
  }
  return state;
}

/** Null: not allowed. */
async function readGroups(of: GroupsOf): Promise<readonly string[] | null> {
  const { settings, connection } = of;
  if (settings.groups === null && settings.allowedGroups.length === 0) return [];
  const entries = await groupEntries(of);
  if (entries === undefined) {
    throw away(
      "bad_gateway",
      `The directory ${connection.server.name} has no entry '${settings.groups?.base}' (groups.search_base), or it may not be read.`,
    );
  }
  const answer = await allowed(of, entries);
  return answer === "yes" ? groupNames(entries, of) : null;
}
