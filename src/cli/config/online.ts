/**
 * `tiled config check --online`: asks the servers that a configuration names: each provider's documents and keys, the
 * database, the servers behind. One line each, all at the same time, with a timeout.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Config, UpstreamConfig } from "../../config/model.ts";
import { parseDatabaseUri } from "../../database-uri/database-uri.ts";
import { type Authenticator, NOT_REACHED_YET } from "../../domain/ports/authenticator.ts";
import { Failure, OperatorError } from "../../errors.ts";
import type { ProviderEntry } from "../../plugins/entries.ts";
import { reason } from "../../plugins/own-class.ts";
import type { Authenticators } from "../../start/steps.ts";
import { inspectDatabase } from "../../store/open.ts";
import { complaint } from "../../store/schema/revisions.ts";
import { isLocal } from "./preflight.ts";

export interface Answer {
  readonly ok: boolean;
  /** `provider 'orcid': …`. */
  readonly text: string;
}

/** Milliseconds for each server. */
const TIMEOUT = 10_000;
const PAUSE = 100;
/** Tiled's about document has a few kB. */
const LARGEST = 1_048_576;

export async function askOnline(
  config: Config,
  authenticators: Authenticators,
  timeout = TIMEOUT,
): Promise<readonly Answer[]> {
  const asked: Promise<Answer>[] = [];
  const ask = (what: string, work: (signal: AbortSignal) => Promise<string>) =>
    asked.push(answer(what, work, timeout));
  for (const entry of config.authentication.providers) {
    const { provider: name } = entry;
    const authenticator = authenticators.get(name);
    if (authenticator !== undefined && asksOthers(authenticator, entry))
      ask(`provider '${name}'`, (signal) => provider(authenticator, signal));
  }
  const uri = config.database.uri?.reveal() ?? null;
  const address = parseDatabaseUri(uri);
  if (uri !== null && address.kind !== "memory" && authenticators.size > 0)
    ask(`database ${address.shown}`, () => database(uri, config.database.initIfNotExists));
  for (const upstream of config.upstreams)
    ask(`${upstream.place.path} (${upstream.url})`, (signal) => behind(upstream, signal));
  const { host } = config.server;
  if (isIP(host) === 0)
    ask(`${config.places.host.path} ${host}`, async () => `is ${(await lookup(host)).address}`);
  return Promise.all(asked);
}

async function answer(
  what: string,
  work: (signal: AbortSignal) => Promise<string>,
  timeout: number,
): Promise<Answer> {
  const limit = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    limit.abort();
    reject(new OperatorError(`no answer within ${timeout / 1000} s.`));
  }, timeout);
  try {
    return { ok: true, text: `${what}: ${await Promise.race([work(limit.signal), late])}` };
  } catch (error) {
    return { ok: false, text: `${what}: ${because(error)}` };
  } finally {
    clearTimeout(timer);
    limit.abort();
  }
}

function because(error: unknown): string {
  // The cause of fetch's error says what failed.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  const text = reason(cause);
  return code === undefined || text.includes(code) ? text : `${text} (${code})`;
}

function asksOthers(authenticator: Authenticator, entry: ProviderEntry): boolean {
  if (authenticator.kind !== "password") return authenticator.start !== undefined;
  if (authenticator.contact !== undefined) return true;
  return authenticator.check === undefined && authenticator.start !== undefined && !isLocal(entry);
}

async function provider(authenticator: Authenticator, signal: AbortSignal): Promise<string> {
  try {
    if (authenticator.kind === "password" && authenticator.contact !== undefined) {
      await authenticator.contact().catch((error: unknown) => {
        throw error instanceof Failure ? new OperatorError(error.message) : error;
      });
      return "the directory can be used.";
    }
    await authenticator.start?.();
    if (authenticator.kind === "password") return "can be used.";
    let problem = authenticator.problem();
    // A start waits two seconds only.
    while (problem === NOT_REACHED_YET && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      problem = authenticator.problem();
    }
    if (problem !== null) throw new OperatorError(problem);
    return "its documents and keys were fetched.";
  } finally {
    await authenticator.stop?.();
  }
}

async function database(uri: string, initIfNotExists: boolean): Promise<string> {
  const inspection = await inspectDatabase(uri);
  const fresh = inspection.kind === "absent" || inspection.kind === "empty";
  if (fresh && initIfNotExists) return "new; the first start initializes it.";
  if (inspection.kind !== "served") throw new OperatorError(complaint(inspection));
  return `can be served (revision ${inspection.revision}).`;
}

async function behind({ url }: UpstreamConfig, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${url}/api/v1/`, { signal, redirect: "manual" });
  if (response.status >= 500) throw new OperatorError(`answers ${response.status}.`);
  const about = parsed(await start(response));
  if (typeof about?.["library_version"] === "string" && about["authentication"] !== undefined)
    return `a Tiled, version ${JSON.stringify(about["library_version"].slice(0, 40))}.`;
  return `answers ${response.status}, but is not a Tiled.`;
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>> | null;
  } catch {
    return null;
  }
}

async function start(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LARGEST) break;
  }
  return text;
}
