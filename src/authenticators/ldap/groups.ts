/**
 * The groups of a person: those that name them, with `nested_groups` those above, and whether one of them is allowed. All
 * searches are paged and limited, since a directory may have any number of groups.
 */
import type { Entry } from "ldapts";
import type { Connection } from "./connection.ts";
import { sameDn, valuesOf } from "./entries.ts";
import { escapeFilter, fill } from "./escape.ts";
import type { Settings } from "./settings.ts";

export interface GroupsOf {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly dn: string;
  readonly name: string;
  readonly warn: (message: string) => void;
}

const MOST_NAMES = 500;
const MOST_ENTRIES = 20_000;
const MOST_NESTED = 2000;
const LEVELS = 10;
/** Groups in one filter. */
const BATCH = 50;
/** Names no account, so that a filter with {username} finds only groups by {dn}. */
const NO_NAME = "\u{1}";

/** Undefined: the search base is missing, which says nothing about the person. */
export async function groupEntries(of: GroupsOf): Promise<readonly Entry[] | undefined> {
  const { settings, dn, name, warn } = of;
  const { groups, nestedGroups } = settings;
  if (groups === null) return [];
  const filter = (value: string, username: string): string =>
    fill(groups.filter, { dn: escapeFilter(value), username: escapeFilter(username) });
  const found = new Map<string, Entry>();
  let filters = [filter(dn, name)];
  for (let level = 0; filters.length > 0 && level <= LEVELS; level++) {
    const next: string[] = [];
    for (const one of filters) {
      const answer = await of.connection.search({
        base: groups.base,
        scope: "sub",
        filter: one,
        attributes: [groups.attribute === "dn" ? "1.1" : groups.attribute],
        limit: MOST_ENTRIES - found.size,
        paged: true,
      });
      if (answer.kind === "missing") return undefined;
      if (answer.cut === true) {
        warn(
          `the directory sends no more than ${answer.entries.length} groups of ${JSON.stringify(dn)}; further ones do not count. Raise the search user's limit there.`,
        );
      }
      const fresh = answer.entries.filter((entry) => !found.has(sameDn(entry.dn)));
      for (const entry of fresh) found.set(sameDn(entry.dn), entry);
      if (found.size >= MOST_ENTRIES) {
        warn(`more than ${MOST_ENTRIES} groups name ${JSON.stringify(dn)}; further ones were not read.`);
        return [...found.values()];
      }
      next.push(...fresh.map((entry) => filter(entry.dn, NO_NAME)));
    }
    if (!nestedGroups) break;
    if (next.length > MOST_NESTED) {
      warn(
        `the groups of ${JSON.stringify(dn)} are members of too many groups; those above ${MOST_NESTED} were not read.`,
      );
    }
    filters = batches(next.slice(0, MOST_NESTED));
  }
  return [...found.values()];
}

function batches(filters: readonly string[]): string[] {
  const joined: string[] = [];
  for (let index = 0; index < filters.length; index += BATCH) {
    joined.push(`(|${filters.slice(index, index + BATCH).join("")})`);
  }
  return joined;
}

/** For the session's state: sorted, without doubles, at most 500. */
export function groupNames(entries: readonly Entry[], { settings, dn, warn }: GroupsOf): readonly string[] {
  const { groups } = settings;
  if (groups === null) return [];
  const names = new Set<string>();
  for (const entry of entries) {
    const values = groups.attribute === "dn" ? [entry.dn] : (valuesOf(entry, groups.attribute) ?? []);
    for (const value of values) {
      if (groups.only === null || groups.only.some((pattern) => pattern.test(value))) names.add(value);
    }
  }
  const sorted = [...names].sort();
  if (sorted.length > MOST_NAMES) {
    warn(
      `${JSON.stringify(dn)} is in ${sorted.length} groups; only the first ${MOST_NAMES} in alphabetical order count. Name those that matter in groups.only.`,
    );
  }
  return sorted.slice(0, MOST_NAMES);
}

/** Whether one of `allowed_groups` has the person. `missing`: none of them is there. */
export async function allowed(of: GroupsOf, entries: readonly Entry[]): Promise<"yes" | "no" | "missing"> {
  const { connection, settings, dn, name, warn } = of;
  if (settings.allowedGroups.length === 0) return "yes";
  const known = new Set(entries.map((entry) => sameDn(entry.dn)));
  const [user, person] = [escapeFilter(name), escapeFilter(dn)];
  let missing = 0;
  for (const group of settings.allowedGroups) {
    if (settings.nestedGroups && known.has(sameDn(group))) return "yes";
    const answer = await connection.search({
      base: group,
      scope: "base",
      filter: `(|(member=${person})(uniqueMember=${person})(memberUid=${user}))`,
      attributes: ["1.1"],
      limit: 1,
    });
    if (answer.kind === "missing") {
      missing += 1;
      warn(`the group ${JSON.stringify(group)} of allowed_groups does not exist, or cannot be read.`);
    } else if (answer.entries.length > 0) return "yes";
  }
  return missing === settings.allowedGroups.length ? "missing" : "no";
}
