/**
 * Logs a new context in, for `fromUri`: with the stored login, or with a new one if the server requires it.
 */
import type { Context } from "./context.ts";
import { CannotPrompt } from "./errors.ts";
import type { ConnectOptions } from "./parts.ts";

export async function enter(
  context: Context,
  { rememberMe = true, signal }: ConnectOptions,
): Promise<Context> {
  if (context.authenticated) return context;
  const { required, providers } = context.serverInfo.authentication;
  if (providers.length === 0) {
    if (required) throw new CannotPrompt("This server requires an API key. Pass `apiKey`.");
    return context;
  }
  if (rememberMe && (await context.useCachedTokens({ signal }))) return context;
  if (required) await context.authenticate({ rememberMe, signal });
  return context;
}
