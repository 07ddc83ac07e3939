/**
 * Several of our servers on one PostgreSQL: what is done at one counts at the other, and a restart of the database
 * under load loses nothing that was acknowledged.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Api, apikey, bearer, type Key, type Tokens } from "../support/api.ts";
import { eventually } from "../support/eventually.ts";
import { startOurs } from "../support/ours.ts";
import { type PrivatePostgres, privatePostgresOrSkip } from "../support/postgres.ts";
import { toy } from "../support/toy.ts";

interface Deployment {
  readonly postgres: PrivatePostgres;
  readonly uri: string;
  readonly one: Api;
  readonly other: Api;
}

/** Two servers that start at the same moment on an empty database. */
async function deploy(t: TestContext): Promise<Deployment | undefined> {
  const postgres = await privatePostgresOrSkip(t);
  if (postgres === undefined) return undefined;
  const cleanup = t.after.bind(t);
  const uri = await postgres.createDatabase();
  // The load makes more keys than one person may usually have.
  const authentication = { api_key_limit: 10_000 };
  const config = toy({ authentication, database: { uri, init_if_not_exists: true } });
  const [one, other] = await Promise.all([startOurs(cleanup, config), startOurs(cleanup, config)]);
  return { postgres, uri, one: new Api(one.url), other: new Api(other.url) };
}

const TIMEOUT = { timeout: 120_000 };

test("login at one, use and revoke at the other", TIMEOUT, async (t) => {
  const servers = await deploy(t);
  if (servers === undefined) return;
  const { one, other } = servers;
  const admin = bearer(await one.login("alice"));

  await t.test("an access token, a refresh token and a key are good at both", async () => {
    const tokens = await one.login("bob");
    assert.equal((await other.whoami(bearer(tokens))).status, 200);
    const refreshed = await other.refresh(tokens);
    assert.equal(refreshed.status, 200);
    const key = await other.makeKey(bearer(refreshed.body));
    assert.equal((await one.whoami(apikey(key))).status, 200);
  });

  await t.test("a revoked session ends at the other within a second", async () => {
    const tokens = await one.login("bob");
    assert.equal((await other.whoami(bearer(tokens))).status, 200);
    assert.equal((await one.revoke(tokens)).status, 204);
    assert.equal((await other.refresh(tokens)).status, 401);
    await refusedWithinASecond(other, bearer(tokens));
  });

  await t.test("a deleted key ends at the other within a second", async () => {
    const tokens = await one.login("bob");
    const key = await one.makeKey(bearer(tokens));
    assert.equal((await other.whoami(apikey(key))).status, 200);
    assert.equal((await one.deleteKey(bearer(tokens), key)).status, 204);
    await refusedWithinASecond(other, apikey(key));
  });

  await t.test("a disabled principal ends at the other within a second, and comes back", async () => {
    const tokens = await other.login("cara");
    const key = await other.makeKey(bearer(tokens));
    const { uuid } = (await other.whoami(bearer(tokens))).body;
    assert.equal((await one.call("POST", `/auth/principal/${uuid}/disable`, admin)).status, 204);
    await refusedWithinASecond(other, bearer(tokens));
    await refusedWithinASecond(other, apikey(key));
    assert.equal((await other.refresh(tokens)).status, 401);
    assert.equal((await other.call("POST", `/auth/principal/${uuid}/enable`, admin)).status, 204);
    assert.ok((await one.login("cara")).access_token);
  });

  await t.test(
    "sixteen refreshes with the same token at once, at both: one and the same next token",
    async () => {
      const tokens = await one.login("bob");
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) => (index % 2 ? one : other).refresh(tokens)),
      );
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1);
      const [left] = answers.map(({ body }) => body);
      assert.ok(left);
      // They share the login: the newest token stays, so that none of them is left behind.
      const next = await other.refresh(left);
      assert.deepEqual([next.status, next.body.refresh_token], [200, left.refresh_token]);
      assert.equal((await one.refresh(tokens)).body.refresh_token, left.refresh_token);
    },
  );

  await t.test("a token that was exchanged before the last one ends the login at both", async () => {
    const tokens = await one.login("bob");
    const second = await other.refresh(tokens);
    const third = await one.refresh(second.body);
    assert.equal(third.status, 200);
    assert.equal((await one.refresh(tokens)).status, 401);
    await refusedWithinASecond(other, bearer(third.body));
  });

  await t.test("failed logins at one count at the other", async () => {
    const attempt = async (api: Api) => {
      const body = new URLSearchParams({ username: "mallory", password: "guess" });
      return (await fetch(`${api.url}/api/v1/auth/provider/toy/token`, { method: "POST", body })).status;
    };
    const statuses = [];
    for (let number = 0; number < 12; number++) statuses.push(await attempt(number % 2 ? one : other));
    assert.equal(statuses[0], 401);
    assert.equal(statuses.at(-1), 429);
  });
});

