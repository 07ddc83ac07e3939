/**
 * Login by user name and password (RFC 6749 §4.3).
 */
import { segmentOf } from "./address.ts";
import { chosen } from "./choose.ts";
import type { Context } from "./context.ts";
import { isLogin } from "./documents.ts";
import { PasswordRejected, type TiledError } from "./errors.ts";
import { ask, partsOf } from "./parts.ts";
import type { Tokens } from "./wire.ts";

export interface PasswordGrantOptions {
  /** Default: the only provider with passwords. */
  readonly provider?: string | undefined;
  readonly username: string;
  readonly password: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Logs in and returns the tokens for `context.configureAuth`. Fails with PasswordRejected, TooManyRequests (at once, since a
 * password is not repeated), RequestRefused, ServerUnavailable.
 *
 * @example
 * ```ts
 * import { fromUri, passwordGrant } from "tiled-auth/client";
 *
 * const context = await fromUri("https://tiled.example.org", {
 *   prompt: (context, _providers, { signal }) =>
 *     passwordGrant(context, { username: "alice", password: "secret1", signal }),
 * });
 * ```
 */
export async function passwordGrant(
  context: Context,
  { provider, username, password, signal }: PasswordGrantOptions,
): Promise<Tokens> {
  const parts = partsOf(context);
  const { provider: name } = chosen(parts, provider, false);
  const answer = await ask(parts, {
    path: `auth/provider/${segmentOf(name)}/token`,
    form: { grant_type: "password", username, password },
    repeat: "password",
    signal,
  });
  if (answer.status === 401) {
    const { message, status, detail, requestId, url } = (await answer.refusal()) as TiledError;
    throw new PasswordRejected(message, { status, detail, requestId, url });
  }
  const tokens = await answer.document();
  if (!isLogin(tokens)) throw answer.notOurs();
  return tokens;
}
