/**
 * PostgreSQL for tests: a cluster in a temporary folder on a free port, run by an unprivileged user where the tests run as
 * root (PostgreSQL refuses root). `npm test` starts one for all files and names it in the environment; a file that
 * restarts or configures its server starts a private one.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import pg from "pg";
import { freePort } from "./free-port.ts";

export interface Postgres {
  readonly port: number;
  /** The folder of its socket. */
  readonly folder: string;
  /** The URI of a database of this server. */
  uri(database: string): string;
  /** Makes an empty database (or a copy of another one) and gives its URI. */
  createDatabase(template?: string): Promise<string>;
  query(uri: string, sql: string): Promise<Record<string, unknown>[]>;
}

export interface PrivatePostgres extends Postgres {
  /** Stops the server at once; `start` brings it back on the same port with the same data. */
  halt(): Promise<void>;
  /** From its next start on: its certificate (paths), the lines of its pg_hba.conf, and whether it is a standby. */
  configure(changes: Configuration): void;
  start(): Promise<void>;
  /** Stops it and deletes everything. */
  remove(): Promise<void>;
}

interface Configuration {
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly hba?: readonly string[];
  readonly standby?: boolean;
}

const NOBODY = 65534;
const START_TIMEOUT = 30_000;

/** In the environment: the port and the folder of the server for all files. */
const SHARED = "TILED_AUTH_TEST_POSTGRES";

/** For files that find it there, which are those of processes that start later. */
export function share({ port, folder }: Postgres): void {
  process.env[SHARED] = JSON.stringify({ port, folder });
}

/**
 * The server that all files share, or a private one where none is shared. Databases stay until the server is removed: to
 * drop one costs a checkpoint. Skips the test visibly where there is no PostgreSQL; on CI its absence is a failure.
 */
export async function postgresOrSkip(t: TestContext): Promise<Postgres | undefined> {
  const shared = process.env[SHARED];
  if (shared === undefined) return await privatePostgresOrSkip(t);
  return databases(JSON.parse(shared) as { readonly port: number; readonly folder: string });
}

/** A server that the test may stop and configure. Skips as `postgresOrSkip` does. */
export async function privatePostgresOrSkip(t: TestContext): Promise<PrivatePostgres | undefined> {
  const server = await startPostgres();
  if (server !== undefined) {
    t.after(() => server.remove());
    return server;
  }
  if (process.env["CI"]) throw new Error("No PostgreSQL on this machine: its binaries are needed on CI.");
  t.skip("no PostgreSQL on this machine (looked in PATH and /usr/lib/postgresql/*/bin)");
  return undefined;
}

/** What is done with a server that runs. */
function databases(place: { readonly port: number; readonly folder: string }): Postgres {
  const uri = (database: string) => `postgresql://tests@127.0.0.1:${place.port}/${database}`;
  const query = async (at: string, sql: string) => {
    const client = new pg.Client({ connectionString: at });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query(sql)).rows ?? [];
    } finally {
      await client.end();
    }
  };
  return {
    ...place,
    uri,
    query,
    createDatabase: async (template) => {
      const name = `db_${randomBytes(6).toString("hex")}`;
      const from = template === undefined ? "" : ` template ${template}`;
      await query(uri("postgres"), `create database ${name}${from}`);
      return uri(name);
    },
  };
}

/** `settings`: of its configuration; without any it is fast and forgets what it has when the machine does. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<PrivatePostgres | undefined> {
  const bin = findBinaries();
  if (bin === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tiled-auth-postgres-"));
  const data = join(folder, "data");
  const owner = unprivileged();
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid);
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
    {
      ...owner,
      cwd: folder,
      stdio: "ignore",
    },
  );
  const port = await freePort();
  let child: ChildProcess | undefined;
  let tls: Readonly<Record<string, string>> = {};
  const kill = () => child?.kill("SIGQUIT");
  process.on("exit", kill);

  const { uri, query, createDatabase } = databases({ port, folder });

  const server: PrivatePostgres = {
    port,
    folder,
    uri,
    query,
    createDatabase,
    halt: async () => {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null) return;
      const ended = new Promise((resolve) => running.once("exit", resolve));
      running.kill("SIGQUIT");
      await ended;
    },
    configure: ({ tls: paths, hba, standby }) => {
      if (standby === true) writeFileSync(join(data, "standby.signal"), "");
      if (standby === false) rmSync(join(data, "standby.signal"), { force: true });
      if (hba !== undefined) writeFileSync(join(data, "pg_hba.conf"), `${hba.join("\n")}\n`);
      if (paths === undefined) return;
      const copy = (path: string) => {
        const mine = join(folder, basename(path));
        writeFileSync(mine, readFileSync(path), { mode: 0o600 });
        if (owner.uid !== undefined && owner.gid !== undefined) chownSync(mine, owner.uid, owner.gid);
        return mine;
      };
      tls = {
        ssl: "on",
        ssl_cert_file: copy(paths.cert),
        ssl_key_file: copy(paths.key),
        ssl_ca_file: copy(paths.ca),
      };
    },
    start: async () => {
      const all = {
        ...tls,
        listen_addresses: "127.0.0.1",
        unix_socket_directories: folder,
        max_connections: "200",
        fsync: "off",
        ...settings,
      };
      const options = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
      child = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), ...options], {
        ...owner,
        cwd: folder,
        stdio: "ignore",
      });
      // Refused by pg_hba.conf it is ready, too.
      const refused = (error: { code?: string }) => assert.equal(error.code, "28000");
      await ready(() => query(uri("postgres"), "select 1").catch(refused));
    },
    remove: async () => {
      await server.halt();
      process.off("exit", kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** The newest version wins. */
function findBinaries(): string | undefined {
  const packaged = "/usr/lib/postgresql";
  const versions = existsSync(packaged) ? readdirSync(packaged) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(packaged, version, "bin"));
  folders.push(...(process.env["PATH"] ?? "").split(delimiter));
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

export function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  try {
    const id = (flag: string) =>
      Number(execFileSync("id", [flag, "postgres"], { stdio: ["ignore", "pipe", "ignore"] }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return { uid: NOBODY, gid: NOBODY };
  }
}

export async function ready(attempt: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
