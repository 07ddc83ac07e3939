/**
 * `tiled-auth/client` for browsers and other platforms without Node. Logins are kept in memory or in the application's own store,
 * and the application passes a `prompt`.
 */
import { Context, type ContextOptions } from "./context.ts";
import { enter } from "./enter.ts";

export { Context } from "./context.ts";
export * from "./exports.ts";

/**
 * Connects and uses the stored login. Calls `prompt` if the server requires a login and none is stored. Fails as
 * `Context.fromAnyUri` and `context.authenticate` do.
 *
 * @example
 * ```ts
 * import { fromUri, passwordGrant } from "tiled-auth/client";
 *
 * const context = await fromUri("https://tiled.example.org", {
 *   prompt: (context, _providers, { signal }) =>
 *     passwordGrant(context, { username: "alice", password: "secret1", signal }),
 * });
 * console.log(await context.whoami());
 * ```
 */
export async function fromUri(uri: string | URL, options: ContextOptions = {}): Promise<Context> {
  const { context } = await Context.fromAnyUri(uri, options);
  return await enter(context, options);
}
