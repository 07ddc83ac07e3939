/**
 * `tiled config try PROVIDER NAME`: one login at a password provider, as the server would do it, with each step that the
 * provider reports. No session is opened.
 */
import { askLine } from "../../client/node/terminal.ts";
import type { AuthenticatedIdentity, RefusedLogin } from "../../domain/ports/authenticator.ts";
import { OperatorError } from "../../errors.ts";
import { printable } from "../../lib/printable.ts";
import type { Terminal } from "../console/terminal.ts";

export interface TryOptions {
  readonly config?: string;
}

export async function tryLogin(
  provider: string,
  name: string,
  { config: path }: TryOptions,
  terminal: Terminal,
): Promise<void> {
  const { defaultConfigPath, loadConfig } = await import("../../config/load.ts");
  const { loadAuthenticators, startAuthenticators, stopAuthenticators } = await import(
    "../../authenticators/load.ts"
  );
  const { authentication, directory } = loadConfig(path ?? defaultConfigPath(terminal.env), terminal.env);
  const providers = authentication.providers.filter((entry) => entry.provider === provider);
  if (providers.length === 0) {
    const names = authentication.providers.map((entry) => `'${entry.provider}'`).join(", ");
    throw new OperatorError(
      `The configuration has no provider '${printable(provider)}'. It has ${names || "none"}.`,
    );
  }
  const authenticators = await loadAuthenticators({
    providers,
    directory,
    warn: (text) => terminal.err(text),
  });
  const authenticator = authenticators.get(provider);
  if (authenticator?.kind !== "password") {
    throw new OperatorError(`People log in at '${provider}' in a browser: open the server's page /login.`);
  }
  const { input, notes } = terminal;
  const password = await askLine({ input, output: notes }, "Password: ", {
    hidden: true,
    signal: new AbortController().signal,
  });
  const step = (text: string): void => terminal.out(printable(text));
  try {
    await startAuthenticators(authenticators, providers);
    const answer = await (authenticator.explain?.(name, password, step) ??
      authenticator.authenticate(name, password));
    report(answer, step);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(error instanceof Error ? error.message : String(error));
  } finally {
    await stopAuthenticators(authenticators);
  }
}

function report(answer: AuthenticatedIdentity | RefusedLogin | null, step: (text: string) => void): void {
  if (answer === null) throw new OperatorError("Refused: the name is unknown, or the password is wrong.");
  if ("refused" in answer) throw new OperatorError(`Refused: ${answer.log ?? answer.refused}.`);
  step(`Logged in as ${JSON.stringify(answer.id)}.`);
  if (answer.state !== undefined) step(`State: ${JSON.stringify(answer.state)}`);
}
