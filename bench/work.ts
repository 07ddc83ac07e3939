/**
 * The measured requests: a toy deployment on a SQLite file and, for each kind of work, a job for the load generator. The same
 * for this server and for the real Tiled.
 */
import { Api, apikey, bearer, type Tokens } from "../test/support/api.ts";
import { type Cleanup, configurationFile, temporaryFolder } from "../test/support/folders.ts";
import { PASSWORDS, toy } from "../test/support/toy.ts";
import type { Request } from "./connection.ts";
import { userOf } from "./fill.ts";
import type { Job, Measured } from "./load.ts";
import { type Cores, load, type Server } from "./servers.ts";

export const WORKS = [
  "JWT whoami",
  "API-key whoami",
  "API key itself",
  "data with an API key",
  "verify",
  "CAVE's user/cache",
  "refresh",
  "login",
] as const;
export type Work = (typeof WORKS)[number];
/** Only where the configuration has CAVE's section; the real Tiled has no such routes. */
export const CAVE_ONLY: ReadonlySet<string> = new Set<Work>(["CAVE's user/cache"]);

export interface Plan {
  readonly connections: number;
  readonly seconds: number;
  /** Whose credentials the requests have, in turn. Default: one for each connection. */
  readonly people?: number;
}

/** CAVE's section: people are in a group with permissions, and `members` of them in another one by name. */
export function cave(members: number): object {
  return {
    server_address: "http://127.0.0.1:8000",
    datasets: { minnie: { id: 1, tables: { datastack: ["minnie65"] } } },
    groups: {
      all: { id: 1, everyone: true, permissions: { minnie: ["view"] } },
      proofreaders: {
        id: 2,
        members: Array.from({ length: members }, (_, index) => ({ provider: "any", id: userOf(index + 1) })),
        permissions: { minnie: ["view", "edit"] },
      },
    },
  };
}

const ACCOUNTS: Readonly<Record<string, string>> = {
  ...PASSWORDS,
  ...Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [userOf(index), `password ${index}`])),
};

/** The provider `any` accepts every name, so each session has its own principal. `sections`: more of the configuration. */
export async function deployment(cleanup: Cleanup, sections: object = {}): Promise<string> {
  const args = { users_to_passwords: ACCOUNTS };
  return configurationFile(
    cleanup,
    toy({
      authentication: {
        providers: [
          { provider: "toy", authenticator: "tiled.authenticators:DictionaryAuthenticator", args },
          { provider: "any", authenticator: "tiled.authenticators:DummyAuthenticator" },
        ],
      },
      database: { uri: `sqlite:///${await temporaryFolder(cleanup)}/bench.db`, init_if_not_exists: true },
      ...sections,
    }),
  );
}

/** As the Python client sends it, including the cookie that its first answer sets. */
const CLIENT = { cookie: "tiled_csrf=0123456789abcdef0123456789abcdef" };

export function get(path: string, authorization?: string): Request {
  const headers = authorization === undefined ? {} : { authorization, ...CLIENT };
  return { method: "GET", path, headers, body: "" };
}

function login(provider: string, username: string, password: string): Request {
  return {
    method: "POST",
    path: `/api/v1/auth/provider/${provider}/token`,
    headers: { "content-type": "application/x-www-form-urlencoded", ...CLIENT },
    body: `username=${username}&password=${password}`,
  };
}

export function repeat(port: number, request: Request, plan: Plan): Job {
  return inTurn(port, [request], { ...plan });
}

/** Busy-waiting would take the server's core if the generator has none of its own. */
function inTurn(port: number, requests: readonly Request[], { connections, seconds }: Plan): Job {
  const enough =
    requests.length < connections ? Array<Request>(connections).fill(requests[0] as Request) : requests;
  return { port, seconds, connections, requests: enough, awake: true };
}

/** The credentials of `people` persons, made when a work first needs them. */
class People {
  readonly #url: string;
  readonly #count: number;
  #tokens: Promise<readonly Tokens[]> | undefined;

  constructor(url: string, count: number) {
    this.#url = url;
    this.#count = count;
  }

