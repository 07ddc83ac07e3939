/**
 * The OpenAPI document as generators of clients read it: names of operations and schemas, servers, credentials and answers, in each
 * configuration and in the package's document of them all. The clients are generated in test/client/generated.test.ts.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { DOCUMENT, type OpenApi, ofAllProviders, openApiDocument } from "../../../scripts/openapi.ts";
import { authenticator } from "../../authenticators/saml/support.ts";
import { apikey, bearer, testApp } from "../../support/app.ts";
import { API, caveApp } from "../../support/cave-app.ts";
import { answersOf, documentOf } from "../../support/openapi.ts";
import { mixedApp } from "../../support/person.ts";
import { ScriptedProvider } from "../../support/scripted-provider.ts";

const PACKAGED: OpenApi = JSON.parse(await readFile(DOCUMENT, "utf8"));

/** Passwords and two providers, one provider only, SAML, CAVE, a single user, and a server that anyone may read. */
async function eachDocument(check: (document: OpenApi, name: string) => Promise<void> | void): Promise<void> {
  const external = { authenticators: new Map([["orcid", new ScriptedProvider()]]) };
  const starts = {
    passwords: () => testApp(),
    mixed: async () => (await mixedApp()).t,
    provider: () => testApp(external),
    saml: () => testApp({ authenticators: new Map([["lab", authenticator().ours]]) }),
    cave: () => caveApp(),
    single: () => testApp({ providers: false }),
    public: () => testApp({ providers: false, authentication: { allowAnonymousAccess: true } }),
  };
  for (const [name, start] of Object.entries(starts)) {
    const app = await start();
    await check(await documentOf(app), name);
    await app.close();
  }
}

function* operationsOf({ paths }: OpenApi) {
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations))
      yield { name: `${method} ${path}`, operation } as const;
}

test("the package's document is that of today's routes", async () => {
  assert.equal(await readFile(DOCUMENT, "utf8"), await openApiDocument(), "run: npm run docs");
});

test("every document is valid OpenAPI 3.1", async () => {
  const check = async (document: OpenApi, name: string) => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document) as never);
    assert.ok(valid, `${name}: ${JSON.stringify(errors)}`);
    assert.equal(validator.version, "3.1");
  };
  await check(PACKAGED, "package");
  await eachDocument(check);
});

test("every operation has an id of its own, in camel case in the package", async () => {
  const check = (document: OpenApi, name: string) => {
    const ids = [...operationsOf(document)].map(({ operation }) => operation.operationId);
    for (const { name, operation } of operationsOf(document)) assert.ok(operation.operationId, name);
    assert.equal(new Set(ids).size, ids.length, name);
  };
  check(PACKAGED, "package");
  await eachDocument(check);
  for (const { operation } of operationsOf(PACKAGED))
    assert.match(operation.operationId, /^[a-z]+[A-Za-z]*$/);
});

test("providers have operations of their own, named after them", async () => {
  await using mixed = await mixedApp();
  const { paths } = await documentOf(mixed.t);
  const idOf = (provider: string) => paths[`/api/v1/auth/provider/${provider}/token`]?.["post"]?.operationId;
  assert.deepEqual(["toy", "orcid"].map(idOf), ["createTokens_toy", "createTokens_orcid"]);
});

test("the operations of each configuration are among the package's", async () => {
  const seen = new Set<string>();
  await eachDocument((document, configuration) => {
    for (const { name, operation } of operationsOf(ofAllProviders(document))) {
      const [method = "", path = ""] = name.split(" ");
      const packaged = PACKAGED.paths[path]?.[method];
      assert.ok(packaged, `${configuration}: ${name}`);
      seen.add(name);
      assert.equal(operation.operationId, packaged.operationId);
      // Which tokens are taken depends on the configuration, and so does the body that a kind of provider takes.
      if (operation.operationId === "createTokens") continue;
      assert.deepEqual(
        { ...operation, security: null },
        { ...packaged, security: null },
        `${configuration}: ${name}`,
      );
    }
    for (const kind of ["schemas", "responses"] as const)
      for (const [name, part] of Object.entries(document.components[kind]))
        assert.deepEqual(part, PACKAGED.components[kind][name], `${configuration}: ${name}`);
  });
  assert.equal(
    seen.size,
    [...operationsOf(PACKAGED)].length,
    "the package has operations of no configuration",
  );
});

test("no schema with fields of its own stands twice", () => {
  const places = new Map<string, string>();
  const visit = (part: unknown, place: string): void => {
    if (typeof part !== "object" || part === null) return;
    if ("properties" in part && "type" in part && Object.keys(Object(part.properties)).length > 1) {
      const text = JSON.stringify(part);
      assert.equal(places.get(text), undefined, `${place} is ${places.get(text)}`);
      places.set(text, place);
    }
    for (const [key, item] of Object.entries(part)) visit(item, `${place}/${key}`);
  };
  visit(PACKAGED, "");
  assert.ok(places.size > 25);
});

test("the document names the server's address", async () => {
  for (const [server, url] of [
    [{}, "/"],
    [{ rootPath: "/prefix" }, "/prefix"],
    [{ publicUrl: "https://tiled.example.org" }, "https://tiled.example.org"],
    [{ publicUrl: "https://tiled.example.org/api/" }, "https://tiled.example.org/api"],
  ] as const) {
    await using t = await testApp({ server });
    const document = await documentOf(t);
    assert.deepEqual(document["servers"], [{ url }]);
    assert.ok("/api/v1/" in document.paths, "paths are below the address");
  }
});

