/**
 * A running server: opens everything that a configuration names, lets `app.ts` put it together, listens, and closes it in
 * the reverse order once requests under way have ended. Signals and notices are the command's (`cli/serve/run.ts`).
 */
import { hkdfSync } from "node:crypto";
import { lookup } from "node:dns/promises";
import type { AddressInfo } from "node:net";
import type { Server as TlsServer } from "node:tls";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { AppParts } from "./app/parts.ts";
import { createApp } from "./app.ts";
import {
  type IdentityProviderName,
  identityProviderNames,
  startAuthenticators,
  stopAuthenticators,
} from "./authenticators/load.ts";
import type { Config } from "./config/model.ts";
import { placeName } from "./config/places.ts";
import { CaveRulesInForce } from "./domain/cave/rules.ts";
import { PurgeJob } from "./domain/maintenance.ts";
import type { Store } from "./domain/ports/store.ts";
import { OperatorError } from "./errors.ts";
import type { Connections } from "./http/connections.ts";
import { shownHost } from "./lib/address.ts";
import { systemClock } from "./lib/clock.ts";
import { randomHex, Secret } from "./lib/secrets.ts";
import { type AccessMode, accessMode } from "./pages/landing.ts";
import { CaveReload } from "./start/cave-reload.ts";
import { ensureAdmins, warnOfTwins } from "./start/names.ts";
import { rereadAll } from "./start/reread.ts";
import { authenticatorsOf, iconsOf, logoOf, policyOf, tlsOf, treeOf } from "./start/steps.ts";
import { TlsRenewal } from "./start/tls-renewal.ts";
import { openStore } from "./store/open.ts";
import type { Tls } from "./tls.ts";
import { DataThread } from "./trees/data-thread/thread.ts";
import { toldAt } from "./yaml/problems.ts";

export interface ServerOptions {
  /** A pino logger; it gets every request and warning, never a secret. */
  readonly log: Logger;
  /** Default: 8 and 9.5 seconds. */
  readonly stopTimeouts?: StopTimeouts;
}

/** How long a stop waits, in milliseconds from its beginning. */
export interface StopTimeouts {
  /** For requests under way; their connections are then closed. */
  readonly requests: number;
  /** For everything; `stop` then fails. */
  readonly total: number;
}

export interface RunningServer {
  /** Where it listens: scheme, host, actual port, and `server.root_path`; no slash at the end. */
  readonly url: string;
  readonly mode: AccessMode;
  /** The single-user API key if this start generated it. */
  readonly generatedKey: Secret | null;
  /** False if logins are lost with the process (a database in memory). */
  readonly durable: boolean;
  /** Names of the identity providers, which send browsers back to this server. */
  readonly identityProviders: readonly IdentityProviderName[];
  /** Reads the TLS certificate and the rules of the section `cave` again. Nothing else changes without a restart. */
  reread(): Promise<void>;
  /** Stops accepting requests, waits for those under way and closes everything. @throws {OperatorError} On timeout. */
  stop(): Promise<void>;
}

const STOP_TIMEOUTS: StopTimeouts = { requests: 8_000, total: 9_500 };

/** Closes things in the reverse order of their opening. */
class Closers {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

/**
 * Starts a server and resolves once it listens.
 *
 * @throws {ConfigError} If a file, plugin or argument named in the configuration is unusable.
 * @throws {OperatorError} If the database cannot be opened or the address cannot be listened on.
 *
 * @example
 * ```ts
 * import { pino } from "pino";
 * import { loadConfig, startServer } from "tiled-auth";
 *
 * const server = await startServer(loadConfig("config.yml", process.env), { log: pino() });
 * console.log(server.url);
 * await server.stop();
 * ```
 */
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
    const renewal = watchTls(config, app, parts.tls, options.log);
    closers.add(() => renewal?.stop());
    const reload = watchCave(config, parts, options.log);
    closers.add(() => reload?.stop());
    let stopping: Promise<void> | undefined;
    return {
      url,
      mode: modeOf(config),
      generatedKey,
      durable: parts.store?.durable ?? true,
      identityProviders: identityProviderNames(parts.authenticators),
      reread: () => rereadAll({ renewal, reload }, options.log),
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
  const { authentication } = config;
  const warn = (message: string) => log.warn(message);
  for (const warning of config.warnings) warn(warning);
  const tls = await tlsOf(config, warn);
  const logo = await logoOf(config);
  const icons = await iconsOf(config);
  const policy = await policyOf(config, warn);
  const secretKeys = authentication.secretKeys ?? [new Secret(randomHex(32))];
  let store: Store | null = null;
  const authenticators = await authenticatorsOf(config, policy, warn, {
    accounts: () => {
      if (store === null) throw new Error("The database is not open yet.");
      return store.localAccounts;
    },
    key: decoyKey(secretKeys),
  });
  // The thread starts with the first read.
  const reader = new DataThread((message) => log.error(message));
  closers.add(() => reader.close());
  const tree = await treeOf(config, policy, warn, reader);
  closers.add(() => tree.close?.());
  const singleUser = authentication.providers.length === 0;
  store = singleUser ? null : await openStoreWithAdmins(config, authenticators, log);
  closers.add(() => store?.close());
  await startAuthenticators(authenticators, authentication.providers);
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
      reader,
      policy,
      cave: config.cave && new CaveRulesInForce(config.cave.rules),
      clock: systemClock,
      logger: log,
      singleUserKey: authentication.singleUserApiKey ?? generatedKey,
      secretKeys,
      tls,
      logo,
      icons,
    },
  };
}

