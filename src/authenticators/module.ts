/**
 * From a name in the configuration to the class of an authenticator: from the table, or from an operator's own module
 * (`./my_auth.js:MyAuthenticator`, relative to the configuration's folder). Errors are sentences for the operator.
 */

import type { AuthenticatorClass } from "../domain/ports/authenticator.ts";
import { OperatorError } from "../errors.ts";
import { namesModule, ownClass } from "../plugins/own-class.ts";
import { nearest } from "../yaml/suggest.ts";
import { AUTHENTICATORS, availableNames, OWN, PREFIX } from "./table.ts";

export async function authenticatorClass(name: string, directory: string): Promise<AuthenticatorClass> {
  const own = OWN.get(name);
  if (own !== undefined) return own();
  const bare = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  const entry = AUTHENTICATORS.get(bare);
  if (entry !== undefined && bare !== name) return entry();
  if (entry !== undefined) throw new OperatorError(`'${name}' must be written '${PREFIX}${name}'.`);
  if (bare !== name) {
    const near = nearest(bare, AUTHENTICATORS.keys());
    const hint = near === undefined ? "" : ` Did you mean '${PREFIX}${near}'?`;
    throw new OperatorError(`'${name}' is not known.${hint} The available ones are ${availableNames()}.`);
  }
  const last = name.slice(name.lastIndexOf(":") + 1);
  const ours = [...OWN.keys()].find((known) => known.endsWith(`:${last}`));
  if (ours !== undefined && !namesModule(name))
    throw new OperatorError(`'${name}' is not known. Did you mean '${ours}'?`);
  if (AUTHENTICATORS.has(last) && !namesModule(name)) {
    throw new OperatorError(`'${name}' is a Python class. This server's is called '${PREFIX}${last}'.`);
  }
  const operators = await ownClass(name, directory, {
    example: "./my_auth.js:MyAuthenticator",
    available: availableNames(),
    guide: "docs/how-to/authenticators.md and example_configs/my_auth.js",
  });
  return operators as AuthenticatorClass;
}
