/**
 * Our own application in the test's process, on a database in memory and a clock that stands still: for tests of what
 * goes over the wire, without a socket. Real processes and real counterparts are in `ours.ts` and `reference.ts`.
 */
import { Writable } from "node:stream";
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { type Logger, pino } from "pino";
import type { AppParts } from "../../src/app/parts.ts";
import { createApp } from "../../src/app.ts";
import { DictionaryAuthenticator } from "../../src/authenticators/dictionary.ts";
import type { CaveConfig, Config, UpstreamConfig } from "../../src/config/model.ts";
import { CaveRulesInForce } from "../../src/domain/cave/rules.ts";
import type { CaveSettings } from "../../src/domain/model/cave.ts";
import type { Authenticator } from "../../src/domain/ports/authenticator.ts";
import type { Store } from "../../src/domain/ports/store.ts";
import { Secret } from "../../src/lib/secrets.ts";
import { openStore } from "../../src/store/open.ts";
import { loadTrees } from "../../src/trees/load.ts";
import type { Tree } from "../../src/trees/model/contract.ts";
import type { AccessPolicy } from "../../src/trees/policies/contract.ts";
import { ManualClock } from "./clock.ts";
import { PASSWORDS } from "./toy.ts";

export { PASSWORDS };
export type UserName = keyof typeof PASSWORDS;

const PLACE = { file: "test", line: 1, path: "test" };

export interface TestAppOptions {
  readonly beforeReady?: (app: FastifyInstance) => void;
  readonly authentication?: Partial<Config["authentication"]>;
  readonly server?: Partial<Config["server"]>;
  readonly allowOrigins?: readonly string[];
  /** Without providers: the single-user modes. */
  readonly providers?: boolean;
  readonly authenticators?: ReadonlyMap<string, Authenticator>;
  readonly singleUserKey?: string;
  readonly secretKeys?: readonly string[];
  readonly store?: Store;
  readonly tls?: AppParts["tls"];
  readonly clock?: ManualClock;
  /** Instead of the minimal one. */
  readonly tree?: Tree;
  readonly policy?: AccessPolicy;
  /** The section `cave`; missing keys are empty. */
  readonly cave?: { readonly serverAddress?: string } & Partial<CaveSettings>;
  /** Rules that the test replaces; those of the section do not count then. */
  readonly caveRules?: CaveRulesInForce;
  /** Servers behind this one; the first that stands at "/" takes the tree's place. */
  readonly upstreams?: readonly Partial<UpstreamConfig>[];
  readonly socketTimeouts?: AppParts["socketTimeouts"];
  readonly reader?: AppParts["reader"];
  readonly budget?: AppParts["budget"];
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly principal: string;
}

export class TestApp {
  readonly app: FastifyInstance;
  readonly clock: ManualClock;
  readonly store: Store | null;
  readonly logLines: string[];
  /** Its level may be changed. */
  readonly log: Logger;

  constructor(
    app: FastifyInstance,
    clock: ManualClock,
    store: Store | null,
    logLines: string[],
    log: Logger,
  ) {
    this.log = log;
    this.app = app;
    this.clock = clock;
    this.store = store;
    this.logLines = logLines;
  }

  /** A request; `path` without `/api/v1` in front means a path of the API. */
  async call(options: InjectOptions | string): Promise<LightMyRequestResponse> {
    const request = typeof options === "string" ? { url: options } : options;
    return await this.app.inject({ method: "GET", ...request });
  }

  async login(user: UserName): Promise<Tokens> {
    const response = await this.loginAttempt(user, PASSWORDS[user]);
    if (response.statusCode !== 200)
      throw new Error(`login of ${user}: ${response.statusCode} ${response.body}`);
    return response.json<Tokens>();
  }

  async loginAttempt(
    username: string,
    password: string,
    options: InjectOptions = {},
  ): Promise<LightMyRequestResponse> {
    return await this.form("/api/v1/auth/provider/toy/token", { username, password }, options);
  }

  async form(
    url: string,
    fields: Record<string, string>,
    options: InjectOptions = {},
  ): Promise<LightMyRequestResponse> {
    return await this.call({
      ...options,
      method: "POST",
      url,
      headers: { "content-type": "application/x-www-form-urlencoded", ...options.headers },
      payload: new URLSearchParams(fields).toString(),
    });
  }

  async refresh(refreshToken: string): Promise<LightMyRequestResponse> {
    return await this.call({
      method: "POST",
      url: "/api/v1/auth/session/refresh",
      payload: { refresh_token: refreshToken },
    });
  }

  async whoami(credential: string): Promise<LightMyRequestResponse> {
    return await this.call({ url: "/api/v1/auth/whoami", headers: { authorization: credential } });
  }

