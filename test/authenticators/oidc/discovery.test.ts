import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import type { ServerMetadata } from "openid-client";
import { OIDCAuthenticator } from "../../../src/authenticators/oidc/authenticator.ts";
import { isAt, readMetadata } from "../../../src/authenticators/oidc/metadata.ts";
import { Failure } from "../../../src/errors.ts";
import { broken } from "../../support/breaks.ts";
import { HostileProvider, SUBJECT } from "../../support/hostile-provider.ts";
import { CLIENT, DEADLINE, fails, login, newRequest, setUp, surroundings } from "./support.ts";

describe("a provider that is down at the start", () => {
  test("does not stop it; logins say why; it is tried again until it is there", async (t) => {
    const around = surroundings();
    const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
    provider.misbehave(broken("discovery", "status 500"));
    const authenticator = new OIDCAuthenticator(
      { ...CLIENT, well_known_uri: provider.wellKnown },
      around.context,
      around.options,
    );
    assert.match(authenticator.problem() ?? "", /not reached yet/);
    await authenticator.start();
    assert.match(
      authenticator.problem() ?? "",
      /discovery document.*args\.well_known_uri.*answered with status 500/,
    );
    assert.equal(around.warnings.length, 1);
    assert.match(around.warnings[0] ?? "", /status 500.*retried/);
    await fails(authenticator.begin(newRequest()), "bad_gateway", /status 500/);

    // Longer and longer pauses; a warning is not repeated.
    for (let count = 0; count < 5; count++) await attempt(around, provider);
    assert.deepEqual(around.schedule.pauses, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    assert.equal(around.warnings.length, 1);

    provider.honest();
    await attempt(around, provider);
    while (authenticator.problem() !== null) await new Promise((resolve) => setImmediate(resolve));
    assert.match(around.warnings[1] ?? "", /can be used again/);
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    // From now on it is looked at once an hour.
    assert.equal(around.schedule.pauses.at(-1), 3_600_000);
    await authenticator.stop();
    assert.ok(!around.schedule.waiting);
  });

  test("a login notices that the provider is back", async (t) => {
    const around = surroundings();
    const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
    provider.misbehave(broken("keys", "html"));
    const authenticator = new OIDCAuthenticator(
      { ...CLIENT, well_known_uri: provider.wellKnown },
      around.context,
      around.options,
    );
    await authenticator.start();
    assert.match(authenticator.problem() ?? "", /key set/);
    provider.honest();
    // Those that come right after a failure get the same answer.
    await fails(authenticator.begin(newRequest()), "bad_gateway", /key set/);
    around.clock.advance(3);
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
    assert.equal(authenticator.problem(), null);
    await authenticator.stop();
  });

  test("many logins at once ask it once", async (t) => {
    const around = surroundings();
    const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
    const authenticator = new OIDCAuthenticator(
      { ...CLIENT, well_known_uri: provider.wellKnown },
      around.context,
      around.options,
    );
    await Promise.all(Array.from({ length: 20 }, () => authenticator.begin(newRequest())));
    assert.equal(provider.asked.discovery, 1);
    assert.equal(provider.asked.keys, 1);
    await authenticator.stop();
  });

  test("a silent one neither holds up the start nor a login for longer than the deadline", async (t) => {
    const around = surroundings({ deadline: DEADLINE });
    const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
    provider.misbehave(broken("discovery", "silence"));
    const authenticator = new OIDCAuthenticator(
      { ...CLIENT, well_known_uri: provider.wellKnown },
      around.context,
      around.options,
    );
    const started = performance.now();
    await fails(authenticator.begin(newRequest()), "gateway_timeout", /did not (?:answer|come)/);
    assert.ok(performance.now() - started < DEADLINE * 4);
    await authenticator.start();
    await authenticator.stop();
  });

  test("connection refused", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const around = surroundings();
    const authenticator = new OIDCAuthenticator(
      { ...CLIENT, well_known_uri: `http://127.0.0.1:${port}/.well-known/openid-configuration` },
      around.context,
      around.options,
    );
    await authenticator.start();
    assert.match(authenticator.problem() ?? "", /cannot be reached: ECONNREFUSED/);
    await authenticator.stop();
  });

  async function attempt(around: ReturnType<typeof surroundings>, provider: HostileProvider): Promise<void> {
    const before = provider.asked.discovery;
    around.schedule.run();
    while (provider.asked.discovery === before || !around.schedule.waiting) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
});

describe("the discovery document", () => {
  const DOCUMENT = {
    issuer: "https://idp.example",
    authorization_endpoint: "https://idp.example/authorize",
    token_endpoint: "https://token.example/token",
    jwks_uri: "https://keys.example/keys",
  };
  const read = (change: Record<string, unknown>, loopback = false) =>
    readMetadata(
      { ...DOCUMENT, ...change } as unknown as ServerMetadata,
      "https://idp.example/doc",
      loopback,
    );

  test("missing fields get the standards' defaults", () => {
    const { algorithms, authMethods, announcesIssuer, deviceAuthorizationEndpoint } = read({});
    assert.equal(authMethods, null);
    assert.equal(announcesIssuer, false);
    assert.equal(deviceAuthorizationEndpoint, null);
    assert.ok(algorithms.includes("RS256") && algorithms.includes("ES256"));
    assert.ok(!algorithms.includes("none") && !algorithms.some((name) => name.startsWith("HS")));
  });

  for (const [what, change, log] of [
    ["no issuer", { issuer: undefined }, /no 'issuer'/],
    ["an issuer that is no text", { issuer: 7 }, /no 'issuer'/],
    ["an issuer for all tenants", { issuer: "https://login.example/{tenantid}/v2.0" }, /all tenants/],
    ["no authorization endpoint", { authorization_endpoint: undefined }, /no 'authorization_endpoint'/],
    ["no token endpoint", { token_endpoint: null }, /no 'token_endpoint'/],
    ["no keys", { jwks_uri: undefined }, /no 'jwks_uri'/],
    ["a relative endpoint", { token_endpoint: "/token" }, /'token_endpoint' that is not an absolute URL/],
    ["a number for an endpoint", { token_endpoint: 7 }, /'token_endpoint' that is not text/],
    ["http elsewhere", { token_endpoint: "http://idp.example/token" }, /begins with http:/],
    ["http on this machine, from elsewhere", { jwks_uri: "http://127.0.0.1:9000/keys" }, /on this machine/],
    ["a file", { jwks_uri: "file:///etc/passwd" }, /begins with file:/],
    ["a script", { authorization_endpoint: "javascript:alert(1)" }, /begins with javascript:/],
    ["a user name alone in a URL", { token_endpoint: "https://a@idp.example/" }, /user name/],
    ["a password in a URL", { token_endpoint: "https://:b@idp.example/" }, /user name/],
    ["a fragment", { authorization_endpoint: "https://idp.example/#x" }, /fragment/],
    ["a wrong optional endpoint", { end_session_endpoint: "ftp://idp.example/" }, /end_session_endpoint/],
    [
      "HMACs only",
      { id_token_signing_alg_values_supported: ["none", "HS256"] },
      /no signature that can be trusted/,
    ],
  ] as const) {
    test(`is refused with ${what}`, () => {
      assert.throws(
        () => read(change),
        (error) => error instanceof Failure && error.code === "bad_gateway" && log.test(error.message),
      );
    });
  }

  test("http on this machine, from this machine", () => {
    const local = read({ token_endpoint: "http://localhost:9000/token" }, true);
    assert.equal(local.tokenEndpoint, "http://localhost:9000/token");
    assert.throws(() => read({ token_endpoint: "http://127.0.0.1.nip.example/token" }, true));
  });

  test("an issuer is at its place, with or without a slash at its end", () => {
    const at = (issuer: string, url: string) => isAt(issuer, new URL(url));
    const tail = "/.well-known/openid-configuration";
    assert.ok(at("https://idp.example", `https://idp.example${tail}`));
    assert.ok(at("https://idp.example/", `https://idp.example${tail}`));
    assert.ok(at("https://idp.example/realms/lab", `https://idp.example/realms/lab${tail}`));
    assert.ok(at("https://idp.example/app/", "https://idp.example/app"));
    assert.ok(at("https://idp.example/app/", `https://idp.example/app${tail}`));
    assert.ok(at("https://idp.example/app", "https://idp.example/app/"));
    assert.ok(at("https://idp.example:443/app", "https://IDP.example/app/.well-known/"));
    assert.ok(!at("https://idp.example/app//", "https://idp.example/app"));
    assert.ok(!at("https://idp.example/App", "https://idp.example/app"));
    assert.ok(!at("https://idp.example", `https://other.example${tail}`));
    assert.ok(!at("https://idp.example/realms/lab", `https://idp.example/realms/other${tail}`));
  });

  test("an issuer that is elsewhere is a warning, and its tokens are accepted", async (t) => {
    const { provider } = await setUp((step) => t.after(step));
    provider.document["issuer"] = "https://sandbox.example";
    provider.claims["iss"] = "https://sandbox.example";
    provider.misbehave({ callback: (query) => query.set("iss", "https://sandbox.example") });
    const { authenticator, warnings } = await setUp((step) => t.after(step), {
      well_known_uri: provider.wellKnown,
    });
    assert.match(warnings.join(), /issuer is elsewhere \("https:\/\/sandbox\.example"\)/);
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
  });

  test("the address of the issuer alone will do", async (t) => {
    const { provider } = await setUp((step) => t.after(step));
    const { authenticator } = await setUp((step) => t.after(step), { well_known_uri: provider.url });
    assert.equal(authenticator.problem(), null);
    assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
  });

  /** An issuer below a path, as Authentik has one for each application. */
  async function belowPath(
    t: { after(step: () => Promise<unknown>): void },
    issuer: string,
    address = issuer,
  ) {
    const around = surroundings({
      fetch: (input, init) => fetch(String(input).replace("/o/app/.well-known", "/.well-known"), init),
    });
    const provider = await HostileProvider.start((step) => t.after(step), { clock: around.clock });
    provider.document["issuer"] = provider.url + issuer;
    provider.claims["iss"] = provider.url + issuer;
    provider.misbehave({ callback: (query) => query.set("iss", provider.url + issuer) });
    const authenticator = new OIDCAuthenticator(
      { ...CLIENT, well_known_uri: provider.url + address },
      around.context,
      around.options,
    );
    await authenticator.start();
    t.after(() => authenticator.stop());
    return { authenticator, provider, warnings: around.warnings };
  }

  for (const address of [
    "/o/app",
    "/o/app/",
    "/o/app/.well-known",
    "/o/app/.well-known/openid-configuration",
  ]) {
    for (const issuer of ["/o/app", "/o/app/"]) {
      test(`the issuer ${issuer} is found at ${address}, and its tokens name it as announced`, async (t) => {
        const { authenticator, provider, warnings } = await belowPath(t, issuer, address);
        assert.deepEqual(warnings, []);
        assert.deepEqual(await login(authenticator, provider), { id: SUBJECT });
        provider.claims["iss"] = provider.url + (issuer === "/o/app" ? "/o/app/" : "/o/app");
        await fails(login(authenticator, provider), "provider_invalid", /issuer \(iss\) is .*, expected /);
      });
    }
  }

  test("an issuer's address whose document names another one is refused, and the log has both", async (t) => {
    const { authenticator, provider, warnings } = await belowPath(t, "/o/other/", "/o/app");
    const both = `the issuer "${provider.url}/o/other/", and args.well_known_uri "${provider.url}/o/app"`;
    assert.ok(warnings.join().includes(both), warnings.join());
    assert.ok(authenticator.problem()?.includes(both));
    await fails(authenticator.begin(newRequest()), "bad_gateway", /names the issuer/);
  });
});
