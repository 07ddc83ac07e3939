/**
 * Checks a configuration for everything that a start would refuse (`preflight.ts`), and on request by asking other
 * servers (`online.ts`): `tiled config check`, `tiled admin check-config`, and what `serve` and `config migrate` need.
 */
import type { Overrides } from "../../config/context.ts";
import type { Config } from "../../config/model.ts";
import { OperatorError } from "../../errors.ts";
import { shownHost } from "../../lib/address.ts";
import { ConfigError, type ConfigProblem } from "../../yaml/problems.ts";
import type { Terminal } from "../console/terminal.ts";

export type ConfigIo = Pick<Terminal, "env" | "out" | "err">;

export interface CheckOptions {
  readonly online?: boolean;
}

/** Throws a `ConfigError` with all problems. Warnings go to stderr. */
export async function check(
  path: string | undefined,
  io: ConfigIo,
  { online = false }: CheckOptions = {},
): Promise<void> {
  const { config, problems } = await readAt(path, io, {});
  const { preflight } = await import("./preflight.ts");
  const warn = (message: string) => io.err(message);
  const { problems: found, authenticators = new Map() } = await preflight(config, warn);
  refuseAll(problems, found);
  for (const warning of config.warnings) io.err(warning);
  io.out("No errors found in configuration.");
  const { redirectNotice } = await import("../console/notices.ts");
  const { identityProviderNames } = await import("../../authenticators/load.ts");
  for (const line of redirectNotice(baseOf(config), identityProviderNames(authenticators))) io.out(line);
  if (!online) return;
  const { askOnline } = await import("./online.ts");
  const answers = await askOnline(config, authenticators);
  for (const { ok, text } of answers) io.out(`${ok ? "ok" : "FAILED"}: ${text}`);
  if (answers.length === 0) io.out("The configuration names no other server to ask.");
  const failed = answers.filter(({ ok }) => !ok).length;
  if (failed > 0) throw new OperatorError(`${failed} of ${answers.length} online checks failed.`);
}

function baseOf({ server: { accountUrl, publicUrl, tls, host, port, rootPath }, cave }: Config): string {
  return (
    accountUrl ??
    publicUrl ??
    cave?.serverAddress ??
    `${tls === null ? "http" : "https"}://${shownHost(host)}:${port}${rootPath}`
  );
}

/**
 * A configuration whose authenticators and policy are checked as well. Throws a `ConfigError` with all problems.
 */
export async function loadWhole(
  path: string | undefined,
  io: ConfigIo,
  overrides: Overrides = {},
): Promise<Config> {
  const { config, problems } = await readAt(path, io, overrides);
  refuseAll(problems, [...(await providerProblems(config)), ...(await policyProblems(config))]);
  return config;
}

async function readAt(path: string | undefined, io: ConfigIo, overrides: Overrides) {
  const { defaultConfigPath, readConfig } = await import("../../config/load.ts");
  const { config, problems } = readConfig(path ?? defaultConfigPath(io.env), io.env, overrides);
  if (config === undefined) throw new ConfigError(problems);
  return { config, problems };
}

/** Reports one problem for each place. */
function refuseAll(problems: readonly ConfigProblem[], found: readonly ConfigProblem[]): void {
  const known = new Set(problems.map((problem) => problem.path));
  const all = [...problems, ...found.filter((problem) => !known.has(problem.path))];
  if (all.length > 0) throw new ConfigError(all);
}

/** Problems that the authenticators' classes find in their arguments. */
async function providerProblems({ authentication, directory }: Config): Promise<readonly ConfigProblem[]> {
  const { loadAuthenticators } = await import("../../authenticators/load.ts");
  try {
    // The start prints their warnings.
    await loadAuthenticators({ providers: authentication.providers, directory, warn: () => {} });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** Problems that the policy's class finds in its arguments and in the file of tag definitions. */
async function policyProblems({ accessControl, directory }: Config): Promise<readonly ConfigProblem[]> {
  const { loadPolicy } = await import("../../trees/policies/load.ts");
  try {
    await loadPolicy(accessControl, { directory, warn: () => {} });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
