/**
 * The yardstick: bare Fastify with the least work that a request cannot do without. `node bare.ts BODY FOLDER PORT`.
 *
 * `GET /` answers with the JSON of the file BODY, which is as large as the answer it is compared with. `POST /refresh` checks a
 * signature, commits one durable update to a database in FOLDER on a thread, and signs two tokens. No log, schema or audit.
 */
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import Sqlite from "better-sqlite3";
import Fastify from "fastify";

const ROWS = 10_000;

function openDatabase(folder: string): Sqlite.Database {
  const database = new Sqlite(join(folder, "bare.db"));
  database.pragma("journal_mode = wal");
  database.pragma("synchronous = full");
  return database;
}

/** Commits what it is sent, all that has arrived meanwhile at once. */
function write(): void {
  const database = openDatabase(workerData as string);
  const update = database.prepare(
    "update sessions set refresh_count = refresh_count + 1, time = ? where id = ?",
  );
  const all = database.transaction((ids: readonly number[]) => {
    const now = new Date().toISOString();
    for (const id of ids) update.run(now, id);
  });
  parentPort?.on("message", (ids: readonly number[]) => {
    all(ids);
    parentPort?.postMessage(ids.length);
  });
}

class Batches {
  readonly #worker: Worker;
  #gathering: { readonly id: number; readonly done: () => void }[] = [];
  #busy = false;

  constructor(folder: string) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: folder });
  }

  commit(id: number): Promise<void> {
    return new Promise((done) => {
      this.#gathering.push({ id, done });
      if (!this.#busy && this.#gathering.length === 1) setImmediate(() => this.#send());
    });
  }

  #send(): void {
    const batch = this.#gathering;
    if (this.#busy || batch.length === 0) return;
    [this.#gathering, this.#busy] = [[], true];
    this.#worker.once("message", () => {
      this.#busy = false;
      for (const { done } of batch) done();
      this.#send();
    });
    this.#worker.postMessage(batch.map(({ id }) => id));
  }
}

const KEY = "bare-secret-key";
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const mac = (text: string) => createHmac("sha256", KEY).update(text).digest();
const HEADER = encoded({ alg: "HS256", typ: "JWT" });

function sign(claims: object): string {
  const text = `${HEADER}.${encoded(claims)}`;
  return `${text}.${mac(text).toString("base64url")}`;
}

function verify(token: string): { readonly sub: string } {
  const dot = token.lastIndexOf(".");
  const given = Buffer.from(token.slice(dot + 1), "base64url");
  const made = mac(token.slice(0, dot));
  if (given.length !== made.length || !timingSafeEqual(given, made)) throw new Error("refused");
  return JSON.parse(Buffer.from(token.slice(HEADER.length + 1, dot), "base64url").toString());
}

/** Tokens as large as those of this server. */
function tokensFor(sub: string): object {
  const now = Math.floor(Date.now() / 1000);
  const scp = ["read:metadata", "read:data", "write:metadata", "write:data", "create:node", "apikeys"];
  const ids = [{ id: "alice", idp: "toy" }];
  return {
    access_token: sign({ sub, scp, ids, state: {}, exp: now + 900, type: "access" }),
    expires_in: 900,
    refresh_token: sign({ sub, type: "refresh", sid: sub, gen: randomUUID(), exp: now + 604_800 }),
    refresh_token_expires_in: 604_800,
    token_type: "bearer",
  };
}

async function serve(): Promise<void> {
  const [file = "", folder = "", port = ""] = process.argv.slice(2);
  const body = JSON.parse(readFileSync(file, "utf8"));
  const database = openDatabase(folder);
  database.exec("create table sessions (id integer primary key, refresh_count integer default 0, time text)");
  const insert = database.prepare("insert into sessions (id) values (?)");
  database.transaction(() => {
    for (let id = 0; id < ROWS; id++) insert.run(id);
  })();
  const batches = new Batches(folder);
  let turn = 0;
  const app = Fastify();
  app.get("/", async () => body);
  app.get("/token", async () => tokensFor(randomUUID()));
  app.post("/refresh", async (request) => {
    const { sub } = verify((request.body as { refresh_token: string }).refresh_token);
    await batches.commit(turn++ % ROWS);
    return tokensFor(sub);
  });
  app.get("/healthz", async () => ({ status: "ready" }));
  process.once("SIGTERM", () => process.exit());
  await app.listen({ host: "127.0.0.1", port: Number(port) });
}

if (isMainThread) await serve();
else write();
