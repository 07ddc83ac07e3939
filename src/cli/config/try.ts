/**
 * `tiled config try PROVIDER NAME`: one login at a password provider, as the server would do it, with each step that the
 * provider reports. No session is opened.
 */
import { randomBytes } from "node:crypto";
import { CannotPrompt } from "../../client/errors.ts";
import { askLine } from "../../client/node/terminal.ts";
import type { DatabaseConfig } from "../../config/model.ts";
import type { AuthenticatedIdentity, RefusedLogin } from "../../domain/ports/authenticator.ts";
import type { Store } from "../../domain/ports/store.ts";
import { OperatorError } from "../../errors.ts";
import { systemClock } from "../../lib/clock.ts";
import { printable } from "../../lib/printable.ts";
import { canAsk, type Terminal } from "../console/terminal.ts";

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
  const { OWN } = await import("../../authenticators/table.ts");
  const { loadAuthenticators, startAuthenticators, stopAuthenticators } = await import(
    "../../authenticators/load.ts"
  );
  const { authentication, database, directory } = loadConfig(
    path ?? defaultConfigPath(terminal.env),
    terminal.env,
  );
  const providers = authentication.providers.filter((entry) => entry.provider === provider);
  if (providers.length === 0) {
    const names = authentication.providers.map((entry) => `'${entry.provider}'`).join(", ");
    throw new OperatorError(
      `The configuration has no provider '${printable(provider)}'. It has ${names || "none"}.`,
    );
  }
  const warnings: string[] = [];
  let store: Store | undefined;
  const own = {
    accounts: () => (store as Store).localAccounts,
    key: randomBytes(32),
  };
  const authenticators = await loadAuthenticators({
    providers,
    directory,
    own,
    warn: (text) => void warnings.push(text),
  });
  const authenticator = authenticators.get(provider);
  if (authenticator?.kind !== "password") {
    throw new OperatorError(`People log in at '${provider}' in a browser: open the server's page /login.`);
  }
  const password = await askPassword(terminal);
  const step = (text: string): void => terminal.out(printable(text));
  let failure: string | undefined;
  try {
    if (OWN.has(providers[0]?.authenticator ?? "")) store = await openedStore(database, terminal);
    await startAuthenticators(authenticators, providers);
    const { explain } = authenticator;
    const answer = await (explain?.(name, password, step) ?? authenticator.authenticate(name, password));
    report(answer, step, explain !== undefined);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    throw error instanceof OperatorError ? error : new OperatorError(failure);
  } finally {
    // A warning that says the same as the error is left out.
    for (const text of warnings) if (failure === undefined || !text.includes(failure)) terminal.err(text);
    await stopAuthenticators(authenticators);
    await store?.close();
  }
}

async function askPassword(terminal: Terminal): Promise<string> {
  const { input, notes } = terminal;
  try {
    return await askLine({ input, output: notes }, canAsk(terminal) ? "Password: " : "", {
      hidden: true,
      signal: new AbortController().signal,
    });
  } catch (error) {
    if (!(error instanceof CannotPrompt)) throw error;
    throw new OperatorError(
      "The input has no password. Run the command in a terminal, or pipe one line to it.",
    );
  }
}

/** For accounts in the server's database. */
async function openedStore(database: DatabaseConfig, terminal: Terminal): Promise<Store> {
  const { openStore } = await import("../../store/open.ts");
  return openStore({
    ...database,
    initIfNotExists: false,
    uri: database.uri?.reveal() ?? null,
    clock: systemClock,
    log: (_level, message) => terminal.err(message),
  });
}

function report(
  answer: AuthenticatedIdentity | RefusedLogin | null,
  step: (text: string) => void,
  explained: boolean,
): void {
  if (answer === null && explained) throw new OperatorError("Refused, as the last line says.");
  if (answer === null) throw new OperatorError("Refused: the name is unknown, or the password is wrong.");
  if ("refused" in answer) throw new OperatorError(`Refused: ${answer.log ?? answer.refused}.`);
  step(`Logged in as ${JSON.stringify(answer.id)}.`);
  if (answer.state !== undefined) step(`State: ${JSON.stringify(answer.state)}`);
}
