/**
 * A running server: everything that a configuration names is opened, put together by `app.ts`, listens, and is closed
 * again in the reverse order without cutting off what is under way. Signals and notices are the command's (`cli/run.ts`).
 */
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { type AppParts, createApp } from "./app.ts";
import {
  externalNames,
  loadAuthenticators,
  startAuthenticators,
  stopAuthenticators,
} from "./authenticators/load.ts";
import type { Config } from "./config/model.ts";
import { PurgeJob } from "./domain/maintenance.ts";
import type { Store } from "./domain/ports.ts";
import { OperatorError } from "./errors.ts";
import type { Connections } from "./http/connections.ts";
import { shownHost } from "./lib/address.ts";
import { systemClock } from "./lib/clock.ts";
import { randomHex, Secret } from "./lib/secrets.ts";
import { ensureAdmins, warnOfTwins } from "./names.ts";
import { type AccessMode, accessMode } from "./pages/landing.ts";
import { readLogo } from "./pages/logo.ts";
import { openStore } from "./store/open.ts";
import { readTls } from "./tls.ts";
import { loadTrees } from "./trees/load.ts";
import { loadPolicy } from "./trees/policies/load.ts";

export interface ServerOptions {
  readonly log: Logger;
  readonly patience?: Patience;
}

/** How long a stop waits, in milliseconds. */
export interface Patience {
  /** For requests under way; what is left then is cut off. */
  readonly requests: number;
  /** For all of it. */
  readonly total: number;
}

export interface RunningServer {
  /** As it listens, with the port that was free and the prefix. */
  readonly url: string;
  readonly mode: AccessMode;
  /** The single-user key where it was made for this start. */
  readonly generatedKey: Secret | null;
  /** Whether logins outlive the process; true where there are none. */
  readonly durable: boolean;
  /** The providers that send browsers back here. */
  readonly externalProviders: readonly string[];
  /** Resolves once all is closed; throws where that takes too long. */
  stop(): Promise<void>;
}

const PATIENCE: Patience = { requests: 8_000, total: 9_500 };

/** What is closed at the end, in the reverse order of its opening. */
class Closers {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

export async function startServer(config: Config, options: ServerOptions): Promise<RunningServer> {
  const closers = new Closers();
  try {
    const { parts, generatedKey } = await openParts(config, options.log, closers);
    const app = await createApp(config, parts);
    closers.add(() => app.close());
    await listen(app, config);
    const url = listeningUrl(app, config);
    options.log.info(`Server listening at ${url}`);
    if (parts.store !== null) {
      closers.add(startPurging(parts.store, config, options.log));
      const warned = warnOfTwins(parts.store, config, parts.authenticators, options.log);
      closers.add(() => warned);
    }
    let stopping: Promise<void> | undefined;
    return {
      url,
      mode: modeOf(config),
      generatedKey,
      durable: parts.store?.durable ?? true,
      externalProviders: externalNames(parts.authenticators),
      stop: () => {
        stopping ??= stop(closers, app.connections, options);
        return stopping;
      },
    };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function openParts(
  config: Config,
  log: Logger,
  closers: Closers,
): Promise<{ readonly parts: AppParts; readonly generatedKey: Secret | null }> {
  const { authentication, server, pages, directory } = config;
  for (const warning of config.warnings) log.warn(warning);
  const tls = server.tls === null ? null : await readTls(server.tls);
  const logo = pages.logo === null ? null : await readLogo(pages.logo, directory);
  const policy = await loadPolicy(config.accessControl, {
    directory,
    warn: (message) => log.warn(`access_control: ${message}`),
  });
  const authenticators = await loadAuthenticators(
    authentication.providers,
    directory,
    (message) => log.warn(message),
    (provider) => (provider === policy?.stateFrom ? (policy.claims ?? []) : []),
  );
  const tree = await loadTrees(config.trees, {
    directory,
    clock: systemClock,
    warn: (message) => log.warn(message),
  });
  closers.add(() => tree.close?.());
  for (const tag of policy?.undefinedTags?.(tree.tags?.() ?? []) ?? [])
    log.warn(
      `access_control: entries bear the tag ${JSON.stringify(tag)}, which is not defined: it grants nothing.`,
    );
  const singleUser = authentication.providers.length === 0;
  const store = singleUser ? null : await openStoreWithAdmins(config, authenticators, log);
  closers.add(() => store?.close());
  await startAuthenticators(authenticators);
  closers.add(() => stopAuthenticators(authenticators));
  await policy?.start?.();
  closers.add(() => policy?.stop?.());
  const generatedKey =
    singleUser && authentication.singleUserApiKey === null ? new Secret(randomHex(32)) : null;
  return {
    generatedKey,
    parts: {
      store,
      authenticators,
      tree,
      policy,
      clock: systemClock,
      logger: log,
      singleUserKey: authentication.singleUserApiKey ?? generatedKey,
      secretKeys: authentication.secretKeys ?? [new Secret(randomHex(32))],
      tls,
      logo,
    },
  };
}

async function openStoreWithAdmins(
  config: Config,
  authenticators: AppParts["authenticators"],
  log: Logger,
): Promise<Store> {
  const { database } = config;
  const store = await openStore({
    ...database,
    uri: database.uri?.reveal() ?? null,
    clock: systemClock,
    log: (level, message) => log[level](message),
  });
  try {
    await ensureAdmins(store, config, authenticators, log);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

function startPurging(store: Store, config: Config, log: Logger): () => Promise<void> {
  const job = new PurgeJob(store.maintenance, {
    clock: systemClock,
    log,
    auditRetentionDays: config.audit.retentionDays,
  });
  return () => job.stop();
}

async function stop(closers: Closers, connections: Connections, options: ServerOptions): Promise<void> {
  const { log, patience = PATIENCE } = options;
  log.info("Stopping: requests under way are finished, no further ones are taken.");
  const cut = setTimeout(() => {
    const requests = connections.destroy();
    log.warn({ requests }, "Requests that took too long to finish were cut off.");
  }, patience.requests);
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const limit = setTimeout(
    () => reject(new OperatorError("The server could not close everything in time.")),
    patience.total,
  );
  try {
    const closing = closers.closeAll();
    connections.drain();
    await Promise.race([closing, tooLate]);
  } finally {
    clearTimeout(cut);
    clearTimeout(limit);
  }
  log.info("Stopped.");
}

export function modeOf({ authentication }: Config): AccessMode {
  return accessMode(authentication.providers.length, authentication.allowAnonymousAccess);
}

function listeningUrl(app: FastifyInstance, { server }: Config): string {
  const { port } = app.server.address() as AddressInfo;
  return `${server.tls === null ? "http" : "https"}://${shownHost(server.host)}:${port}${server.rootPath}`;
}

async function listen(app: FastifyInstance, { server: { host, port } }: Config): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const text = LISTEN_ERRORS[(error as NodeJS.ErrnoException).code ?? ""];
    if (text === undefined) throw error;
    throw new OperatorError(`Cannot listen on ${host}, port ${port}: ${text}`, 3);
  }
}

const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program uses that port. Choose another one with --port; 0 takes any that is free.",
  EACCES:
    "this user may not open that port. Ports below 1024 need a privilege; choose a higher one with --port.",
  EADDRNOTAVAIL: "this machine has no such address. Choose one with --host; 0.0.0.0 takes all.",
  ENOTFOUND: "the host name is not known. Choose an address with --host.",
  EAI_AGAIN: "the host name cannot be looked up at the moment.",
};
