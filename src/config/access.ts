/**
 * Who sees what: the access policy and the tags of trees, and the rules between them and the rest. The policy's own
 * arguments are checked where it is loaded (`trees/policies/load.ts`).
 */
import { POLICY_NAMES, POLICY_PREFIX } from "../trees/policies/names.ts";
import { isOwnTag, normalTag } from "../trees/policies/tags.ts";
import type { Context } from "./context.ts";
import { at, type Path, quoted } from "./located.ts";
import type { Config } from "./model.ts";
import { namesModule } from "./own-class.ts";
import { isTiledsPolicy } from "./real-tiled.ts";
import { nearest } from "./suggest.ts";

const TAG_BASED = `${POLICY_PREFIX}TagBasedAccessPolicy`;

export function accessControl(context: Context): Config["accessControl"] {
  const given = context.value.access_control;
  if (given?.access_policy === undefined || isTiledsPolicy(context)) return null;
  const path = ["access_control"];
  const { access_policy: policy, args } = given;
  if (!POLICY_NAMES.includes(policy) && !namesModule(policy)) {
    const near = nearest(policy, POLICY_NAMES);
    context.problem(
      [...path, "access_policy"],
      `the policy ${shown(policy)} is not known here, and nothing is served without the policy that was asked for${near === undefined ? "." : `; did you mean ${quoted(near)}?`} Allowed: ${POLICY_NAMES.join(", ")}, or an own class ('./my_policy.js:MyPolicy')`,
    );
    return null;
  }
  if (policy === TAG_BASED) checkProvider(context, args?.["provider"], [...path, "args", "provider"]);
  if (policy === TAG_BASED && !hasTags(context)) {
    context.warn(
      path,
      "no entry bears a tag, so it decides nothing; trees get theirs from access_tags (docs/access-control.md)",
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

/** A misspelt provider would leave everybody without a name, and so without grants. */
function checkProvider(context: Context, provider: unknown, path: Path): void {
  const names = (context.value.authentication?.providers ?? []).flatMap((entry) => entry?.provider ?? []);
  if (typeof provider !== "string" || names.length === 0 || names.includes(provider)) return;
  const near = nearest(provider, names);
  context.problem(
    path,
    `there is no provider of this name${near === undefined ? "" : `; did you mean ${quoted(near)}?`} The providers are ${names.join(", ")}`,
  );
}

/** The tags of a tree's root, as nodes bear them; null: it has no notion of tags. */
export function treeTags(
  context: Context,
  tags: readonly (string | undefined)[] | null | undefined,
  path: Path,
): readonly string[] | null {
  if (tags == null) return null;
  needsPolicy(context, path);
  for (const [index, tag] of tags.entries()) {
    if (tag !== undefined && isOwnTag(tag))
      context.problem([...path, index], "tags that begin with 'user:' or 'service:' are not given by hand");
  }
  return [...new Set(tags.filter((tag) => tag !== undefined).map(normalTag))];
}

/** Without one the tags would say "not for everybody", and everybody would get in. */
export function needsPolicy(context: Context, path: Path): void {
  if (at(context.root, ["access_control", "access_policy"]) !== undefined) return;
  context.problem(
    path,
    `tags mean nothing without a policy: 'access_control' is missing (access_policy: "${TAG_BASED}")`,
  );
}

/** A name in a message, if it looks like one: what stands in the wrong place may be a secret. */
export function shown(text: string): string {
  return /^[A-Za-z_][\w.]{0,100}:[A-Za-z_]\w{0,60}$/.test(text) ? quoted(text) : "another text";
}
