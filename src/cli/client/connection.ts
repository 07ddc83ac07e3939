/**
 * Connects a verb to its server, with `TILED_API_KEY` or the login on disk, and logs in first where the verb needs it and a
 * person can be asked.
 */
import type { Context } from "../../client/context.ts";
import { OperatorError } from "../../errors.ts";
import type { Terminal } from "../console/terminal.ts";
import { finishing, interruptSignal } from "./interrupts.ts";
import type { ServerOptions } from "./options.ts";
import { findServer, placeOf } from "./server.ts";

/** `login`: fails on a server without logins. `login if required`: anonymous where the server allows it. */
export type Need = "login" | "login if required" | "nothing";

/** A login is needed, and no person can be asked. */
export const LOGIN_NEEDED = 4;

export async function connection(options: ServerOptions, terminal: Terminal, needs: Need): Promise<Context> {
  const context = await connected(options, terminal);
  const { required, providers } = context.serverInfo.authentication;
  if (needs === "login" && providers.length === 0) throw withoutLogins(context);
  if (context.apiKey !== null) return context;
  const signal = interruptSignal(terminal);
  if (await context.useCachedTokens({ signal })) return context;
  if (needs === "nothing" || (needs === "login if required" && !required)) return context;
  if (providers.length === 0)
    throw new OperatorError(
      `${context.baseUrl} requires its API key.`,
      1,
      "Set TILED_API_KEY, or use the address that the server printed when it started.",
    );
  if (!canAsk(terminal))
    throw new OperatorError(
      "A login is needed, and there is no terminal.",
      LOGIN_NEEDED,
      "Run 'tiled login' on a terminal first, or set TILED_API_KEY.",
    );
  await context.authenticate({ signal });
  return context;
}

/** Without a login, and without looking for one on disk. */
export async function connected(options: ServerOptions, terminal: Terminal): Promise<Context> {
  const [{ Context }, { withDefaults }, { FileStore }, { cacheFolder }] = await Promise.all([
    import("../../client/node/context.ts"),
    import("../../client/node/defaults.ts"),
    import("../../client/node/file-store.ts"),
    import("../../client/node/folders.ts"),
  ]);
  const server = await findServer(options, terminal);
  const store = finishing(new FileStore(cacheFolder(placeOf(terminal))), terminal);
  const keyInAddress = URL.canParse(server.uri) && new URL(server.uri).searchParams.has("api_key");
  const complete = withDefaults({ ...server.options, store }, keyInAddress, terminal.env);
  const signal = interruptSignal(terminal);
  const { context } = await Context.fromAnyUri(server.uri, { ...complete, signal });
  return context;
}

/** Whether a person can be asked. */
export function canAsk({ input, env }: Terminal): boolean {
  return input.isTTY === true || Boolean(Number(env["TILED_FORCE_PROMPT"] ?? 0));
}

export function withoutLogins({ baseUrl }: Context): OperatorError {
  return new OperatorError(
    `${baseUrl} has no logins: it is a server with one fixed API key.`,
    1,
    "Set TILED_API_KEY to its key, or use the address that the server printed when it started.",
  );
}