test("PostgreSQL restarts under load", TIMEOUT, async (t) => {
  const servers = await deploy(t);
  if (servers === undefined) return;
  const { postgres, uri, one, other } = servers;
  const workers = await Promise.all(
    Array.from(
      { length: 12 },
      async (_none, index) => new Worker(index % 2 ? one : other, await one.login("bob")),
    ),
  );
  const reader = await one.login("alice");
  const read = () => one.call("GET", "/metadata/", bearer(reader));
  assert.equal((await read()).status, 200);

  const load = Promise.all(workers.map((worker) => worker.work()));
  const enough = async () => workers.every(({ kept, deleted }) => kept.length > 0 && deleted.length > 0);
  assert.ok(await eventually(30, enough), "the load began");
  await postgres.halt();
  await delay(1000);
  await t.test("without the database, who was let in before goes on reading", async () => {
    assert.equal((await read()).status, 200);
  });
  await t.test("without the database, a login is answered with 503", async () => {
    await assert.rejects(other.login("cara"), /503/);
  });
  await postgres.start();
  await t.test("both servers recover by themselves", async () => {
    for (const api of [one, other])
      assert.ok(await eventually(10, async () => (await read()).status === 200 && works(api)));
  });
  await delay(500);
  for (const worker of workers) worker.stop();
  await load;

  const statuses = new Set(workers.flatMap(({ refused }) => refused));
  await t.test("what could not be written was refused with 503, nothing else", () => {
    assert.deepEqual([...statuses], [503]);
  });
  await t.test("no acknowledged key is lost, no deleted one is back", async () => {
    const rows = await postgres.query(uri, "select first_eight from api_keys");
    const stored = new Set(rows.map((row) => row["first_eight"]));
    const kept = workers.flatMap((worker) => worker.kept);
    const deleted = workers.flatMap((worker) => worker.deleted);
    assert.deepEqual(
      kept.filter((key) => !stored.has(key)),
      [],
    );
    assert.deepEqual(
      deleted.filter((key) => stored.has(key)),
      [],
    );
  });
  await t.test("every session goes on", async () => {
    for (const worker of workers) assert.equal((await other.refresh(worker.tokens)).status, 200);
  });
});

/** Makes keys, deletes every second one and refreshes, as fast as it is answered, and remembers what was acknowledged. */
class Worker {
  readonly kept: string[] = [];
  readonly deleted: string[] = [];
  readonly refused: number[] = [];
  readonly #api: Api;
  #running = true;
  tokens: Tokens;

  constructor(api: Api, tokens: Tokens) {
    this.#api = api;
    this.tokens = tokens;
  }

  stop(): void {
    this.#running = false;
  }

  async work(): Promise<void> {
    for (let turn = 0; this.#running; turn++) {
      if (turn % 3 === 2) await this.#refresh();
      else await this.#key(turn % 3 === 0);
    }
  }

  async #key(keep: boolean): Promise<void> {
    const made = await this.#api.call<Key>("POST", "/auth/apikey", bearer(this.tokens), {
      expires_in: null,
      scopes: [],
    });
    if (made.status !== 200) return this.#refuse(made.status);
    const key = made.body.first_eight;
    if (keep) return void this.kept.push(key);
    const { status } = await this.#api.deleteKey(bearer(this.tokens), made.body);
    if (status === 204) this.deleted.push(key);
    else this.#refuse(status);
  }

  async #refresh(): Promise<void> {
    const { status, body } = await this.#api.refresh(this.tokens);
    if (status === 200) this.tokens = body;
    else this.#refuse(status);
  }

  #refuse(status: number): void {
    this.refused.push(status);
  }
}

async function refusedWithinASecond(api: Api, credential: string): Promise<void> {
  assert.ok(await eventually(1, async () => (await api.whoami(credential)).status === 401));
}

async function works(api: Api): Promise<boolean> {
  return (await fetch(`${api.url}/healthz`)).ok;
}
