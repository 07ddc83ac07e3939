/**
 * Access control: the policy, the tags of trees, and the rules between them and other keys. The policy's own arguments are
 * checked when it is loaded (`trees/policies/load.ts`).
 */

import { namesModule } from "../plugins/own-class.ts";
import { POLICY_NAMES, POLICY_PREFIX } from "../vocabulary/policies.ts";
import { isOwnTag, normalTag } from "../vocabulary/tags.ts";
import { at, type Path } from "../yaml/located.ts";
import { didYouMean } from "../yaml/suggest.ts";
import { noSuchProvider } from "./authentication.ts";
import type { Context } from "./context.ts";
import type { Config } from "./model.ts";
import { isTiledsPolicy } from "./real-tiled.ts";

const TAG_BASED = `${POLICY_PREFIX}TagBasedAccessPolicy`;

export function accessControl(context: Context): Config["accessControl"] {
  const given = context.value.access_control;
  if (given?.access_policy === undefined || isTiledsPolicy(context)) return null;
  const path = ["access_control"];
  const { access_policy: policy, args } = given;
  if (!POLICY_NAMES.includes(policy) && !namesModule(policy)) {
    const place = [...path, "access_policy"];
    context.problem(
      place,
      `the policy ${context.shown(place, "of this name")} is not known here.${didYouMean(policy, POLICY_NAMES)} Use ${POLICY_NAMES.join(" or ")}, or a class of your own ('./my_policy.js:MyPolicy').`,
    );
    return null;
  }
  if (policy === TAG_BASED) checkProvider(context, args?.["provider"], [...path, "args", "provider"]);
  if (policy === TAG_BASED && !hasTags(context)) {
    context.warn(
      path,
      "no entry has a tag, so the policy has no effect; trees get tags from access_tags (docs/how-to/access-control.md)",
    );
  }
  const source = at(context.root, [...path, "args"]);
  return {
    accessPolicy: policy,
    args: args ?? {},
    place: context.place(path),
    ...(source === undefined ? {} : { source }),
  };
}

function hasTags({ root, value }: Context): boolean {
  return (value.trees ?? []).some(
    (entry, index) =>
      entry?.access_tags != null || at(root, ["trees", index, "args", "access_tags_file"]) !== undefined,
  );
}

/** With a misspelled provider no user would have a name, and so no grants. */
function checkProvider(context: Context, provider: unknown, path: Path): void {
  const names = (context.value.authentication?.providers ?? []).flatMap((entry) => entry?.provider ?? []);
  if (typeof provider !== "string" || names.length === 0 || names.includes(provider)) return;
  context.problem(path, noSuchProvider(context, provider, names, path));
}

/** The tags of a tree's root, as nodes have them; null: the tree does not use tags. */
export function treeTags(
  context: Context,
  tags: readonly (string | undefined)[] | null | undefined,
  path: Path,
): readonly string[] | null {
  if (tags == null) return null;
  needsPolicy(context, path);
  for (const [index, tag] of tags.entries()) {
    if (tag !== undefined && isOwnTag(tag))
      context.problem(
        [...path, index],
        "tags that begin with 'user:' or 'service:' are the server's own; use another name.",
      );
  }
  return [...new Set(tags.filter((tag) => tag !== undefined).map(normalTag))];
}

/** Without a policy, tagged entries would be open to every caller. */
export function needsPolicy(context: Context, path: Path): void {
  if (at(context.root, ["access_control", "access_policy"]) !== undefined) return;
  context.problem(
    path,
    `tags need a policy: add access_control: {access_policy: "${TAG_BASED}", args: …} (docs/how-to/access-control.md).`,
  );
}
