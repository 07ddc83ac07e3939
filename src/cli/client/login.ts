/**
 * `tiled login`.
 */
import type { Context } from "../../client/context.ts";
import type { Tokens } from "../../client/wire.ts";
import { OperatorError } from "../../errors.ts";
import { printable, printableJson } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";
import { connected, refuseWithoutLogins } from "./connection.ts";
import { type LogInOptions, logIn } from "./log-in.ts";
import { keepAsDefault } from "./login-profile.ts";
import type { JsonOption, ServerOptions } from "./options.ts";

export interface LoginOptions extends ServerOptions, JsonOption, LogInOptions {
  readonly showSecretTokens?: boolean;
}

export async function login(options: LoginOptions, terminal: Terminal): Promise<void> {
  if (terminal.env["TILED_API_KEY"])
    throw new OperatorError(
      "TILED_API_KEY is set, so a login would not be used.",
      1,
      "Unset it first: unset TILED_API_KEY",
    );
  const context = await connected(options, terminal);
  if (context.apiKey !== null)
    throw new OperatorError("The address has an API key, so a login would not be used.");
  refuseWithoutLogins(context);
  const { tokens, confirmation } = await logIn(context, terminal, options, true);
  if (options.url !== undefined) await keepAsDefault(context, terminal);
  const asJson = options.json || options.showSecretTokens;
  if (confirmation !== null && !asJson) terminal.out(confirmation);
  else terminal.err(confirmation ?? (await welcome(context, tokens)));
  if (options.showSecretTokens) terminal.out(printableJson(JSON.stringify(context.tokens, null, 4)));
  if (options.json) terminal.out(printableJson(JSON.stringify(await resultOf(context, tokens), null, 2)));
}

async function welcome(context: Context, { identity }: Tokens): Promise<string> {
  const name = identity === undefined ? "" : ` as ${printable(identity.id)}`;
  return `Logged in to ${context.baseUrl}${name}.`;
}

/** No tokens. */
async function resultOf(context: Context, { principal, identity }: Tokens) {
  if (principal !== undefined && identity !== undefined)
    return { api: context.apiUri, principal: dashed(principal), identity };
  // At a provider whose own tokens the server takes.
  const person = await context.whoami();
  const [first] = person?.identities ?? [];
  return {
    api: context.apiUri,
    principal: person?.uuid ?? null,
    identity: first === undefined ? null : { id: first.id, provider: first.provider },
  };
}

function dashed(uuid: string): string {
  return uuid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
