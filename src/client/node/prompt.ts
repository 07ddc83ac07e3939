/**
 * Login on a terminal: choice of a provider, then user name and password, or a code to enter in a browser.
 */
import type { Context } from "../context.ts";
import { deviceCodeGrant } from "../device-code-grant.ts";
import { CannotPrompt, PasswordRejected } from "../errors.ts";
import { passwordGrant } from "../password-grant.ts";
import type { Provider, Tokens } from "../wire.ts";
import { askLine, type Terminal } from "./terminal.ts";

const PASSWORD_ATTEMPTS = 3;

interface Options {
  readonly signal: AbortSignal;
  /** Default: stdin and stderr. */
  readonly terminal?: Terminal;
}

/**
 * The default prompt in Node. Fails with CannotPrompt if stdin is not a terminal (unless `TILED_FORCE_PROMPT=1`),
 * and as `passwordGrant` and `deviceCodeGrant` do.
 *
 * @example
 * ```ts
 * import { fromUri, terminalPrompt } from "tiled-auth/client";
 *
 * const context = await fromUri("https://tiled.example.org", { prompt: terminalPrompt });
 * ```
 */
export async function terminalPrompt(
  context: Context,
  providers: readonly Provider[],
  { signal, terminal = { input: process.stdin, output: process.stderr } }: Options,
): Promise<Tokens> {
  if (terminal.input.isTTY !== true && !Number(process.env["TILED_FORCE_PROMPT"] ?? 0))
    throw new CannotPrompt(
      "A login is required, and there is no terminal. Set TILED_API_KEY, pass tokens or a prompt, or set TILED_FORCE_PROMPT=1.",
    );
  const { provider, mode, confirmation_message: confirmation } = await choose(terminal, providers, signal);
  const tokens =
    mode === "external"
      ? await byDevice(context, provider, terminal, signal)
      : await byPassword(context, provider, terminal, signal);
  const id = tokens.identity?.id ?? "external user";
  if (confirmation) terminal.output.write(`${printable(confirmation.replaceAll("{id}", id))}\n`);
  return tokens;
}

async function choose(terminal: Terminal, providers: readonly Provider[], signal: AbortSignal) {
  const [only, ...others] = providers;
  if (only !== undefined && others.length === 0) return only;
  const list = providers.map(({ provider }, index) => `${index + 1} - ${printable(provider)}\n`).join("");
  terminal.output.write(`Authentication providers:\n${list}`);
  for (;;) {
    const question = "Choose an authentication provider (or press Enter to cancel): ";
    const answer = (await askLine(terminal, question, { signal })).trim();
    if (answer === "") throw new CannotPrompt("No authentication provider was chosen.");
    const chosen = /^[1-9]\d*$/.test(answer) ? providers[Number(answer) - 1] : undefined;
    if (chosen !== undefined) return chosen;
    terminal.output.write(`Choice must be a number 1 through ${providers.length}.\n`);
  }
}

async function byPassword(context: Context, provider: string, terminal: Terminal, signal: AbortSignal) {
  const username = await askLine(terminal, "Username: ", { signal });
  for (let attempt = 1; ; attempt++) {
    const password = await askLine(terminal, "Password: ", { hidden: true, signal });
    if (password === "") throw new PasswordRejected("The password is empty.");
    try {
      return await passwordGrant(context, { provider, username, password, signal });
    } catch (error) {
      if (!(error instanceof PasswordRejected) || attempt === PASSWORD_ATTEMPTS) throw error;
      terminal.output.write("Username or password not recognized. Retry, or press Enter to cancel.\n");
    }
  }
}

async function byDevice(context: Context, provider: string, { output }: Terminal, signal: AbortSignal) {
  return await deviceCodeGrant(context, {
    provider,
    onVerification: ({ verificationUri, userCode, expiresIn }) => {
      const minutes = Math.floor(expiresIn / 60);
      output.write(`\nYou have ${minutes} minutes to visit this URL\n\n${verificationUri}\n\n`);
      output.write(`and enter the code:\n\n${userCode}\n\nWaiting...\n`);
    },
    signal,
  });
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{FFFD}");
}
