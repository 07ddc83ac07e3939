/**
 * `npm run bench:scale`: compares what each operation costs in a database with a million principals, two million sessions and
 * five million API keys with one of a thousand principals. `--principals N` sets the size; `--database postgresql` uses a
 * private PostgreSQL instead of SQLite files. Both servers are warmed up, and both databases fit into memory. One request at a
 * time, alternating, medians; each operation uses a row only once, so no server answers from a cache.
 */
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Sqlite from "better-sqlite3";
import { forge } from "../test/exchanges/forge.ts";
import { Api, bearer, type Tokens } from "../test/support/api.ts";
import { configurationFile, temporaryFolder } from "../test/support/folders.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { run } from "../test/support/process.ts";
import { PASSWORDS, SECRET_KEY, toy } from "../test/support/toy.ts";
import { Connection, type Counts, type Request } from "./connection.ts";
import { fill, firstEightOf, ownerOf, type Sizes, secretOf, userOf, uuidOf } from "./fill.ts";
import { fillPostgres, SETTINGS } from "./fill-postgres.ts";
import { OURS, type Server, startOurs } from "./servers.ts";
import { median, number, table } from "./table.ts";
import { cave } from "./work.ts";

const { values: options } = parseArgs({
  options: {
    principals: { type: "string", default: "1000000" },
    database: { type: "string", default: "sqlite" },
    rounds: { type: "string", default: "45" },
    markdown: { type: "boolean", default: false },
  },
});
const SMALL = 1000;
const GOAL = 1.2;
/** Of a group of CAVE's. */
const MEMBERS = 10_000;
/** Rounds per operation, and requests per round at each server. */
const ROUNDS = Number(options.rounds);
const REQUESTS = 20;
if ((ROUNDS + 1) * REQUESTS > SMALL) throw new Error("There are fewer rows than requests.");

const last: (() => Promise<unknown>)[] = [];
const cleanup = (work: () => Promise<unknown>) => void last.push(work);
const say = (text: string) => (options.markdown ? undefined : console.error(text));

interface Databases {
  /** The URI of a new database. */
  uri(): Promise<string>;
  fill(uri: string, sizes: Sizes): void | Promise<void>;
  /**
   * Reads the whole database into memory again, since some machines drop what was not used for a minute, and lets the server
   * forget what it knows: a thousand people fit into its caches, a million do not.
   */
  recall(uri: string): Promise<void>;
}

/** By kind; undefined: not available on this machine. */
const DATABASES: Readonly<Record<string, () => Promise<Databases | undefined>>> = {
  sqlite: async () => ({
    uri: async () => `sqlite:///${await temporaryFolder(cleanup)}/scale.db`,
    fill: (uri, sizes) => fill(pathOf(uri), sizes),
    recall: async (uri) => {
      const database = new Sqlite(pathOf(uri));
      database.pragma(`user_version = ${Date.now() % 1_000_000}`);
      database.close();
      await once(createReadStream(pathOf(uri), { highWaterMark: 2 ** 22 }).resume(), "close");
    },
  }),
  postgresql: async () => {
    const server = await startPostgres(SETTINGS);
    if (server === undefined) return undefined;
    cleanup(() => server.remove());
    // Its shared buffers hold all of it, and the server remembers nothing for longer than half a second.
    return { uri: () => server.createDatabase(), fill: fillPostgres, recall: async () => {} };
  },
};

const pathOf = (uri: string) => uri.replace("sqlite:///", "");

interface Deployment {
  readonly uri: string;
  readonly sizes: Sizes;
  readonly server: Server;
  /** Replaces the server with one whose access policy reads the state of the newest login. */
  guard(): Promise<Server>;
  /** Tokens of an administrator, from a real login. */
  readonly tokens: Tokens;
}

async function deploy(databases: Databases, principals: number): Promise<Deployment> {
  const sizes = { principals, sessions: 2 * principals, keys: 5 * principals };
  const uri = await databases.uri();
  const args = { users_to_passwords: PASSWORDS };
  const config = toy({
    authentication: {
      providers: [
        { provider: "toy", authenticator: "tiled.authenticators:DictionaryAuthenticator", args },
        { provider: "any", authenticator: "tiled.authenticators:DummyAuthenticator" },
      ],
    },
    database: { uri },
    cave: cave(Math.min(MEMBERS, principals)),
  });
  const { code, stderr } = await run([...OURS, "admin", "initialize-database", uri]);
  if (code !== 0) throw new Error(stderr);
  const began = performance.now();
  await databases.fill(uri, sizes);
  say(`${number(principals)} principals: filled in ${number((performance.now() - began) / 1000)} s`);
  const start = async (sections: object) => {
    const server = await startOurs(await configurationFile(cleanup, { ...config, ...sections }));
    cleanup(() => server.stop());
    return server;
  };
  const server = await start({});
  const guard = async () => {
    await server.stop();
    return start({ access_control: POLICY });
  };
  return { uri, sizes, server, guard, tokens: await new Api(server.url).login("alice") };
}

