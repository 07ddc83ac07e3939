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
import { load, type Server } from "./servers.ts";

export const WORKS = ["JWT whoami", "API-key whoami", "CAVE's user/cache", "refresh", "login"] as const;
export type Work = (typeof WORKS)[number];
/** Only where the configuration has CAVE's section; the real Tiled has no such routes. */
export const CAVE_ONLY: ReadonlySet<string> = new Set<Work>(["CAVE's user/cache"]);

export interface Plan {
  readonly connections: number;
  readonly seconds: number;
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

/** The provider `any` accepts every name, so each session has its own principal. `sections`: more of the configuration. */
export async function deployment(cleanup: Cleanup, sections: object = {}): Promise<string> {
  const args = { users_to_passwords: PASSWORDS };
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

const LOGIN: Request = {
  method: "POST",
  path: "/api/v1/auth/provider/any/token",
  headers: { "content-type": "application/x-www-form-urlencoded", ...CLIENT },
  body: "username={n}&password=x",
};

export function repeat(port: number, request: Request, { connections, seconds }: Plan): Job {
  return { port, seconds, requests: Array.from({ length: connections }, () => request), awake: true };
}

export async function jobs({ url, port }: Server, plan: Plan): Promise<Record<Work, () => Promise<Job>>> {
  const api = new Api(url);
  const jwt = bearer(await api.login("alice"));
  const key = apikey(await api.makeKey(bearer(await api.login("bob"))));
  return {
    "JWT whoami": async () => repeat(port, get("/api/v1/auth/whoami", jwt), plan),
    "API-key whoami": async () => repeat(port, get("/api/v1/auth/whoami", key), plan),
    "CAVE's user/cache": async () => {
      const { secret } = await api.makeKey(bearer(await api.login("cara")), { scopes: ["cave"] });
      return repeat(port, get("/auth/api/v1/user/cache", `Bearer ${secret}`), plan);
    },
    // Rotation invalidates old tokens, so each connection refreshes its own session.
    refresh: async () => ({
      port,
      seconds: plan.seconds,
      requests: await Promise.all(Array.from({ length: plan.connections }, () => newSession(url))),
      follow: "refresh",
    }),
    login: async () => ({ ...repeat(port, LOGIN, plan), follow: "count", awake: false }),
  };
}

async function newSession(url: string): Promise<Request> {
  const body = new URLSearchParams({ username: crypto.randomUUID(), password: "x" });
  const response = await fetch(`${url}${LOGIN.path}`, { method: "POST", body });
  const { refresh_token } = (await response.json()) as Tokens;
  return {
    method: "POST",
    path: "/api/v1/auth/session/refresh",
    headers: { "content-type": "application/json", ...CLIENT },
    body: JSON.stringify({ refresh_token }),
  };
}

export interface Sample extends Measured {
  /** The server's CPU time, all threads: its share of one core, and microseconds per answer. */
  readonly busy: number;
  readonly cpu: number;
}

export async function measure(server: Server, job: Job): Promise<Sample> {
  const before = server.cpu();
  const measured = await load(job);
  const busy = (server.cpu() - before) / job.seconds;
  const wrong = Object.keys(measured.statuses).filter((status) => status !== "200");
  if (wrong.length > 0) throw new Error(`Not only successes: ${JSON.stringify(measured.statuses)}`);
  return { ...measured, busy, cpu: (busy * 1e6) / measured.rate };
}
