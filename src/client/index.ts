/**
 * `tiled-auth/client` in a browser and wherever there is no Node: logins are kept in memory, or in the application's own
 * store, and the application asks for them with its own `prompt`.
 */
import { Context, type ContextOptions } from "./context.ts";
import { enter } from "./enter.ts";

export { Context } from "./context.ts";
export * from "./exports.ts";

/**
 * Connects, and goes on with the stored login; where a login is required and there is none, `prompt` is called. Fails as
 * `Context.fromAnyUri` and `context.authenticate` do, with CannotPrompt where a login or key is needed.
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
