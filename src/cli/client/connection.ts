/**
 * Connects a verb to its server, with `TILED_API_KEY` or the login on disk, and logs in first where the verb needs it and a
 * person can be asked.
 */
import type { Context } from "../../client/context.ts";
import type { TokenStore } from "../../client/store.ts";
import { OperatorError } from "../../errors.ts";
import { progressOn } from "../console/progress.ts";
import type { Terminal } from "../console/terminal.ts";
import { finishing, interruptSignal } from "./interrupts.ts";
import type { ServerOptions } from "./options.ts";
import { type FoundServer, findServer, placeOf } from "./server.ts";
import { watchedFetch } from "./watched-fetch.ts";

/** `login`: fails on a server without logins. `login if required`: anonymous where the server allows it. */
export type Need = "login" | "login if required" | "nothing";

export async function connection(options: ServerOptions, terminal: Terminal, needs: Need): Promise<Context> {
  const context = await connected(options, terminal);
  const { required, providers } = context.serverInfo.authentication;
  if (needs === "login") refuseWithoutLogins(context);
  if (context.apiKey !== null || (await context.useCachedTokens())) return context;
  if (needs === "nothing" || (needs === "login if required" && !required)) return context;
  if (providers.length === 0)
    throw new OperatorError(
      `${context.baseUrl} requires its API key.`,
      1,
      "Set TILED_API_KEY to the key, which the server printed when it started.",
    );
  const { logIn } = await import("./log-in.ts");
  // The verb's own result has stdout for itself.
  const { confirmation } = await logIn(context, terminal, {}, false);
  if (confirmation !== null) terminal.err(confirmation);
  return context;
}

/** Without a login, and without looking for one on disk. */
export async function connected(options: ServerOptions, terminal: Terminal): Promise<Context> {
  return await connectedTo(await findServer(options, terminal), terminal);
}

export async function connectedTo(
  { uri, options: profile }: FoundServer,
  terminal: Terminal,
): Promise<Context> {
  const [{ Context }, { withDefaults }, { apiAddressOf }, store] = await Promise.all([
    import("../../client/node/context.ts"),
    import("../../client/node/defaults.ts"),
    import("../../client/address.ts"),
    storeOf(terminal),
  ]);
  const progress = progressOn(terminal);
  try {
    const keyInAddress = apiAddressOf(uri).apiKey !== null;
    const { context } = await Context.fromAnyUri(uri, {
      ...withDefaults({ ...profile, store }, keyInAddress, terminal.env),
      fetch: watchedFetch(profile.fetch ?? globalThis.fetch, terminal, progress),
      signal: interruptSignal(terminal),
    });
    return context;
  } catch (error) {
    // An address or a key of the wrong form.
    if (error instanceof TypeError) throw new OperatorError(error.message);
    throw error;
  }
}

/** The logins on disk. */
export async function storeOf(terminal: Terminal): Promise<TokenStore> {
  const [{ FileStore }, { cacheFolder }] = await Promise.all([
    import("../../client/node/file-store.ts"),
    import("../../client/node/folders.ts"),
  ]);
  return finishing(new FileStore(cacheFolder(placeOf(terminal))), terminal);
}

export function refuseWithoutLogins({ baseUrl, serverInfo: { authentication } }: Context): void {
  if (authentication.providers.length === 0)
    throw new OperatorError(
      `${baseUrl} has no logins, only one fixed API key.`,
      1,
      "'tiled tree' and 'tiled whoami' take this key from TILED_API_KEY. The server has no people, and no other keys.",
    );
}