const POLICY = {
  access_policy: "tiled.access_control.access_policies:TagBasedAccessPolicy",
  args: {
    provider: "any",
    tag_definitions: fileURLToPath(new URL("../example_configs/tag_definitions.yml", import.meta.url)),
    groups_claim: "groups",
  },
};

/** `row`: a number that was not used before, of 1 to the number of principals. */
type Operation = (deployment: Deployment, row: number) => Request;

const request = (method: string, path: string, authorization: string, json?: object): Request => ({
  method,
  path: `/api/v1${path}`,
  headers: { authorization, cookie: "tiled_csrf=x", ...(json && { "content-type": "application/json" }) },
  body: json === undefined ? "" : JSON.stringify(json),
});

const keyOf = ({ sizes }: Deployment, row: number) => `Apikey ${secretOf(row, sizes)}`;

/** An access token of the person that the session belongs to. */
function accessTokenOf({ tokens, sizes }: Deployment, session: number): string {
  const owner = ownerOf(session, sizes);
  const set = {
    sub: uuidOf(owner).replaceAll("-", ""),
    sid: uuidOf(session).replaceAll("-", ""),
    ids: [{ id: userOf(owner), idp: "any" }],
  };
  return `Bearer ${forge(tokens.access_token, { set }, SECRET_KEY)}`;
}

/** A refresh token as the real Tiled would have issued it. */
function refreshTokenOf({ tokens }: Deployment, session: number): object {
  const set = { sid: uuidOf(session).replaceAll("-", "") };
  return { refresh_token: forge(tokens.refresh_token, { set, without: ["gen", "jti"] }, SECRET_KEY) };
}

const login = (username: string): Request => ({
  method: "POST",
  path: "/api/v1/auth/provider/any/token",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: `username=${username}&password=x`,
});

/** Each operation uses its own keys and sessions: there are five times and twice as many as principals. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  "API-key whoami": (at, row) => request("GET", "/auth/whoami", keyOf(at, row)),
  "data with an API key": (at, row) =>
    request("GET", "/metadata/?fields=", keyOf(at, row + at.sizes.principals)),
  "JWT whoami": (at, row) => request("GET", "/auth/whoami", accessTokenOf(at, row)),
  // Keys of the warm-up, of which nothing is remembered after `recall`.
  "CAVE's user/cache": (at, row) => ({
    ...request("GET", "", `Bearer ${secretOf(row + 4 * at.sizes.principals, at.sizes)}`),
    path: "/auth/api/v1/user/cache",
  }),
  login: (_at, row) => login(userOf(row)),
  "first login": (_at, row) => login(`new-${row}`),
  refresh: (at, row) =>
    request("POST", "/auth/session/refresh", "", refreshTokenOf(at, row + at.sizes.principals)),
  "revoke a session": (at, row) => request("POST", "/auth/session/revoke", "", refreshTokenOf(at, row)),
  "make an API key": (at, row) =>
    request("POST", "/auth/apikey", keyOf(at, row + 2 * at.sizes.principals), {
      expires_in: null,
      scopes: null,
    }),
  "delete an API key": (at, row) => {
    const key = row + 3 * at.sizes.principals;
    return request("DELETE", `/auth/apikey?first_eight=${firstEightOf(key, at.sizes)}`, keyOf(at, key));
  },
  "show a principal": (at, row) => request("GET", `/auth/principal/${uuidOf(row)}`, bearer(at.tokens)),
  "list principals": (at) => request("GET", "/auth/principal?page[limit]=100", bearer(at.tokens)),
  "list principals, last page": (at) =>
    request(
      "GET",
      `/auth/principal?page[limit]=100&page[offset]=${at.sizes.principals - 100}`,
      bearer(at.tokens),
    ),
};

/** For servers with a policy: new ones, which have not cached any of these keys. */
const GUARDED: Readonly<Record<string, Operation>> = {
  "data by groups of the newest login": (at, row) =>
    request("GET", "/metadata/?fields=", keyOf(at, row + at.sizes.principals)),
};

