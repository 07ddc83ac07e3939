/**
 * Assigns access tags to the entries of a folder from a file of patterns: the last pattern that matches a path decides. An
 * entry without a match has no tags, so only administrators see it.
 */

import { isOwnTag, normalTag } from "../../vocabulary/tags.ts";
import { readYamlFile } from "../../yaml/files.ts";
import { type LocatedMapping, quoted } from "../../yaml/located.ts";
import { type ConfigProblem, Problems } from "../../yaml/problems.ts";
import { type Matcher, matcher } from "./glob.ts";

export interface TagRules {
  /** The tags of the entry at a path: keys joined by slashes, "" for the folder itself. */
  tagsOf(path: string): readonly string[];
  /** All tags of all patterns. */
  readonly all: readonly string[];
}

export interface ReadTagRules {
  /** Undefined if there are problems. */
  readonly rules: TagRules | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** Reads a file of patterns; reports all problems at once. */
export function readTagRules(file: string): ReadTagRules {
  const problems = new Problems();
  const root = readYamlFile(file, problems);
  const rules = root && compile(root, problems);
  return { rules: problems.all.length > 0 ? undefined : rules, problems: problems.all };
}

const NO_TAGS: readonly string[] = [];

function compile(root: LocatedMapping, problems: Problems): TagRules {
  const rules: { readonly matches: Matcher; readonly tags: readonly string[] }[] = [];
  for (const [pattern, { keySpot, value }] of root.entries) {
    if (pattern.startsWith("/") || pattern.endsWith("/"))
      problems.add(
        keySpot,
        [pattern],
        "a pattern must not begin or end with a slash. It is matched against paths like 'run1/A'",
      );
    if (value.kind !== "list") {
      problems.add(value.spot, [pattern], "must be a list of tags, which may be empty.");
      continue;
    }
    const tags: string[] = [];
    for (const [index, item] of value.items.entries()) {
      if (item.kind !== "scalar" || typeof item.value !== "string" || item.value.trim() === "") {
        problems.add(item.spot, [pattern, index], "must be the name of a tag.");
      } else if (isOwnTag(item.value)) {
        problems.add(
          item.spot,
          [pattern, index],
          `the tag ${quoted(item.value)} begins with 'user:' or 'service:'; such tags are the server's own`,
        );
      } else tags.push(normalTag(item.value));
    }
    rules.unshift({ matches: matcher(pattern), tags: [...new Set(tags)] });
  }
  return {
    tagsOf: (path) => rules.find(({ matches }) => matches(path))?.tags ?? NO_TAGS,
    all: rules.flatMap(({ tags }) => tags),
  };
}
