/**
 * Compiles a tag definition file into grants: scopes by user name, by group, and for everyone. Tags include the grants of other
 * tags (`auto_tags`); groups with a configured list of members become their members. `definition-file.ts` has the format.
 */

import { isPublicTag, PUBLIC } from "../../vocabulary/tags.ts";
import { readYamlFile } from "../../yaml/files.ts";
import { quoted, spotOf } from "../../yaml/located.ts";
import { type ConfigProblem, Problems } from "../../yaml/problems.ts";
import { checkDefinitions, type DefinitionFile, type TagEntry } from "./definition-file.ts";
import { sorted } from "./nesting.ts";

/** The scopes granted by each tag. */
export type Grants = ReadonlyMap<string, ReadonlySet<string>>;

export interface Definitions {
  readonly tags: ReadonlySet<string>;
  /** Tags readable by everyone, including `public`. */
  readonly publicTags: ReadonlySet<string>;
  /** By user name at the policy's provider, or the UUID of a service. */
  readonly users: ReadonlyMap<string, Grants>;
  /** By name of a group that logins report. */
  readonly groups: ReadonlyMap<string, Grants>;
}

export interface DefinitionRules {
  /** The policy grants at most these scopes. */
  readonly scopes: ReadonlySet<string>;
  /** The configured members of each group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** Whether logins report groups as well, so any group may have members. */
  readonly groupsFromLogins: boolean;
}

export interface ReadDefinitions {
  /** Undefined if there are problems. */
  readonly definitions: Definitions | undefined;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
}

/** Reads and compiles the file at `path`; reports all problems at once. */
export function readDefinitions(path: string, rules: DefinitionRules): ReadDefinitions {
  const problems = new Problems();
  const root = readYamlFile(path, problems);
  if (root === undefined) return { definitions: undefined, problems: problems.all, warnings: [] };
  const file = checkDefinitions(root, rules.scopes, problems);
  if (problems.all.length > 0) return { definitions: undefined, problems: problems.all, warnings: [] };
  const warnings: string[] = [];
  const missing = (group: string, keys: readonly (string | number)[]): void => {
    const { file: name, line } = spotOf(root, keys);
    warnings.push(`${name}:${line}: the group ${quoted(group)} is not defined; its grants are skipped.`);
  };
  warnOfGroups(file, rules, missing);
  return { definitions: compile(file, rules), problems: [], warnings };
}

function warnOfGroups(
  file: DefinitionFile,
  { groups, groupsFromLogins }: DefinitionRules,
  missing: (group: string, keys: readonly (string | number)[]) => void,
): void {
  if (groupsFromLogins) return;
  for (const section of ["tags", "tag_owners"] as const) {
    for (const [tag, entry] of Object.entries(file[section] ?? {})) {
      for (const [index, group] of (entry?.groups ?? []).entries()) {
        if (group?.name !== undefined && !groups.has(group.name))
          missing(group.name, [section, tag, "groups", index]);
      }
    }
  }
}

/** The grants of one tag, by name of user or group. */
interface Compiled {
  readonly users: Map<string, Set<string>>;
  readonly groups: Map<string, Set<string>>;
  isPublic: boolean;
}

function compile(file: DefinitionFile, rules: DefinitionRules): Definitions {
  const tags = file.tags ?? {};
  const compiled = new Map<string, Compiled>();
  for (const [name, others] of sorted(tags).order) {
    const entry: TagEntry = tags[name] ?? {};
    const tag: Compiled = { users: new Map(), groups: new Map(), isPublic: false };
    tag.isPublic = (entry.auto_tags ?? []).some((other) => isPublicTag(other?.name ?? ""));
    for (const other of others) takeOver(tag, compiled.get(other));
    addMembers(tag.users, entry.users, file);
    addMembers(tag.groups, entry.groups, file);
    for (const group of entry.groups ?? []) {
      const granted = scopesOf(group, file);
      for (const user of rules.groups.get(group?.name ?? "") ?? []) add(tag.users, user, granted);
    }
    compiled.set(name, tag);
  }
  return {
    tags: new Set([PUBLIC, ...Object.keys(tags), ...Object.keys(file.tag_owners ?? {})]),
    publicTags: new Set([
      PUBLIC,
      ...[...compiled].filter(([, { isPublic }]) => isPublic).map(([name]) => name),
    ]),
    users: byName(compiled, ({ users }) => users),
    groups: byName(compiled, ({ groups }) => groups),
  };
}

function takeOver(tag: Compiled, from: Compiled | undefined): void {
  if (from === undefined) return;
  tag.isPublic ||= from.isPublic;
  for (const [name, scopes] of from.users) add(tag.users, name, scopes);
  for (const [name, scopes] of from.groups) add(tag.groups, name, scopes);
}

type Members = TagEntry["users"];

function addMembers(into: Map<string, Set<string>>, members: Members, file: DefinitionFile): void {
  for (const member of members ?? [])
    if (member?.name !== undefined) add(into, member.name, scopesOf(member, file));
}

function scopesOf(member: NonNullable<Members>[number], file: DefinitionFile): readonly string[] {
  const scopes = member?.role == null ? member?.scopes : file.roles?.[member.role]?.scopes;
  return (scopes ?? []).filter((scope) => scope !== undefined);
}

function add(into: Map<string, Set<string>>, name: string, scopes: Iterable<string>): void {
  const known = into.get(name);
  if (known === undefined) into.set(name, new Set(scopes));
  else for (const scope of scopes) known.add(scope);
}

function byName(
  compiled: ReadonlyMap<string, Compiled>,
  pick: (tag: Compiled) => ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlyMap<string, Grants> {
  const result = new Map<string, Map<string, ReadonlySet<string>>>();
  for (const [tag, entry] of compiled) {
    for (const [name, scopes] of pick(entry)) {
      const grants = result.get(name) ?? new Map<string, ReadonlySet<string>>();
      result.set(name, grants.set(tag, scopes));
    }
  }
  return result;
}
