/** A provider's own access tokens as credentials, over the wire; which tokens pass is `authenticators/oidc`'s to test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newUuid } from "../../../src/lib/uuid.ts";
import { setUp } from "../../authenticators/oidc/proxied-support.ts";
import { bearer, type TestAppOptions, testApp } from "../../support/app.ts";
import { SUBJECT } from "../../support/hostile-provider.ts";

const ORIGIN = { address: null, requestId: null, actor: null };

async function scene(t: Parameters<typeof setUp>[0], app: TestAppOptions = {}) {
  const world = await setUp(t, { scopes_map: { "tiled.metrics": ["metrics"], "tiled.read": ["read:data"] } });
  const { clock, authenticator } = world;
  const served = await testApp({ clock, authenticators: new Map([["lab", authenticator]]), ...app });
  t.after(() => served.close());
  const whoami = (token: string) => served.call({ url: "/api/v1/auth/whoami", headers: bearer(token) });
  const events = async () =>
    ((await served.store?.audit.read({ limit: 100 })) ?? []).map((row) => `${row.event} ${row.identity?.id}`);
  const uuid = async (id: string) =>
    (await served.store?.principals.summaryOfIdentity({ provider: "lab", id }))?.uuid ?? newUuid();
  return { ...world, served, whoami, events, uuid };
}

const bare: TestAppOptions = { authentication: { admins: [] } };

test("a token's person is made at first sight, once, and found again by their next token", async (t) => {
  const { whoami, token, events } = await scene(t, bare);
  const first = await token();
  const answers = await Promise.all([whoami(first), whoami(first), whoami(first)]);
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200],
  );
  const person = answers[0]?.json<{ uuid: string; identities: object[]; sessions: object[] }>();
  assert.partialDeepStrictEqual(person, { identities: [{ provider: "lab", id: SUBJECT }], sessions: [] });
  const next = await whoami(await token({ iat: 1_769_860_799 }));
  assert.equal(next.json<{ uuid: string }>().uuid, person?.uuid);
  assert.notEqual(
    (await whoami(await token({ sub: "another" }))).json<{ uuid: string }>().uuid,
    person?.uuid,
  );
  assert.deepEqual(await events(), [`principal_created ${SUBJECT}`, "principal_created another"]);
});

test("a token has its own scopes by the map, and those of the person's roles", async (t) => {
  const { served, token } = await scene(t, bare);
  const metrics = async (scope: string) => {
    const headers = bearer(await token({ scope }));
    return (await served.call({ url: "/api/v1/metrics", headers })).statusCode;
  };
  assert.equal(await metrics("openid tiled.metrics"), 200);
  assert.equal(await metrics("openid metrics"), 401, "a scope of the provider's that is called as ours");
  const headers = bearer(await token({ scope: "openid" }));
  const key = await served.call({
    method: "POST",
    url: "/api/v1/auth/apikey",
    headers,
    payload: { expires_in: null, scopes: ["read:metadata"] },
  });
  assert.equal(key.statusCode, 200, "the role of a person allows it");
  const { secret } = key.json<{ secret: string }>();
  const read = { url: "/api/v1/metadata/", headers: { authorization: `Apikey ${secret}` } };
  assert.equal((await served.call(read)).statusCode, 200);
});

test("an administrator of the configuration is one", async (t) => {
  const { served, token } = await scene(t, {
    authentication: { admins: [{ provider: "lab", id: SUBJECT }] },
  });
  const list = async (sub: string) =>
    (await served.call({ url: "/api/v1/auth/principal", headers: bearer(await token({ sub })) })).statusCode;
  assert.deepEqual([await list(SUBJECT), await list("another")], [200, 401]);
});

test("a disabled person is refused, with a token that was good a moment ago and with a new one", async (t) => {
  const { served, whoami, token, clock, uuid } = await scene(t, bare);
  const old = await token();
  assert.equal((await whoami(old)).statusCode, 200);
  await served.store?.principals.setDisabled({
    principal: await uuid(SUBJECT),
    disabled: true,
    now: new Date(clock.now()),
    context: ORIGIN,
  });
  clock.advance(0.6);
  for (const refused of [old, await token({ jti: "x" })]) {
    const answer = await whoami(refused);
    assert.deepEqual([answer.statusCode, answer.json()], [401, { detail: "Principal no longer exists." }]);
  }
});

test("expired, forged and malformed tokens are refused and create no principal", async (t) => {
  const { whoami, token, clock, events } = await scene(t, bare);
  const forged = `${(await token()).slice(0, -8)}AAAAAAAA`;
  for (const bad of [forged, "x", "x.y.z", "e30.e30.e30", await token({ sub: "a\0" })]) {
    assert.equal((await whoami(bad)).statusCode, 401, bad);
  }
  const short = await token();
  assert.equal((await whoami(short)).statusCode, 200);
  clock.advance(331);
  assert.equal(
    (await whoami(short)).json<{ detail: string }>().detail,
    "Access token has expired. Refresh token.",
  );
  assert.deepEqual(await events(), [`principal_created ${SUBJECT}`]);
});

test("a token that was seen before needs neither the provider nor, for half a second, the database", async (t) => {
  const { served, whoami, token, provider } = await scene(t, bare);
  const seen = await token();
  await whoami(seen);
  await whoami(seen);
  const { store } = served;
  assert.ok(store !== null);
  t.mock.method(store.principals, "summaryOfIdentity", () => assert.fail("asked for the identity"));
  t.mock.method(store.principals, "summary", () => assert.fail("asked for the principal"));
  const asked = { ...provider.asked };
  assert.equal((await whoami(seen)).statusCode, 200);
  assert.deepEqual(provider.asked, asked);
});

test("an identity that was moved to another principal takes its token along", async (t) => {
  const { served, whoami, token, clock, uuid } = await scene(t, bare);
  const moved = await token();
  const before = (await whoami(moved)).json<{ uuid: string }>().uuid;
  const principals = served.store?.principals;
  assert.ok(principals !== undefined);
  const { summary } = principals;
  const heir = await principals.ensureUser({
    identity: { provider: "lab", id: "heir" },
    now: new Date(clock.now()),
    context: ORIGIN,
  });
  const old = await uuid(SUBJECT);
  t.mock.method(principals, "summaryOfIdentity", async () => heir);
  t.mock.method(principals, "summary", async (asked: typeof old) => {
    const found = await summary(asked);
    return asked === old && found !== undefined ? { ...found, identities: [] } : found;
  });
  clock.advance(0.6);
  const after = (await whoami(moved)).json<{ uuid: string }>().uuid;
  assert.notEqual(after, before);
});

test("the about document sends programs to the provider, to log in, refresh and log out", async (t) => {
  const { served, provider } = await scene(t);
  const about = (await served.call("/api/v1/")).json<{ authentication: object }>();
  const api = "http://localhost:80/api/v1/auth";
  const links = {
    auth_endpoint: `${provider.url}/device`,
    authorize_endpoint: `${api}/provider/lab/authorize`,
    client_id: "tiled-cli",
    token_endpoint: `${provider.url}/token`,
  };
  assert.partialDeepStrictEqual(about.authentication, {
    providers: [{ provider: "lab", mode: "external", links, extra_scopes: [] }],
    links: {
      whoami: `${api}/whoami`,
      refresh_session: `${provider.url}/token`,
      logout: `${provider.url}/logout`,
    },
  });
});
