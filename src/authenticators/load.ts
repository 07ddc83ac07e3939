/**
 * Makes the authenticators of a configuration, starts them before the server listens and stops them at its end. An error in
 * one of them stops the start, with its place in the configuration.
 */

import type {
  Authenticator,
  AuthenticatorClass,
  AuthenticatorContext,
} from "../domain/ports/authenticator.ts";
import { OperatorError } from "../errors.ts";
import { argsPlace, readArgs } from "../plugins/args.ts";
import { checkArgs } from "../plugins/class-args.ts";
import type { ProviderEntry } from "../plugins/entries.ts";
import { reason } from "../plugins/own-class.ts";
import type { Path } from "../yaml/located.ts";
import { ConfigError, type ConfigPlace, type ConfigProblem, problemLines } from "../yaml/problems.ts";
import { guarded } from "./guard.ts";
import type { OwnAccounts } from "./local/authenticator.ts";
import { authenticatorClass } from "./module.ts";

interface LoadOptions {
  readonly providers: readonly ProviderEntry[];
  /** The folder of the configuration file, for relative paths. */
  readonly directory: string;
  /** For the operator; the message begins with the provider's name. */
  readonly warn: (message: string) => void;
  /** Claims about the users of a provider that the access policy needs. */
  readonly keepClaims?: (provider: string) => readonly string[];
  /** For the server's own accounts. Absent: nothing is started. */
  readonly own?: OwnAccounts | undefined;
}