/**
 * Number of requests, with keys and sessions that are not measured; a few more sessions for a thousand people do not matter.
 */
const WARM_UPS: readonly (readonly [number, Operation])[] = [
  [3000, (at, row) => request("GET", "/auth/whoami", keyOf(at, row + 4 * at.sizes.principals))],
  [3000, (at, row) => request("GET", "/auth/whoami", accessTokenOf(at, row + at.sizes.principals))],
  [1000, (at, row) => request("GET", `/auth/principal/${uuidOf(row)}`, bearer(at.tokens))],
  [400, (_at, row) => login(userOf(row))],
];

/** Sends the requests one by one; returns the milliseconds of each. */
async function measure(port: number, requests: readonly Request[]): Promise<number[]> {
  const counts: Counts = { latencies: [], statuses: {} };
  const left = requests.values();
  await new Connection(port, () => left.next().value ?? null, 0, counts).ended;
  const wrong = Object.keys(counts.statuses).filter((status) => !status.startsWith("2"));
  if (wrong.length > 0) throw new Error(`Not only successes: ${JSON.stringify(counts.statuses)}`);
  return counts.latencies;
}

/** A permutation of 1 to `count` in which neighbours are far apart. */
function farApart(turn: number, count: number): number {
  const STEP = 7919; // a prime, so it divides none of the usual sizes
  return 1 + ((turn * STEP) % count);
}

/** Lets a server compile its hot code and load the upper levels of its indexes. */
async function warmUp(deployment: Deployment, operations: typeof WARM_UPS): Promise<void> {
  const { principals } = deployment.sizes;
  for (const [count, operation] of operations) {
    const requests = Array.from({ length: count }, (_, turn) =>
      operation(deployment, farApart(turn, principals)),
    );
    await measure(deployment.server.port, requests);
  }
}

/** The medians of each deployment, in milliseconds. */
async function compare(
  databases: Databases,
  operation: Operation,
  deployments: readonly Deployment[],
): Promise<number[]> {
  for (const { uri } of deployments) await databases.recall(uri);
  // Past the rows used for the warm-up, if there are that many.
  const sides = deployments.map((deployment) => ({ deployment, turn: 10_000, times: [] as number[] }));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const side of round % 2 ? sides : sides.toReversed()) {
      const requests = Array.from({ length: REQUESTS }, () =>
        operation(side.deployment, farApart(side.turn++, side.deployment.sizes.principals)),
      );
      const times = await measure(side.deployment.server.port, requests);
      if (round > 0) side.times.push(...times); // the first round is a warm-up
    }
  }
  return sides.map(({ times }) => median(times));
}

async function main(databases: Databases): Promise<string> {
  const small = await deploy(databases, SMALL);
  const big = await deploy(databases, Number(options.principals));
  const rows = [
    ["operation", `with ${number(SMALL)}`, `with ${number(big.sizes.principals)}`, "ratio", `≤ ${GOAL}`],
  ];
  const compareAll = async (
    operations: Readonly<Record<string, Operation>>,
    warmUps: typeof WARM_UPS,
    deployments: readonly Deployment[],
  ) => {
    for (const deployment of deployments) await warmUp(deployment, warmUps);
    for (const [name, operation] of Object.entries(operations)) {
      const [little = Number.NaN, much = Number.NaN] = await compare(databases, operation, deployments);
      const met = much / little <= GOAL;
      if (!met) process.exitCode = 1;
      rows.push([
        name,
        `${number(little)} ms`,
        `${number(much)} ms`,
        number(much / little),
        met ? "yes" : "no",
      ]);
      say(`${name}: ${number(much / little)}`);
    }
  };
  await compareAll(OPERATIONS, WARM_UPS, [small, big]);
  const guarded: Deployment[] = [];
  for (const deployment of [small, big]) guarded.push({ ...deployment, server: await deployment.guard() });
  const warmUps = Object.values(GUARDED).map((operation) => [3000, operation] as const);
  await compareAll(GUARDED, warmUps, guarded);
  return `${table(rows)}\n\n${options.database}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
}

try {
  const databases = await DATABASES[options.database]?.();
  if (databases === undefined) {
    console.error(
      `No database of the kind "${options.database}" on this machine: one of ${Object.keys(DATABASES).join(", ")}, and for postgresql its binaries in PATH or in /usr/lib/postgresql/*/bin.`,
    );
    process.exitCode = 1;
  } else console.log(await main(databases));
} finally {
  for (const work of last.reverse()) await work();
}
