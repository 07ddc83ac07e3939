/** People and tokens of a middle_auth server, taken over by the store, as clients and services meet them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaveGroup, CaveTerms } from "../../../../src/domain/model/cave.ts";
import type { ImportedPerson, ImportedToken } from "../../../../src/domain/ports/cave-import.ts";
import { sha256 } from "../../../../src/lib/secrets.ts";
import { newUuid } from "../../../../src/lib/uuid.ts";
import { openStore } from "../../../../src/store/open.ts";
import { storeOptions } from "../../../store/support.ts";
import { bearer } from "../../../support/app.ts";
import { ADDRESS, caveApp } from "../../../support/cave-app.ts";

const TERMS: CaveTerms = { id: 2, name: "microns", text: "Be kind." };
const ALICE = { provider: "toy", id: "alice" };
const TOKENS = {
  alice: "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
  bob: "feedfacecafebeef0123456789abcdef",
  robot: "1111222233334444aaaabbbbccccdddd",
};
const CREATED = new Date("2023-04-05T06:07:08.123Z");
const CONTEXT = { address: null, requestId: null, actor: null };

function token(secret: string, description: string | null): ImportedToken {
  const digest = sha256(Buffer.from(secret, "hex"));
  return { firstEight: secret.slice(0, 8), digest, description, created: CREATED, lastUsed: null };
}

function person(id: number, name: "alice" | "bob", changes: Partial<ImportedPerson> = {}): ImportedPerson {
  const tokens = [token(TOKENS[name], "laptop")];
  return {
    id,
    type: "user",
    name: `${name} the old`,
    email: name,
    created: CREATED,
    tokens,
    accepted: [],
    ...changes,
  };
}

/** The numbers are those of middle_auth: Alice is 370, Bob 371, the robot 12. */
async function imported() {
  const cave = { serverAddress: ADDRESS, tos: [TERMS] };
  const store = await openStore(storeOptions(null));
  const outcome = await store.caveImporter.import({
    provider: "toy",
    caseSensitive: false,
    people: [
      {
        ...person(12, "alice", { type: "service", email: null }),
        name: "robot",
        tokens: [token(TOKENS.robot, null)],
      },
      person(370, "alice", { accepted: [{ tos: 2, time: CREATED }] }),
      person(371, "bob"),
    ],
    dryRun: false,
    now: CREATED,
    context: CONTEXT,
  });
  assert.equal(outcome.kind, "done");
  const robot = outcome.kind === "done" ? outcome.services.get(12) : undefined;
  const group: CaveGroup = {
    id: 2,
    name: "proofreaders",
    everyone: false,
    members: [ALICE, { provider: "toy", id: "bob" }, { service: robot ?? newUuid() }],
    admins: [],
    permissions: new Map([["minnie", ["view", "edit"]]]),
  };
  const datasets = [{ id: 1, name: "minnie", tos: TERMS, admins: [], tables: new Map() }];
  return caveApp({ cave: { ...cave, datasets, groups: [group] }, store });
}

test("a token from before opens the user object, with the old number, the groups and the permissions", async () => {
  await using t = await imported();
  const alice = (await t.get("/user/cache", TOKENS.alice)).json();
  assert.deepEqual(
    [alice.id, alice.name, alice.service_account, alice.groups, alice.permissions_v2, alice.missing_tos],
    [370, "alice the old", false, ["proofreaders"], { minnie: ["view", "edit"] }, []],
  );
  const bob = (await t.get("/user/cache", TOKENS.bob)).json();
  assert.deepEqual([bob.id, bob.permissions_v2], [371, {}]);
  assert.deepEqual(bob.permissions_v2_ignore_tos, { minnie: ["view", "edit"] });
  assert.equal(bob.missing_tos[0].tos_id, 2);
  const robot = (await t.get("/user/cache", TOKENS.robot)).json();
  assert.deepEqual([robot.id, robot.name, robot.service_account], [12, "robot", true]);
  const names = await t.get("/username?id=12,370,371,372", TOKENS.robot);
  assert.deepEqual(
    names.json().map(({ id }: { id: number }) => id),
    [12, 370, 371],
  );
  const members = await t.get("/group/2/user", TOKENS.robot);
  assert.deepEqual(
    members.json().map(({ id }: { id: number }) => id),
    [370, 371],
  );
});

test("an imported token is listed, makes another one and can be revoked, but opens nothing of Tiled's", async () => {
  await using t = await imported();
  const [listed] = (await t.get("/user/token", TOKENS.alice)).json();
  assert.deepEqual(
    [listed.id, listed.user_id, listed.token, listed.description],
    [0x0a1b2c3d, 370, `0a1b2c3d${"*".repeat(24)}`, "laptop"],
  );
  const made = await t.call({
    method: "POST",
    url: "/auth/api/v1/user/token",
    headers: bearer(TOKENS.alice),
  });
  assert.equal(made.statusCode, 200);
  const created = made.json<string>();
  assert.equal((await t.get("/user/cache", created)).json().id, 370);
  const theirs = await t.call({
    url: "/api/v1/auth/apikey",
    headers: { authorization: `Apikey ${TOKENS.alice}` },
    method: "POST",
    payload: { expires_in: null, scopes: ["read:data"] },
  });
  assert.equal(theirs.statusCode, 401, theirs.body);
  const gone = await t.call({
    method: "DELETE",
    url: `/auth/api/v1/user/token/${0x0a1b2c3d}`,
    headers: bearer(created),
  });
  assert.equal(gone.statusCode, 200);
  assert.equal((await t.get("/user/cache", TOKENS.alice)).statusCode, 401);
});

test("a Tiled admin makes an imported service another token", async () => {
  await using t = await imported();
  const [robot] = (await t.store?.cave.peopleByNumber([12])) ?? [];
  const made = await t.call({
    method: "POST",
    url: `/api/v1/auth/principal/${robot?.uuid}/apikey`,
    headers: bearer((await t.login("alice")).access_token),
    payload: { expires_in: null, scopes: ["cave"] },
  });
  assert.equal(made.statusCode, 200, made.body);
  assert.equal((await t.get("/user/cache", made.json().secret)).json().id, 12);
});

test("an imported person who logs in is the same person", async () => {
  await using t = await imported();
  const { access_token } = await t.login("alice");
  const key = await t.makeKey(access_token, { scopes: ["cave"] });
  const alice = (await t.get("/user/cache", key)).json();
  assert.equal(alice.id, 370);
  const { access_token: cara } = await t.login("cara");
  const hers = await t.makeKey(cara, { scopes: ["cave"] });
  assert.equal((await t.get("/user/cache", hers)).json().id, 372);
});