  /** A key made with an access token; answers its secret. */
  async makeKey(accessToken: string, key: Record<string, unknown> = {}): Promise<string> {
    const response = await this.call({
      method: "POST",
      url: "/api/v1/auth/apikey",
      headers: bearer(accessToken),
      payload: { expires_in: null, scopes: null, ...key },
    });
    if (response.statusCode !== 200) throw new Error(`key: ${response.statusCode} ${response.body}`);
    return response.json<{ secret: string }>().secret;
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.store?.close();
  }
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

export function apikey(secret: string): Record<string, string> {
  return { authorization: `Apikey ${secret}` };
}

/** Alice is an admin; `await using` closes it. */
export async function testApp(options: TestAppOptions = {}): Promise<TestApp & AsyncDisposable> {
  const clock = options.clock ?? new ManualClock();
  const multiUser = options.providers ?? true;
  const logLines: string[] = [];
  const store = multiUser ? (options.store ?? (await memoryStore(clock))) : null;
  const config = testConfig(options, multiUser);
  if (store !== null) {
    const origin = { address: null, requestId: null, actor: null };
    await store.principals.ensureAdmins({
      identities: config.authentication.admins,
      now: new Date(clock.now()),
      context: origin,
    });
  }
  const parts: AppParts = {
    store,
    authenticators: multiUser ? (options.authenticators ?? new Map([["toy", toy()]])) : new Map(),
    tree: options.tree ?? (await loadTrees(config.trees, { directory: ".", clock, warn: () => {} })),
    policy: options.policy ?? null,
    cave: options.caveRules ?? (config.cave && new CaveRulesInForce(config.cave.rules)),
    clock,
    logger: pino(
      { level: "info", base: null },
      new Writable({
        write: (chunk, _encoding, done) => {
          logLines.push(String(chunk));
          done();
        },
      }),
    ),
    singleUserKey: multiUser ? null : new Secret(options.singleUserKey ?? "secret"),
    secretKeys: (options.secretKeys ?? ["a key for tests only, never for real ones"]).map(
      (key) => new Secret(key),
    ),
    tls: options.tls ?? null,
    logo: null,
    ...(options.reader && { reader: options.reader }),
    ...(options.budget && { budget: options.budget }),
    ...(options.socketTimeouts && { socketTimeouts: options.socketTimeouts }),
  };
  const built = new TestApp(await createApp(config, parts), clock, store, logLines, parts.logger);
  options.beforeReady?.(built.app);
  await built.app.ready();
  return Object.assign(built, { [Symbol.asyncDispose]: () => built.close() });
}

export async function memoryStore(clock: ManualClock): Promise<Store> {
  return await openStore({
    uri: null,
    initIfNotExists: true,
    poolSize: 5,
    maxOverflow: 5,
    poolPrePing: true,
    exclusiveWriter: false,
    log: () => {},
    clock,
  });
}

export function toy(users: Readonly<Record<string, string>> = PASSWORDS): Authenticator {
  return new DictionaryAuthenticator({ users_to_passwords: users, confirmation_message: "" });
}

function testConfig(options: TestAppOptions, multiUser: boolean): Config {
  return {
    server: {
      host: "127.0.0.1",
      port: 0,
      publicUrl: null,
      accountUrl: null,
      trustedProxies: [],
      tls: null,
      hosts: [],
      verifyHosts: [],
      bodyLimit: 65_536,
      headerLimit: 32_768,
      rootPath: "",
      ...options.server,
    },
    places: { host: PLACE, port: PLACE, cert: PLACE, key: PLACE, logo: PLACE, database: PLACE },
    authentication: {
      providers: multiUser ? [{ provider: "toy", authenticator: "toy", args: {}, place: PLACE }] : [],
      admins: multiUser ? [{ provider: "toy", id: "alice" }] : [],
      adminGroups: [],
      secretKeys: null,
      allowAnonymousAccess: false,
      singleUserApiKey: null,
      accessTokenMaxAge: 900,
      refreshTokenMaxAge: 604_800,
      sessionMaxAge: 31_536_000,
      refreshTokenRotation: true,
      refreshTokenGrace: 60,
      sessionLimit: 200,
      apiKeyLimit: 100,
      loginBudget: { logins: 1000, per: 600 },
      loginThrottle: { account: { failures: 10, per: 300 }, address: { failures: 100, per: 300 } },
      ...options.authentication,
    },
    database: {
      uri: null,
      initIfNotExists: true,
      poolSize: 5,
      maxOverflow: 5,
      poolPrePing: true,
      exclusiveWriter: false,
    },
    trees: [
      {
        path: "/",
        tree: "tiled.examples.generated_minimal:tree",
        args: {},
        accessTags: null,
        place: PLACE,
      },
    ],
    upstreams: (options.upstreams ?? []).map((upstream) => ({
      prefix: "",
      host: null,
      url: "http://127.0.0.1:9",
      timeout: 60,
      sharesDatabase: false,
      kind: null,
      requires: { read: null, write: null },
      enforcesScopes: false,
      tokenKey: null,
      trustedPages: null,
      maxConnections: 100,
      maxStreams: 1000,
      place: PLACE,
      ...upstream,
    })),
    accessControl: null,
    cave: options.cave === undefined ? null : caveConfig(options.cave),
    allowOrigins: options.allowOrigins ?? [],
    metrics: { prometheus: true },
    pages: { title: "Tiled", logo: null, contact: null },
    log: { format: "json", level: "info" },
    audit: { retentionDays: 365 },
    directory: ".",
    warnings: [],
  };
}

export function caveConfig({
  serverAddress = "https://cave.example.org",
  ...rules
}: NonNullable<TestAppOptions["cave"]>): CaveConfig {
  return {
    serverAddress,
    rules: {
      admins: [],
      origins: [],
      loginTokenMaxAge: 86_400,
      tos: [],
      datasets: [],
      groups: [],
      ...rules,
    },
    source: null,
  };
}
