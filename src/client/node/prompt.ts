/**
 * Login on a terminal: choice of a provider, then user name and password, or a code to enter in a browser.
 */
import { printable } from "../answer.ts";
import type { Context } from "../context.ts";
import { deviceCodeGrant, type Verification } from "../device-code-grant.ts";
import { CannotPrompt, PasswordRejected } from "../errors.ts";
import { passwordGrant } from "../password-grant.ts";
import type { Provider, Tokens } from "../wire.ts";
import { askLine, type Terminal } from "./terminal.ts";

const PASSWORD_ATTEMPTS = 3;

export interface PromptOptions {
  readonly signal: AbortSignal;
  /** Default: stdin and stderr. */
  readonly terminal?: Terminal;
  /** Instead of the question. Default: none, or the first provider if there is only one. */
  readonly provider?: string | undefined;
  /** Instead of the question. */
  readonly username?: string | undefined;
  /** Shows the code of a device login. Default: on the terminal's output. */
  readonly onVerification?: ((verification: Verification) => unknown) | undefined;
}

/**
 * The default prompt in Node. Fails with CannotPrompt if stdin is not a terminal (unless `TILED_FORCE_PROMPT=1`) or the person
 * cancels, with TypeError for an unknown provider, and as `passwordGrant` and `deviceCodeGrant` do.
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
  options: PromptOptions,
): Promise<Tokens> {
  const { terminal = { input: process.stdin, output: process.stderr } } = options;
  if (terminal.input.isTTY !== true && !Number(process.env["TILED_FORCE_PROMPT"] ?? 0))
    throw new CannotPrompt(
      "A login is required, and there is no terminal. Set TILED_API_KEY, pass tokens or a prompt, or set TILED_FORCE_PROMPT=1.",
    );
  const { tokens, confirmation } = await promptOn(terminal, context, providers, options);
  if (confirmation !== null) terminal.output.write(`${confirmation}\n`);
  return tokens;
}

export interface Prompted {
  readonly tokens: Tokens;
  /** The provider's message after a login. */
  readonly confirmation: string | null;
}

/** The same on any input. */
export async function promptOn(
  terminal: Terminal,
  context: Context,
  providers: readonly Provider[],
  options: PromptOptions,
): Promise<Prompted> {
  const provider = await choose(terminal, candidates(providers, options), options);
  const tokens = isExternal(provider)
    ? await byDevice(context, provider, terminal, options)
    : await byPassword(context, provider, terminal, options);
  return { tokens, confirmation: confirmationOf(provider, tokens) };
}

/** The providers that the options leave. @throws TypeError if they leave none */
export function candidates(
  providers: readonly Provider[],
  { provider: name, username }: Pick<PromptOptions, "provider" | "username">,
): readonly Provider[] {
  const named = name === undefined ? providers : providers.filter(({ provider }) => provider === name);
  if (named.length === 0) {
    const names = providers.map(({ provider }) => printable(provider)).join(", ");
    throw new TypeError(`There is no provider ${JSON.stringify(name)}. Providers: ${names}.`);
  }
  const fit = username === undefined ? named : named.filter((provider) => !isExternal(provider));
  if (fit.length === 0) throw new TypeError("A login in the browser takes no user name.");
  return fit;
}

export function isExternal({ mode }: Provider): boolean {
  return mode === "external";
}

async function choose(terminal: Terminal, providers: readonly Provider[], { signal }: PromptOptions) {
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

async function byPassword(
  context: Context,
  { provider }: Provider,
  terminal: Terminal,
  { username: given, signal }: PromptOptions,
) {
  const username = given ?? (await askLine(terminal, "Username: ", { signal }));
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

async function byDevice(
  context: Context,
  { provider }: Provider,
  { output }: Terminal,
  { signal, onVerification }: PromptOptions,
) {
  const show = ({ verificationUri, userCode, expiresIn }: Verification) => {
    const minutes = Math.floor(expiresIn / 60);
    output.write(`\nYou have ${minutes} minutes to visit this URL\n\n${verificationUri}\n\n`);
    output.write(`and enter the code:\n\n${userCode}\n\nWaiting...\n`);
  };
  return await deviceCodeGrant(context, { provider, onVerification: onVerification ?? show, signal });
}

function confirmationOf({ confirmation_message: message }: Provider, tokens: Tokens): string | null {
  if (!message) return null;
  const text = message.replaceAll("{id}", () => tokens.identity?.id ?? "external user");
  return text.split("\n").map(printable).join("\n");
}