  /** Of new sessions. */
  newTokens(): Promise<readonly Tokens[]> {
    return inGroups(this.#count, () => newSession(this.#url));
  }

  async bearers(): Promise<readonly string[]> {
    this.#tokens ??= this.newTokens();
    return (await this.#tokens).map(bearer);
  }

  async keys(fields: object = {}): Promise<readonly string[]> {
    const api = new Api(this.#url);
    const bearers = await this.bearers();
    const keys = await inGroups(bearers.length, (index) => api.makeKey(bearers[index] ?? "", fields));
    return keys.map(apikey);
  }
}

export async function jobs({ url, port }: Server, plan: Plan): Promise<Record<Work, () => Promise<Job>>> {
  const people = new People(url, plan.people ?? plan.connections);
  let keys: Promise<readonly string[]> | undefined;
  const withKeys = (path: string) => async () => {
    keys ??= people.keys();
    return inTurn(
      port,
      (await keys).map((key) => get(path, key)),
      plan,
    );
  };
  const withTokens = (path: string) => async () =>
    inTurn(
      port,
      (await people.bearers()).map((token) => get(path, token)),
      plan,
    );
  let caveKeys: Promise<readonly string[]> | undefined;
  return {
    "JWT whoami": withTokens("/api/v1/auth/whoami"),
    "API-key whoami": withKeys("/api/v1/auth/whoami"),
    "API key itself": withKeys("/api/v1/auth/apikey"),
    "data with an API key": withKeys("/api/v1/metadata/A"),
    verify: withTokens("/api/v1/auth/verify"),
    "CAVE's user/cache": async () => {
      caveKeys ??= people.keys({ scopes: ["cave"] });
      const tokens = (await caveKeys).map((key) => key.replace("Apikey", "Bearer"));
      return inTurn(
        port,
        tokens.map((token) => get("/auth/api/v1/user/cache", token)),
        plan,
      );
    },
    // Rotation invalidates old tokens, so each connection refreshes its own sessions.
    refresh: async () => ({
      ...inTurn(
        port,
        (await people.newTokens()).map((tokens) => refreshing(tokens)),
        plan,
      ),
      follow: "refresh",
    }),
    // Many accounts, since one may not log in as often.
    login: async () => ({
      ...inTurn(
        port,
        Object.entries(ACCOUNTS).map(([name, password]) => login("toy", name, password)),
        plan,
      ),
      awake: false,
    }),
  };
}

export function refreshing({ refresh_token }: Tokens, path = "/api/v1/auth/session/refresh"): Request {
  return {
    method: "POST",
    path,
    headers: { "content-type": "application/json", ...CLIENT },
    body: '{"refresh_token":"{token}"}',
    token: refresh_token,
  };
}

/** So many at a time as a pool of clients would. */
async function inGroups<T>(count: number, make: (index: number) => Promise<T>): Promise<readonly T[]> {
  const made: T[] = [];
  while (made.length < count) {
    const next = Array.from({ length: Math.min(16, count - made.length) }, (_, index) => made.length + index);
    made.push(...(await Promise.all(next.map(make))));
  }
  return made;
}

async function newSession(url: string): Promise<Tokens> {
  const { path, body } = login("any", crypto.randomUUID(), "x");
  const response = await fetch(`${url}${path}`, { method: "POST", body: new URLSearchParams(body) });
  if (!response.ok) throw new Error(`login: ${response.status} ${await response.text()}`);
  return (await response.json()) as Tokens;
}

export interface Sample extends Measured {
  /** The server's CPU time, all threads: its share of one core, and microseconds per answer. */
  readonly busy: number;
  readonly cpu: number;
}

export async function measure(server: Server, job: Job, cores: Cores = null): Promise<Sample> {
  const before = server.cpu();
  const measured = await load(job, cores);
  const busy = (server.cpu() - before) / job.seconds;
  const wrong = Object.keys(measured.statuses).filter((status) => !/^20[04]$/.test(status));
  if (wrong.length > 0) throw new Error(`Not only successes: ${JSON.stringify(measured.statuses)}`);
  return { ...measured, busy, cpu: (busy * 1e6) / measured.rate };
}
