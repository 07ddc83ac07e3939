/** Callers in the modes without providers: the holder of the single user's API key, and anonymous visitors. */

import type { Config } from "../config/model.ts";
import { type Callers, SingleUserCallers } from "../domain/callers/callers.ts";
import { KeyGuesses } from "../domain/throttling/key-guesses.ts";
import type { AppParts } from "./parts.ts";

export function singleUserCallers(config: Config, parts: AppParts): Callers {
  if (parts.singleUserKey === null) throw new Error("A server without providers needs a single-user key.");
  const { allowAnonymousAccess, loginThrottle } = config.authentication;
  const guesses = loginThrottle === false ? null : new KeyGuesses(loginThrottle.account, parts.clock);
  return new SingleUserCallers(parts.singleUserKey, allowAnonymousAccess, guesses);
}
