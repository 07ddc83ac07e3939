/**
 * The context for Node, with defaults from the environment, the store on disk and the terminal.
 */
import { Context as AnyContext, type ContextOptions } from "../context.ts";
import { connect } from "../parts.ts";
import { withDefaults } from "./defaults.ts";
import { terminalPrompt } from "./prompt.ts";
import { secureAddress } from "./secure-address.ts";

/**
 * In addition to browsers: reads `TILED_API_KEY`, keeps logins on disk, and `authenticate()` asks on the terminal.
 *
 * @example
 * ```ts
 * import { Context } from "tiled-auth/client";
 *
 * const { context } = await Context.fromAnyUri("http://127.0.0.1:8000");
 * if (!(await context.useCachedTokens())) await context.authenticate();
 * ```
 */
export class Context extends AnyContext {
  /** As in browsers, and first asks an http address for a redirect to https on the same host. */
  static override async fromAnyUri(
    uri: string | URL,
    options: ContextOptions = {},
  ): Promise<{ readonly context: Context; readonly nodePathParts: readonly string[] }> {
    const address = await secureAddress(uri, withDefaults(options, true));
    const complete = withDefaults(options, Boolean(address.searchParams.get("api_key")));
    const { parts, nodePathParts } = await connect(address, complete);
    return { context: new Context(parts, options.prompt, terminalPrompt), nodePathParts };
  }
}
