/**
 * Creates the configured access policy: a built-in class, or one from the operator's own module. An error in it or its
 * arguments stops the start and names the position in the configuration.
 */

import { OperatorError } from "../../errors.ts";
import { argsPlace, readArgs } from "../../plugins/args.ts";
import { checkArgs } from "../../plugins/class-args.ts";
import type { PolicyEntry } from "../../plugins/entries.ts";
import { ownClass, reason } from "../../plugins/own-class.ts";
import { POLICY_NAMES } from "../../vocabulary/policies.ts";
import { ConfigError, type ConfigProblem } from "../../yaml/problems.ts";
import { POLICY_CLASSES } from "./classes.ts";
import type { AccessPolicy, PolicyClass, PolicyContext } from "./contract.ts";
import { guarded } from "./guard.ts";

/**
 * Creates the policy; null: the configuration has none.
 *
 * @throws {ConfigError} All problems of the class and its arguments.
 */
export async function loadPolicy(
  config: PolicyEntry | null,
  context: PolicyContext,
): Promise<AccessPolicy | null> {
  if (config === null) return null;
  const problems: ConfigProblem[] = [];
  try {
    const Class = await policyClass(config.accessPolicy, context.directory);
    const checked = checkArgs(Class.args, readArgs(config, Class.args));
    if (checked.kind === "valid") return guarded(construct(Class, checked.args, context));
    for (const { path, message } of checked.problems) problems.push({ ...argsPlace(config, path), message });
  } catch (error) {
    if (!(error instanceof OperatorError) || error instanceof ConfigError) throw error;
    const { file, line, path } = config.place;
    problems.push({ file, line, path: `${path}.access_policy`, message: error.message });
  }
  throw new ConfigError(problems);
}

async function policyClass(name: string, directory: string): Promise<PolicyClass> {
  const known = POLICY_CLASSES.get(name);
  if (known !== undefined) return known();
  const own = await ownClass(name, directory, {
    example: "./my_policy.js:MyPolicy",
    available: POLICY_NAMES.join(", "),
    guide: "docs/how-to/access-control.md",
  });
  return own as PolicyClass;
}

function construct(Class: PolicyClass, args: object, context: PolicyContext): unknown {
  try {
    return new Class(args as never, context);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`its constructor failed: ${reason(error)}`);
  }
}