/** By the provider's name, in the configuration's order. Throws a `ConfigError` with all problems of all providers. */
export async function loadAuthenticators({
  providers,
  directory,
  warn,
  keepClaims = () => [],
  own,
}: LoadOptions): Promise<ReadonlyMap<string, Authenticator>> {
  const authenticators = new Map<string, Authenticator>();
  const problems: ConfigProblem[] = [];
  for (const config of providers) {
    const problem = (keys: Path, message: string): void => {
      problems.push({ ...placeOf(config, keys), message });
    };
    if (authenticators.has(config.provider)) {
      problem(["provider"], `another provider has the name '${config.provider}' already.`);
      continue;
    }
    const context: AuthenticatorContext & { readonly own?: OwnAccounts | undefined } = {
      provider: config.provider,
      directory,
      keepClaims: keepClaims(config.provider),
      own,
      warn: (message) => warn(`Provider '${config.provider}': ${message}`),
    };
    const authenticator = await make(config, context, problem);
    if (authenticator !== undefined) authenticators.set(config.provider, authenticator);
    // A token of its clients does not name its provider.
    if (authenticator?.kind === "proxied" && providers.length > 1) {
      problem(["authenticator"], "must be the only provider, since it accepts the provider's own tokens.");
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return authenticators;
}

/** The place of a key below a provider's entry. */
function placeOf(config: ProviderEntry, keys: Path): ConfigPlace {
  const [first, ...below] = keys;
  if (first === undefined) return config.place;
  return first === "args"
    ? argsPlace(config, below)
    : { ...config.place, path: `${config.place.path}.${first}` };
}

/** An authenticator's error about an argument begins with its key: `args.service: …`. */
function argumentIn(text: string): { readonly keys: readonly string[]; readonly message: string } {
  const [, keys, message] = /^(args(?:\.\w+)*): (.*)$/s.exec(text) ?? [];
  return keys === undefined || message === undefined
    ? { keys: [], message: text }
    : { keys: keys.split("."), message };
}

/** The error of a provider that cannot start, with its place. */
export function startProblem(config: ProviderEntry, error: unknown): ConfigProblem {
  const { keys, message } = argumentIn(reason(error));
  return { ...placeOf(config, keys), message };
}

export interface IdentityProviderName {
  readonly name: string;
  /** Whether the provider posts its answer (SAML) in place of a redirect. */
  readonly posts: boolean;
}

/** The providers whose logins lead browsers to another site and back. */
export function identityProviderNames(
  authenticators: ReadonlyMap<string, Authenticator>,
): IdentityProviderName[] {
  return [...authenticators].flatMap(([name, one]) =>
    one.kind === "password" ? [] : [{ name, posts: one.kind === "external" && one.posted !== undefined }],
  );
}

async function make(
  config: ProviderEntry,
  context: AuthenticatorContext,
  problem: (keys: Path, message: string) => void,
): Promise<Authenticator | undefined> {
  try {
    const Class = await authenticatorClass(config.authenticator, context.directory);
    const checked = checkArgs(Class.args, readArgs(config, Class.args));
    if (checked.kind === "valid") return contract(construct(Class, checked.args, context));
    for (const { path, message } of checked.problems) problem(["args", ...path], message);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const { keys, message } = argumentIn(error.message);
    problem(keys.length === 0 ? ["authenticator"] : keys, message);
  }
  return undefined;
}

function construct(Class: AuthenticatorClass, args: object, context: AuthenticatorContext): unknown {
  try {
    return new Class(args as never, context);
  } catch (error) {
    // It names the argument that is wrong.
    if (error instanceof OperatorError && error.message.startsWith("args.")) throw error;
    throw new OperatorError(`its constructor failed: ${reason(error)}`);
  }
}

/** The methods that the server calls, by kind. */
const METHODS: Readonly<Record<Authenticator["kind"], readonly string[]>> = {
  password: ["authenticate"],
  external: ["begin", "finish", "problem"],
  proxied: ["links", "verify", "begin", "finish", "problem"],
};

/** Checks once what the server relies on: an operator's class may have any form. */
function contract(made: unknown): Authenticator {
  const found = made as Readonly<Record<string, unknown>>;
  const kind = found["kind"];
  if (typeof kind !== "string" || !Object.hasOwn(METHODS, kind)) {
    const kinds = Object.keys(METHODS).map((name) => JSON.stringify(name));
    const has = kind === undefined ? "it has none" : `it has ${JSON.stringify(kind)}`;
    throw broken(`its 'kind' must be one of ${kinds.join(", ")}, ${has}`);
  }
  for (const method of METHODS[kind as Authenticator["kind"]]) {
    if (typeof found[method] !== "function")
      throw broken(`it has no method '${method}', which kind "${kind}" needs`);
  }
  if (typeof found["confirmationMessage"] !== "string") {
    throw broken("its 'confirmationMessage' must be a text; \"\" shows nothing");
  }
  for (const method of ["start", "stop"]) {
    if (found[method] !== undefined && typeof found[method] !== "function") {
      throw broken(`its '${method}' must be a method`);
    }
  }
  const authenticator = made as Authenticator;
  return authenticator.kind === "password" ? guarded(authenticator) : authenticator;
}

function broken(how: string): OperatorError {
  return new OperatorError(`the class does not keep the contract: ${how}.`);
}

/** If one cannot start, those already started are stopped. */
export async function startAuthenticators(
  authenticators: ReadonlyMap<string, Authenticator>,
  providers: readonly ProviderEntry[] = [],
): Promise<void> {
  const started = new Map<string, Authenticator>();
  for (const [provider, authenticator] of authenticators) {
    started.set(provider, authenticator);
    try {
      await authenticator.start?.();
    } catch (error) {
      await stopAuthenticators(started);
      const config = providers.find((entry) => entry.provider === provider);
      const [line] = config === undefined ? [reason(error)] : problemLines([startProblem(config, error)]);
      throw new OperatorError(`The provider '${provider}' cannot start: ${line}`, 3);
    }
  }
}

/** Stops each, even if others fail. */
export async function stopAuthenticators(authenticators: ReadonlyMap<string, Authenticator>): Promise<void> {
  await Promise.allSettled([...authenticators.values()].map(async (authenticator) => authenticator.stop?.()));
}