test("access tokens are a credential wherever there are logins", async () => {
  const schemes: Record<string, readonly string[]> = {};
  await eachDocument(({ components, paths }, name) => {
    const { security } = paths["/api/v1/auth/principal"]?.["get"] ?? {};
    if (security !== undefined)
      assert.ok(
        security.some((one) => "AccessToken" in one),
        name,
      );
    schemes[name] = Object.keys(components.securitySchemes).filter((one) => !one.startsWith("APIKey"));
  });
  const ours = ["OAuth2PasswordBearer", "AccessToken", "BrowserLogin"];
  assert.deepEqual(schemes, {
    passwords: ours,
    mixed: ours,
    provider: ["AccessToken", "BrowserLogin"],
    saml: ["AccessToken", "BrowserLogin"],
    cave: [...ours, "CaveToken"],
    single: [],
    public: [],
  });
});

test("answers and refusals are as described", async () => {
  await using t = await testApp({
    authentication: {
      allowAnonymousAccess: true,
      loginThrottle: { account: { failures: 1, per: 300 }, address: { failures: 9, per: 300 } },
    },
  });
  const check = answersOf(ofAllProviders(await documentOf(t)));
  const form = async (password: string) =>
    check("post /api/v1/auth/provider/{provider}/token", await t.loginAttempt("bob", password));
  const { access_token, refresh_token } = await t.login("alice");
  const key = await t.makeKey(access_token);
  const asAlice = bearer(access_token);
  const ask = async (operation: string, headers = asAlice, url?: string, payload?: object) => {
    const [method = "", path = ""] = operation.split(" ");
    const options = { method: method.toUpperCase() as "GET", url: url ?? path, headers };
    const response = await t.call({ ...options, ...(payload && { payload }) });
    check(operation, response);
    return response.statusCode;
  };
  await form("");
  await form("wrong");
  await form("wrong");
  assert.equal(await ask("get /api/v1/"), 200);
  assert.equal(await ask("get /healthz"), 200);
  assert.equal(await ask("get /healthz/ready"), 200);
  assert.equal(await ask("get /api/v1/metrics"), 200);
  assert.equal(await ask("get /api/v1/auth/whoami"), 200);
  assert.equal(await ask("get /api/v1/auth/whoami", {}), 200);
  assert.equal(await ask("get /api/v1/auth/whoami", bearer("ended")), 401);
  assert.equal(await ask("get /api/v1/auth/whoami", { authorization: "x" }), 400);
  assert.equal(await ask("get /api/v1/auth/apikey", apikey(key)), 200);
  assert.equal(await ask("get /api/v1/auth/principal"), 200);
  assert.equal(await ask("get /api/v1/auth/principal", asAlice, "/api/v1/auth/principal?limit=x"), 422);
  const someone = "/api/v1/auth/principal/00000000000000000000000000000000";
  assert.equal(await ask("get /api/v1/auth/principal/{uuid}", asAlice, someone), 404);
  assert.equal(
    await ask("post /api/v1/auth/apikey", asAlice, undefined, { expires_in: 60, scopes: null }),
    200,
  );
  assert.equal(await ask("post /api/v1/auth/apikey", asAlice, undefined, { expires_in: "x" }), 422);
  const scopes = ["no:such"];
  assert.ok((await ask("post /api/v1/auth/apikey", asAlice, undefined, { expires_in: 60, scopes })) >= 400);
  const session = "post /api/v1/auth/session/refresh";
  assert.equal(await ask(session, {}, undefined, { refresh_token }), 200);
  assert.equal(await ask(session, {}, undefined, { refresh_token: "x" }), 401);
  assert.equal(await ask("get /api/v1/auth/verify"), 204);
  assert.equal(await ask("get /api/v1/auth/verify", bearer("ended")), 401);
  assert.equal(await ask("post /api/v1/auth/logout"), 200);
  assert.equal(await ask("get /api/v1/metadata/{path}", asAlice, "/api/v1/metadata/A"), 200);
  assert.equal(await ask("get /api/v1/metadata/{path}", asAlice, "/api/v1/metadata/none"), 404);
  assert.equal(await ask("get /api/v1/search/{path}", asAlice, "/api/v1/search/"), 200);
  assert.equal(await ask("get /api/v1/distinct/{path}", asAlice, "/api/v1/distinct/?specs=true"), 200);
  const full = "get /api/v1/array/full/{path}";
  for (const [format, status] of [
    ["application/octet-stream", 200],
    ["json", 200],
    ["csv", 200],
    ["none", 406],
  ] as const)
    assert.equal(await ask(full, asAlice, `/api/v1/array/full/A?format=${format}`), status);
});

test("CAVE's queries are described, and still read by the routes themselves", async () => {
  await using t = await caveApp();
  const { paths } = await documentOf(t);
  assert.deepEqual(
    (paths[`${API}/username`]?.["get"]?.parameters ?? []).map(({ name, required }) => [name, required]),
    [["id", true]],
  );
  const response = await t.get("/username?id=1&id=2", await t.apiToken("bob"));
  assert.ok(response.statusCode === 200 || response.statusCode === 400, response.body);
});
