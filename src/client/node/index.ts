/**
 * `tiled-auth/client` for Node: that for browsers, and logins on disk that are shared with the Python client, profiles, `TILED_*`,
 * and the terminal as the default prompt.
 */
import type { ContextOptions } from "../context.ts";
import { enter } from "../enter.ts";
import { Context } from "./context.ts";
import { profileOptions } from "./from-profile.ts";

export * from "../exports.ts";
export { Context } from "./context.ts";
export { FileStore } from "./file-store.ts";
export { terminalPrompt } from "./prompt.ts";

/**
 * Connects and uses `TILED_API_KEY`, or the login on disk, which the Python client may have stored. Asks on the terminal, or
 * calls `prompt`, if the server requires a login and none is stored. Fails as `Context.fromAnyUri` and `context.authenticate`
 * do, with CannotPrompt if a login is required and there is no terminal.
 *
 * @example
 * ```ts
 * import { fromUri } from "tiled-auth/client";
 *
 * const context = await fromUri("https://tiled.example.org");
 * console.log((await context.whoami())?.identities);
 * ```
 */
export async function fromUri(uri: string | URL, options: ContextOptions = {}): Promise<Context> {
  const { context } = await Context.fromAnyUri(uri, options);
  await enter(context, options);
  return context;
}

/**
 * `fromUri` with the address and options of a profile, as the Python client writes them. Options override the profile's.
 * TypeError for an unknown profile.
 *
 * @example
 * ```ts
 * import { fromProfile } from "tiled-auth/client";
 *
 * const context = await fromProfile("auto", { timeout: 5000 });
 * ```
 */
export async function fromProfile(name: string, options: ContextOptions = {}): Promise<Context> {
  const { uri, options: profile } = await profileOptions(name);
  return await fromUri(uri, { ...profile, ...options });
}
