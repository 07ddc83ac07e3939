/** People whom a provider names by e-mail addresses (`user_id_claim: email`): one account each, whatever their case. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { pino } from "pino";
import { addressRule } from "../../src/authenticators/case-rule.ts";
import { OIDCAuthenticator } from "../../src/authenticators/oidc/authenticator.ts";
import { configFromObject } from "../../src/config/load.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { startServer } from "../../src/server.ts";
import { openStore } from "../../src/store/open.ts";
import { CLIENT, surroundings } from "../authenticators/oidc/support.ts";
import { storeOptions } from "../store/support.ts";
import { testApp } from "../support/app.ts";
import { Browser } from "../support/browser.ts";
import { type Answered, poll, start } from "../support/device-login.ts";
import { temporaryFolder } from "../support/folders.ts";
import { logInAt, whoIs } from "../support/person.ts";
import { ScriptedProvider } from "../support/scripted-provider.ts";

const PLACE = { file: "test", line: 1, path: "test" };
const STORED = { provider: "orcid", id: "Alice@Lab.org" };
const ORIGIN = { address: null, requestId: null, actor: null };

/** The database of a Tiled that has known her so far. */
async function scene(options: { readonly caseSensitive?: boolean; readonly admin?: string } = {}) {
  const orcid = new ScriptedProvider({ addresses: true });
  const { admin, ...rule } = options;
  const t = await testApp({
    authenticators: new Map([["orcid", orcid]]),
    authentication: {
      admins: [],
      providers: [{ provider: "orcid", authenticator: "", args: {}, place: PLACE, ...rule }],
      ...(admin !== undefined && { admins: [{ provider: "orcid", id: admin }] }),
    },
  });
  assert.ok(t.store);
  const known = await t.store.principals.ensureUser({
    identity: STORED,
    now: new Date(t.clock.now()),
    context: ORIGIN,
  });
  return { t, orcid, store: t.store, known, [Symbol.asyncDispose]: () => t.close() };
}

test("an account that is known as Alice@Lab.org is alice@lab.org's, in a browser and from a program", async () => {
  await using s = await scene();
  const browser = new Browser(s.t);
  await logInAt(browser, s.orcid, "alice@lab.org");
  assert.equal(await whoIs(browser), STORED.id);
  const login = await start(s.t);
  const form = await browser.open(s.orcid.signIn(login.authorization_uri, "ALICE@LAB.ORG"));
  await browser.submit(form, { user_code: login.user_code });
  const { identity, principal } = (await poll(s.t, login)).json<Answered>();
  assert.deepEqual([identity, principal], [STORED, s.known.uuid.replaceAll("-", "")]);
});

test("what differs in more than the case of plain letters is another address, and gets no account", async () => {
  await using s = await scene();
  for (const id of ["ａlice@lab.org", "alıce@lab.org", "alice@lab.orɡ"]) {
    const browser = new Browser(s.t);
    const answer = await logInAt(browser, s.orcid, id);
    const summary = await s.store.principals.summaryOfIdentity({ provider: "orcid", id });
    assert.ok(answer.statusCode >= 300 && summary?.uuid !== s.known.uuid, id);
    assert.notEqual(await whoIs(browser), STORED.id);
  }
});

test("a provider that tells them apart is believed where the operator says so", async () => {
  await using s = await scene({ caseSensitive: true });
  const browser = new Browser(s.t);
  await logInAt(browser, s.orcid, "alice@lab.org");
  assert.equal(await whoIs(browser), "alice@lab.org");
});

test("tiled_admins names an address in any case, at the login and at the start", async (t) => {
  await using s = await scene({ admin: "ALICE@lab.org" });
  await logInAt(new Browser(s.t), s.orcid, STORED.id);
  const summary = await s.store.principals.summaryOfIdentity(STORED);
  assert.ok(summary?.scopes.includes("admin:apikeys"), String(summary?.scopes));

  const folder = await temporaryFolder(after);
  const uri = `sqlite:///${folder}/tiled.db`;
  const config = configFromObject(
    {
      authentication: {
        providers: [
          {
            provider: "orcid",
            authenticator: "tiled.authenticators:OIDCAuthenticator",
            args: { ...CLIENT, well_known_uri: "http://127.0.0.1:9/", user_id_claim: "email" },
          },
        ],
        tiled_admins: [{ provider: "orcid", id: "alice@lab.org" }],
        secret_keys: ["0123456789abcdef0123456789abcdef"],
      },
      database: { uri, init_if_not_exists: true },
      trees: [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }],
      server: { port: 0 },
    },
    {},
  );
  const store = await openStore(storeOptions(uri, { clock: systemClock, initIfNotExists: true }));
  await store.principals.ensureUser({ identity: STORED, now: new Date(), context: ORIGIN });
  await store.close();
  const lines: string[] = [];
  const server = await startServer(config, {
    log: pino({}, { write: (line: string) => void lines.push(line) }),
  });
  t.after(() => server.stop());
  const again = await openStore(storeOptions(uri, { clock: systemClock }));
  t.after(() => again.close());
  assert.ok((await again.principals.summaryOfIdentity(STORED))?.scopes.includes("admin:apikeys"));
  assert.equal(
    await again.principals.summaryOfIdentity({ provider: "orcid", id: "alice@lab.org" }),
    undefined,
  );
  assert.doesNotMatch(lines.join(""), /no administrator was made/);
});

test("addresses are what user_id_claim: email names, and nothing else", () => {
  const { context, options } = surroundings();
  const make = (args: object) =>
    new OIDCAuthenticator({ ...CLIENT, well_known_uri: "https://idp.example", ...args }, context, options);
  const providers = ["email", "name", "sub"].map((claim) => ({
    provider: claim,
    authenticator: "",
    args: {},
    place: PLACE,
  }));
  const authenticators = new Map(
    providers.map(({ provider }) => [provider, make({ user_id_claim: provider })] as const),
  );
  assert.deepEqual(
    providers.map(({ provider }) => addressRule(providers, authenticators)(provider)),
    [true, false, false],
  );
});