/** Picks for each unknown name the account whose password's check is imitated. */
function decoyKey([newest]: readonly Secret[]): Uint8Array {
  return new Uint8Array(
    hkdfSync("sha256", newest?.reveal() ?? "", "", "tiled-auth: decoys of local accounts", 32),
  );
}

async function openStoreWithAdmins(
  config: Config,
  authenticators: AppParts["authenticators"],
  log: Logger,
): Promise<Store> {
  const { database, places } = config;
  const store = await toldAt(places.database, () =>
    openStore({
      ...database,
      uri: database.uri?.reveal() ?? null,
      clock: systemClock,
      log: (level, message) => log[level](message),
    }),
  );
  try {
    await ensureAdmins(store, config, authenticators, log);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

function watchTls(config: Config, app: FastifyInstance, current: Tls | null, log: Logger): TlsRenewal | null {
  const { tls } = config.server;
  if (tls === null || current === null) return null;
  const renewal = new TlsRenewal({
    files: tls,
    current,
    read: async () => (await tlsOf(config, (message) => log.warn(message))) ?? current,
    server: app.server as unknown as TlsServer,
    log,
  });
  renewal.start();
  return renewal;
}

function watchCave({ cave }: Config, parts: AppParts, log: Logger): CaveReload | null {
  if (cave === null || parts.cave === null) return null;
  const reload = new CaveReload({ cave, rules: parts.cave, log });
  reload.start();
  return reload;
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
  const { log, stopTimeouts = STOP_TIMEOUTS } = options;
  log.info("Stopping: waiting for requests under way.");
  const cut = setTimeout(() => {
    const requests = connections.destroy();
    log.warn({ requests }, "Requests that took too long to finish were cut off.");
  }, stopTimeouts.requests);
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const limit = setTimeout(
    () => reject(new OperatorError("The server could not close everything in time.")),
    stopTimeouts.total,
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

function modeOf({ authentication }: Config): AccessMode {
  return accessMode(authentication.providers.length, authentication.allowAnonymousAccess);
}

function listeningUrl(app: FastifyInstance, { server }: Config): string {
  const { port } = app.server.address() as AddressInfo;
  return `${server.tls === null ? "http" : "https"}://${shownHost(server.host)}:${port}${server.rootPath}`;
}

async function listen(app: FastifyInstance, { server: { host, port }, places }: Config): Promise<void> {
  try {
    await app.listen({ host: await addressOf(host), port });
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const text = LISTEN_ERRORS[code]?.(port);
    if (text === undefined) throw error;
    const place = placeName(ABOUT_PORT.has(code) ? places.port : places.host);
    throw new OperatorError(`Cannot listen on ${host}, port ${port} (${place}): ${text}`, 3);
  }
}

/**
 * For the name `localhost` Fastify opens a second server at `::1`, without the limits of the first and not drained with it.
 * One address is enough, since browsers and programs try both.
 */
async function addressOf(host: string): Promise<string> {
  if (host.toLowerCase() !== "localhost") return host;
  return (await lookup(host, { order: "ipv4first" })).address;
}

const ABOUT_PORT: ReadonlySet<string> = new Set(["EADDRINUSE", "EACCES"]);

const LISTEN_ERRORS: Readonly<Record<string, (port: number) => string>> = {
  EADDRINUSE: (port) =>
    `another program uses this port (ss -ltnp 'sport = :${port}' shows which). Choose another one; --port 0 takes any free port.`,
  EACCES: (port) =>
    port < 1024
      ? "ports below 1024 need a privilege. Choose a higher one behind a proxy, or grant the privilege (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)."
      : "this user may not open this port. Choose another one.",
  EADDRNOTAVAIL: () =>
    "this machine does not have this address. Choose one it has; 0.0.0.0 means all of them.",
  EAFNOSUPPORT: () => "this machine has no addresses of this family. Choose one it has.",
  ENOTFOUND: () => "unknown host name. Use an address; 0.0.0.0 means all of this machine.",
  EAI_AGAIN: () => "the host name cannot be looked up at the moment. Use an address.",
};
