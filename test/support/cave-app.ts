/** An application that speaks CAVE, with a few people, groups and datasets, and tokens of both kinds. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { LightMyRequestResponse } from "fastify";
import { CaveRulesInForce } from "../../src/domain/cave/rules.ts";
import type { CaveDataset, CaveGroup, CaveSettings } from "../../src/domain/model/cave.ts";
import { sha256 } from "../../src/lib/secrets.ts";
import { parseUuid, type Uuid } from "../../src/lib/uuid.ts";
import { bearer, caveConfig, type TestApp, type TestAppOptions, testApp, type UserName } from "./app.ts";

export const ADDRESS = "https://cave.example.org";
export const VIEWER = "https://viewer.example.org";
export const REALM = `Bearer realm="${ADDRESS}/sticky_auth/api/v1/authorize"`;

const TERMS = { id: 2, name: "microns", text: "Be kind." };

function dataset(id: number, name: string, more: Partial<CaveDataset> = {}): CaveDataset {
  return { id, name, tos: null, admins: [], tables: new Map(), ...more };
}

function group(id: number, name: string, more: Partial<CaveGroup> = {}): CaveGroup {
  return { id, name, everyone: false, members: [], admins: [], permissions: new Map(), ...more };
}

export const alice = { provider: "toy", id: "alice" };
const bob = { provider: "toy", id: "bob" };

/** Alice is a superadmin, Bob an admin of a group and a dataset, Cara is in no group but that of everyone. */
export const RULES: Partial<CaveSettings> = {
  admins: [alice],
  origins: [VIEWER],
  tos: [TERMS],
  datasets: [
    dataset(1, "minnie", {
      admins: [bob],
      tables: new Map([
        ["datastack", ["minnie65"]],
        ["pychunkedgraph", ["minnie3_v1"]],
      ]),
    }),
    dataset(2, "closed", { tos: TERMS }),
    dataset(3, "__proto__", { tables: new Map([["datastack", ["odd table"]]]) }),
  ],
  groups: [
    group(1, "all", { everyone: true, permissions: new Map([["minnie", ["view"]]]) }),
    group(2, "proofreaders", {
      members: [alice],
      admins: [bob],
      permissions: new Map([
        ["minnie", ["view", "edit"]],
        ["closed", ["view"]],
        ["__proto__", ["admire"]],
      ]),
    }),
  ],
};

export interface CaveApp extends TestApp {
  readonly rules: CaveRulesInForce;
  /** A GET with a token. */
  get(path: string, token: string): Promise<LightMyRequestResponse>;
  /** An API token of 32 digits. */
  apiToken(user: UserName): Promise<string>;
  /** A login token, as a browser is handed one. */
  loginToken(user: UserName, seconds?: number): Promise<string>;
  /** The token of a new service. */
  serviceToken(): Promise<{ readonly token: string; readonly uuid: Uuid }>;
}

export const API = "/auth/api/v1";

export async function caveApp(options: TestAppOptions = {}): Promise<CaveApp & AsyncDisposable> {
  const cave = options.cave ?? RULES;
  const rules = new CaveRulesInForce(caveConfig(cave).rules);
  const t = await testApp({ ...options, cave, caveRules: rules });
  return Object.assign(t, {
    rules,
    get: (path: string, token: string) => t.call({ url: API + path, headers: bearer(token) }),
    apiToken: (user: UserName) => apiToken(t, user),
    loginToken: (user: UserName, seconds?: number) => loginToken(t, user, seconds),
    serviceToken: () => serviceToken(t),
  });
}

async function apiToken(t: TestApp, user: UserName): Promise<string> {
  const { access_token } = await t.login(user);
  const key = await t.makeKey(access_token, { scopes: ["cave"], note: "to begin with" });
  const made = await t.call({ method: "POST", url: `${API}/user/token`, headers: bearer(key) });
  assert.equal(made.statusCode, 200, made.body);
  const revoked = await t.call({
    method: "DELETE",
    url: `${API}/user/token/${Number.parseInt(key.slice(0, 8), 16)}`,
    headers: bearer(key),
  });
  assert.equal(revoked.statusCode, 200, revoked.body);
  return made.json<string>();
}

async function loginToken(t: TestApp, user: UserName, seconds = 86_400): Promise<string> {
  const { access_token } = await t.login(user);
  const who = await t.whoami(`Bearer ${access_token}`);
  const { uuid, sessions } = who.json<{ uuid: string; sessions: { uuid: string }[] }>();
  const secret = randomBytes(16);
  const now = t.clock.now();
  await t.store?.cave.openLogin({
    digest: sha256(secret),
    principal: known(uuid),
    session: known(sessions.at(-1)?.uuid ?? ""),
    origin: VIEWER,
    expirationTime: new Date(now + seconds * 1000),
    limit: 100,
    now: new Date(now),
    context: { address: null, requestId: null, actor: null },
  });
  return secret.toString("hex");
}

async function serviceToken(t: TestApp): Promise<{ readonly token: string; readonly uuid: Uuid }> {
  const admin = bearer((await t.login("alice")).access_token);
  const url = "/api/v1/auth/principal";
  const made = await t.call({ method: "POST", url: `${url}?role=user`, headers: admin });
  const { uuid } = made.json<{ uuid: string }>();
  const key = await t.call({
    method: "POST",
    url: `${url}/${uuid}/apikey`,
    headers: admin,
    payload: { expires_in: null, scopes: ["cave"] },
  });
  assert.equal(key.statusCode, 200, key.body);
  return { token: key.json<{ secret: string }>().secret, uuid: known(uuid) };
}

function known(text: string): Uuid {
  const uuid = parseUuid(text);
  assert.ok(uuid, text);
  return uuid;
}
