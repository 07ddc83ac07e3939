/**
 * `tiled-auth/client` in Node: the browser's, and logins on disk that are shared with the Python client, profiles, the
 * variables `TILED_*`, and the terminal as the default prompt.
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
 * Connects, and goes on with the login on disk, which may be the Python client's; where a login is required and there is
 * none, asks on the terminal or calls `prompt`. `TILED_API_KEY` counts before both. Fails as `Context.fromAnyUri` and
 * `context.authenticate` do, with CannotPrompt where a login or key is needed and there is no terminal.
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
 * `fromUri` with the address and the options of a profile, which `tiled profile create` and the Python client write; given
 * options count before the profile's. TypeError: no such profile.
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
