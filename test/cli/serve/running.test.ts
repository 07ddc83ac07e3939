/** What an administrative verb changes holds on a running server of the same database within a second. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { pino } from "pino";
import { configFromObject } from "../../../src/config/load.ts";
import { startServer } from "../../../src/server.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

const folder = await temporaryFolder(after);
const uri = `sqlite:///${join(folder, "tiled.db")}`;

const server = await startServer(
  configFromObject(
    {
      authentication: {
        providers: [{ provider: "toy", authenticator: "tiled.authenticators:DummyAuthenticator" }],
      },
      database: { uri, init_if_not_exists: true },
      trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
      server: { port: 0 },
    },
    {},
  ),
  { log: pino({ level: "silent" }) },
);
after(() => server.stop());
const api = `${server.url}/api/v1`;

async function login(username: string): Promise<string> {
  const body = new URLSearchParams({ username, password: "any" });
  const answer = await fetch(`${api}/auth/provider/toy/token`, { method: "POST", body });
  const { access_token } = (await answer.json()) as { readonly access_token: string };
  return `Bearer ${access_token}`;
}

async function whoami(authorization: string): Promise<number> {
  return (await fetch(`${api}/auth/whoami`, { headers: { authorization } })).status;
}

async function admin(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await tiled(["admin", ...args, "--database", uri]);
  assert.equal(code, 0, stderr);
}

test("sessions that are revoked, a principal that is disabled and enabled again", async () => {
  const [alice, bob] = [await login("alice"), await login("bob")];
  assert.deepEqual([await whoami(alice), await whoami(bob)], [200, 200]);
  await admin("revoke-sessions", "toy:alice");
  assert.ok(await eventually(1, async () => (await whoami(alice)) === 401));
  assert.equal(await whoami(bob), 200, "another's session goes on");
  await admin("disable", "toy:bob");
  assert.ok(await eventually(1, async () => (await whoami(bob)) === 401));
  await admin("enable", "toy:bob");
  const again = await login("bob");
  assert.ok(await eventually(1, async () => (await whoami(again)) === 200));
});

test("a key that is revoked", async () => {
  const answer = await fetch(`${api}/auth/apikey`, {
    method: "POST",
    headers: { authorization: await login("carol"), "content-type": "application/json" },
    body: JSON.stringify({ expires_in: null, scopes: null }),
  });
  const { secret } = (await answer.json()) as { readonly secret: string };
  assert.equal(await whoami(`Apikey ${secret}`), 200);
  await admin("revoke-key", "toy:carol", secret.slice(0, 8));
  assert.ok(await eventually(1, async () => (await whoami(`Apikey ${secret}`)) === 401));
});

test("an administrator that is made", async () => {
  const dora = await login("dora");
  const principals = () => fetch(`${api}/auth/principal`, { headers: { authorization: dora } });
  assert.equal((await principals()).status, 401);
  await admin("make-admin", "toy", "dora");
  // The scopes are those of the token; the next one has the new ones.
  const again = await login("dora");
  assert.equal((await fetch(`${api}/auth/principal`, { headers: { authorization: again } })).status, 200);
});

test("an administrator who loses the role, by their token and by a key made before", async () => {
  await login("erin");
  for (const name of ["erin", "finn"]) await admin("make-admin", "toy", name);
  const finn = await login("finn");
  const made = await fetch(`${api}/auth/apikey`, {
    method: "POST",
    headers: { authorization: finn, "content-type": "application/json" },
    body: JSON.stringify({ expires_in: null, scopes: null }),
  });
  const { secret } = (await made.json()) as { readonly secret: string };
  const principals = async (authorization: string) =>
    (await fetch(`${api}/auth/principal`, { headers: { authorization } })).status;
  const all = [finn, `Apikey ${secret}`];
  for (const authorization of all) assert.equal(await principals(authorization), 200);
  await admin("revoke-admin", "toy", "finn");
  for (const authorization of all) {
    assert.ok(await eventually(1, async () => (await principals(authorization)) === 401));
    assert.equal(await whoami(authorization), 200, "still a user");
  }
});
