/**
 * Ends the session of a login that a new one has replaced, which nothing could end later.
 */
import type { Context } from "../../client/context.ts";
import { TiledError } from "../../client/errors.ts";
import { partsOf } from "../../client/parts.ts";
import { revoke } from "../../client/session.ts";
import type { StoredTokens } from "../../client/store.ts";
import type { Tokens } from "../../client/wire.ts";
import { printable } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import { interruptSignal } from "./interrupts.ts";

/** If that fails, the new login stands. */
export async function endReplaced(
  context: Context,
  replaced: StoredTokens | null,
  tokens: Tokens,
  terminal: Terminal,
): Promise<void> {
  if (replaced === null || !isOther(replaced, tokens)) return;
  try {
    await revoke(partsOf(context), replaced, interruptSignal(terminal));
  } catch (error) {
    if (!(error instanceof TiledError || error instanceof TypeError)) throw error;
    terminal.err(`warning: Your previous session could not be ended: ${printable(error.message)}`);
  }
}

/** At a provider both logins may belong to one session, whose logout would end the new one, too. */
function isOther(replaced: StoredTokens, { id_token: current, refresh_token }: Tokens): boolean {
  if (replaced.id_token === undefined && current === undefined)
    return replaced.refresh_token !== refresh_token;
  const [old, now] = [sessionOf(replaced.id_token), sessionOf(current)];
  return old !== null && now !== null && old !== now;
}

/** The claim `sid` (OpenID Connect Front-Channel Logout §3). */
function sessionOf(token: string | undefined): string | null {
  try {
    const { sid } = JSON.parse(Buffer.from(token?.split(".")[1] ?? "", "base64url").toString());
    return typeof sid === "string" ? sid : null;
  } catch {
    return null;
  }
}
