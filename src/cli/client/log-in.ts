/**
 * Logs a person in: asks on the terminal or shows a code for the browser, stores the tokens, and then ends the login that they
 * replace.
 */
import type { Context } from "../../client/context.ts";
import { CannotPrompt } from "../../client/errors.ts";
import { candidates, isExternal, promptOn } from "../../client/node/prompt.ts";
import { partsOf } from "../../client/parts.ts";
import type { StoredTokens } from "../../client/store.ts";
import type { Tokens } from "../../client/wire.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";
import { canAsk, type Terminal } from "../console/terminal.ts";
import { DeviceScreen } from "./device-screen.ts";
import { interruptSignal } from "./interrupts.ts";
import { LOGIN_NEEDED } from "./problems.ts";
import { endReplaced } from "./replaced.ts";

export interface LogInOptions {
  readonly provider?: string | undefined;
  readonly username?: string | undefined;
  /** Whether a browser may be opened. Default: true. */
  readonly browser?: boolean;
}

export interface LoggedIn {
  readonly tokens: Tokens;
  /** The provider's message after a login. */
  readonly confirmation: string | null;
}

/** `device`: whether a device login may begin without a terminal. */
export async function logIn(
  context: Context,
  terminal: Terminal,
  { provider, username, browser = true }: LogInOptions,
  device: boolean,
): Promise<LoggedIn> {
  const { input, notes } = terminal;
  const options = { provider, username };
  refuseUnasked(context, terminal, options, device);
  const screen = new DeviceScreen(terminal, browser);
  let confirmation: string | null = null;
  let replaced: StoredTokens | null = null;
  const tokens = await context.authenticate({
    signal: interruptSignal(terminal),
    prompt: async (asking, providers, { signal }) => {
      const onVerification = screen.show.bind(screen);
      try {
        const console = { input, output: notes };
        const prompted = await promptOn(console, asking, providers, { ...options, signal, onVerification });
        confirmation = prompted.confirmation;
        // Read last: another program may have refreshed it since.
        replaced = await partsOf(asking).store.get(asking.apiUri);
        return prompted.tokens;
      } catch (error) {
        if (error instanceof CannotPrompt) throw new OperatorError(error.message);
        throw error;
      } finally {
        screen.end();
      }
    },
  });
  await endReplaced(context, replaced, tokens, terminal);
  return { tokens, confirmation };
}

function refuseUnasked(
  { serverInfo }: Context,
  terminal: Terminal,
  options: Pick<LogInOptions, "provider" | "username">,
  device: boolean,
): void {
  const fit = candidatesOf(serverInfo.authentication.providers, options);
  if (canAsk(terminal)) return;
  const external = fit.filter(isExternal).map(({ provider }) => printable(provider));
  if (device && fit.length === 1 && external.length === 1) return;
  const hint =
    device && external.length > 0
      ? `Name a provider with a login in the browser: ${external.map((name) => `--provider ${name}`).join(", ")}. Or run 'tiled login' on a terminal.`
      : "Run 'tiled login' on a terminal first, or set TILED_API_KEY.";
  throw new OperatorError("A login is needed, and there is no terminal to ask on.", LOGIN_NEEDED, hint);
}

function candidatesOf(...args: Parameters<typeof candidates>): ReturnType<typeof candidates> {
  try {
    return candidates(...args);
  } catch (error) {
    if (error instanceof TypeError) throw new OperatorError(error.message);
    throw error;
  }
}
