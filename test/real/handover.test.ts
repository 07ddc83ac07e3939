/**
 * A deployment is handed over: a database made by the real Tiled, with its secret keys, is served by ours, goes back to
 * the real Tiled, and is served by both at once. Every key, token and session keeps working throughout.
 */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import Sqlite from "better-sqlite3";
import { useCave, withStoreAt } from "../store/support.ts";
import { Api, apikey, bearer, type Key, type Principal, type Tokens } from "../support/api.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs } from "../support/ours.ts";
import { postgresOrSkip } from "../support/postgres.ts";
import { run, type Server } from "../support/process.ts";
import { program, withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { toy } from "../support/toy.ts";

const NEWEST = "0a017b76d0d0";
const OLDER = "2d1b550e12e0";

interface Database {
  readonly uri: string;
  /** Which of its schemas the real Tiled would find. */
  revision(): Promise<unknown>;
}

const REVISION = "select version_num from alembic_version";

/** Empty databases; undefined where the machine has no such server, and the test is skipped. */
const DATABASES: Readonly<Record<string, (t: TestContext) => Promise<Database | undefined>>> = {
  sqlite: async (t) => {
    const file = `${await temporaryFolder(t.after.bind(t))}/tiled.db`;
    const revision = async () => new Sqlite(file, { readonly: true }).prepare(REVISION).pluck().get();
    return { uri: `sqlite:///${file}`, revision };
  },
  postgresql: async (t) => {
    const server = await postgresOrSkip(t);
    if (server === undefined) return undefined;
    const uri = await server.createDatabase();
    return { uri, revision: async () => (await server.query(uri, REVISION))[0]?.["version_num"] };
  },
};

const TIMEOUT = { timeout: 180_000 };

function configuration(uri: string, authentication: object = {}): object {
  return toy({ authentication, database: { uri, init_if_not_exists: true } });
}

describe("hand-over", { skip: withoutTiled() }, () => {
  for (const [name, create] of Object.entries(DATABASES)) {
    for (const revision of [NEWEST, OLDER]) {
      test(`${name} at ${revision}: to ours and back`, TIMEOUT, async (t) => {
        const database = await create(t);
        if (database === undefined) return;
        const { uri } = database;
        const cleanup = t.after.bind(t);
        const made = await serve(startReference(cleanup, configuration(uri)), inhabit);
        if (revision !== NEWEST) await tiledAdmin("downgrade-database", uri, revision);
        const ours = { ...configuration(uri), cave: { server_address: "http://127.0.0.1:8000" } };
        const more = await serve(startOurs(cleanup, ours), (api) => takeOver(api, made));
        // Rows that the real Tiled does not know.
        await withStoreAt(uri, async (store) => {
          const bob = await store.principals.summaryOfIdentity({ provider: "toy", id: "bob" });
          assert.ok(bob);
          const [session] = await store.accounts.sessions(bob.uuid, new Date());
          assert.ok(session);
          await useCave(store, bob.uuid, session.uuid);
        });
        assert.equal(await database.revision(), revision, "ours serves it as it is");
        if (revision !== NEWEST) await tiledAdmin("upgrade-database", uri);
        await serve(startReference(cleanup, configuration(uri)), (api) => goBack(api, made, more));
      });
    }

    test(`${name}: both at once`, TIMEOUT, async (t) => {
      const database = await create(t);
      if (database === undefined) return;
      const { uri } = database;
      const cleanup = t.after.bind(t);
      const reference = await startReference(cleanup, configuration(uri));
      const ours = await startOurs(cleanup, configuration(uri, { refresh_token_rotation: false }));
      await sideBySide(new Api(reference.url), new Api(ours.url));
      await sideBySide(new Api(ours.url), new Api(reference.url));
    });
  }
});

interface Inhabitants {
  readonly tokens: { readonly alice: Tokens; readonly bob: Tokens; readonly revoked: Tokens };
  readonly keys: {
    readonly wide: Key;
    readonly narrow: Key;
    readonly service: Key;
    readonly lasting: Key;
    /** With CAVE's scope, from ours. */
    readonly cave?: Key;
  };
  /** What the server that made them says of them all. */
  readonly principals: readonly Principal[];
}

async function serve<T>(started: Promise<Server>, work: (api: Api) => Promise<T>): Promise<T> {
  const server = await started;
  try {
    return await work(new Api(server.url));
  } finally {
    await server.stop();
  }
}

async function tiledAdmin(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run([program("tiled"), "admin", ...args]);
  assert.equal(code, 0, stderr);
}

/** A deployment with people, an administrator, a service, keys of every kind, and sessions in use and ended. */
async function inhabit(api: Api): Promise<Inhabitants> {
  const alice = await api.login("alice");
  const admin = bearer(alice);
  const first = await api.login("bob");
  const bob = (await api.refresh(first)).body;
  const revoked = await api.login("bob");
  assert.equal((await api.revoke(revoked)).status, 204);
  const service = await api.call<Principal>("POST", "/auth/principal?role=user", admin);
  const keys = {
    wide: await api.makeKey(admin),
    narrow: await api.makeKey(bearer(bob), {
      scopes: ["read:metadata"],
      access_tags: ["chemistry", "größe"],
      expires_in: 3600,
      note: "narrow – für immer",
    }),
    service: await api.makeKey(
      admin,
      { scopes: ["read:data"] },
      `/auth/principal/${service.body.uuid}/apikey`,
    ),
    lasting: await api.makeKey(bearer(bob), { scopes: [] }),
  };
  assert.equal((await api.whoami(apikey(keys.narrow))).status, 200);
  return { tokens: { alice, bob, revoked }, keys, principals: await principals(api, admin) };
}

async function principals(api: Api, credential: string): Promise<Principal[]> {
  const { status, body } = await api.call<Principal[]>("GET", "/auth/principal", credential);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** What must survive of a list of principals: the order is unspecified, times are written differently and change. */
function lasting(list: readonly Principal[]): unknown {
  return JSON.parse(JSON.stringify(list), (name, value) => {
    if (/_time$|^latest_/.test(name)) return value !== null;
    if (!Array.isArray(value)) return value;
    const text = (item: unknown) => JSON.stringify(item);
    return value.toSorted((left, right) => text(left).localeCompare(text(right)));
  });
}

async function everythingWorks(api: Api, { tokens, keys }: Inhabitants): Promise<void> {
  for (const [name, key] of Object.entries(keys)) {
    assert.equal((await api.whoami(apikey(key))).status, 200, `the key ${name}`);
  }
  for (const name of ["alice", "bob"] as const) {
    const { status, body } = await api.whoami(bearer(tokens[name]));
    assert.equal(status, 200, `the access token of ${name}`);
    assert.equal(body.identities[0]?.id, name);
  }
  const data = await api.call("GET", "/metadata/", apikey(keys.lasting));
  assert.equal(data.status, 401, "a key without scopes");
  assert.equal((await api.refresh(tokens.revoked)).status, 401, "the refresh token of a revoked session");
}

/** Ours, on the database that the real Tiled made; what is made there. */
async function takeOver(api: Api, made: Inhabitants): Promise<Inhabitants> {
  assert.deepEqual(lasting(await principals(api, bearer(made.tokens.alice))), lasting(made.principals));
  await everythingWorks(api, made);
  const [alice, bob] = [await api.refresh(made.tokens.alice), await api.refresh(made.tokens.bob)];
  assert.deepEqual([alice.status, bob.status], [200, 200], "the refresh tokens");
  const again = await api.login("bob");
  assert.equal(
    (await api.whoami(bearer(again))).body.uuid,
    (await api.whoami(bearer(made.tokens.bob))).body.uuid,
  );
  const revoked = await api.login("cara");
  assert.equal((await api.revoke(revoked)).status, 204);
  const added = await api.makeKey(bearer(bob.body), { note: "from ours", access_tags: null });
  const cave = await api.makeKey(bearer(bob.body), { note: "CAVE", scopes: ["cave"] });
  const tokens = {
    alice: (await api.refresh(alice.body)).body,
    bob: (await api.refresh(bob.body)).body,
    revoked,
  };
  return {
    tokens,
    keys: { ...made.keys, wide: added, cave },
    principals: await principals(api, bearer(tokens.alice)),
  };
}

/** The real Tiled again: all that is old and all that ours made works, and can be ended and deleted. */
async function goBack(api: Api, made: Inhabitants, more: Inhabitants): Promise<void> {
  assert.deepEqual(lasting(await principals(api, bearer(more.tokens.alice))), lasting(more.principals));
  await everythingWorks(api, made);
  await everythingWorks(api, more);
  for (const tokens of [made.tokens.alice, more.tokens.alice, more.tokens.bob]) {
    assert.equal((await api.refresh(tokens)).status, 200);
  }
  const { cave } = more.keys;
  assert.ok(cave);
  assert.deepEqual((await api.call<{ scopes: string[] }>("GET", "/auth/apikey", apikey(cave))).body.scopes, [
    "cave",
  ]);
  assert.equal(
    (await api.call("GET", "/metadata/", apikey(cave))).status,
    401,
    "the scope cave grants nothing",
  );
  const another = { expires_in: null, scopes: ["cave"] };
  assert.equal((await api.call("POST", "/auth/apikey", apikey(cave), another)).status, 401);
  for (const key of [made.keys.narrow, more.keys.wide, made.keys.lasting, cave]) {
    assert.equal((await api.deleteKey(bearer(more.tokens.bob), key)).status, 204, "a key can be deleted");
    assert.equal((await api.whoami(apikey(key))).status, 401);
  }
  assert.equal((await api.revoke(more.tokens.bob)).status, 204);
  assert.equal((await api.refresh(more.tokens.bob)).status, 401);
}

/** What one of the servers gives, the other takes; what one ends is ended at the other. */
async function sideBySide(one: Api, other: Api): Promise<void> {
  let tokens = await one.login("bob");
  for (const api of [other, one, other, one]) {
    assert.equal((await api.whoami(bearer(tokens))).status, 200);
    const refreshed = await api.refresh(tokens);
    assert.equal(refreshed.status, 200);
    tokens = refreshed.body;
  }
  const key = await other.makeKey(bearer(tokens), { note: "shared" });
  assert.equal((await one.whoami(apikey(key))).status, 200);
  assert.equal((await one.deleteKey(bearer(tokens), key)).status, 204);
  const refused = async () => (await other.whoami(apikey(key))).status === 401;
  assert.ok(await eventually(1, refused), "a deleted key is refused by the other within a second");
  assert.equal((await one.revoke(tokens)).status, 204);
  assert.equal((await other.refresh(tokens)).status, 401);
}
