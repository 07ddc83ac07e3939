/** CAVE's routes in the description of the API, and their answers by their own schemas. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer } from "../../../support/app.ts";
import { API, caveApp } from "../../../support/cave-app.ts";
import { answersOf, documentOf } from "../../../support/openapi.ts";

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly security?: readonly object[];
}

interface ApiDocument {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly securitySchemes: Record<string, { readonly scheme?: string }> };
}

test("each route is described once, with what it needs", async () => {
  await using t = await caveApp();
  const { paths, components } = (await t.call("/openapi.json")).json<ApiDocument>();
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      operation.tags?.includes("cave") ? [[`${method.toUpperCase()} ${path}`, operation] as const] : [],
    ),
  );
  assert.deepEqual(described.map(([name]) => name.replace("/auth/api/v1", "")).sort(), [
    "DELETE /user/token/{id}",
    "GET /auth_info",
    "GET /create_token",
    "GET /group/{id}/user",
    "GET /logout",
    "GET /my_permissions",
    "GET /refresh_token",
    "GET /service/{namespace}/table/{table}/dataset",
    "GET /table/{table}/has_public",
    "GET /table/{table}/root/{root}/is_public",
    "GET /user",
    "GET /user/cache",
    "GET /user/me",
    "GET /user/token",
    "GET /user/{id}",
    "GET /user/{id}/permissions",
    "GET /username",
    "POST /create_token",
    "POST /logout",
    "POST /refresh_token",
    "POST /table/{table}/root_all_public",
    "POST /user/token",
  ]);
  for (const [name, { summary, security }] of described) {
    assert.ok(summary.length > 5, name);
    assert.deepEqual(security, name === "GET /auth_info" ? undefined : [{ CaveToken: [] }], name);
  }
  assert.equal(components.securitySchemes["CaveToken"]?.scheme, "bearer");
});

test("answers and errors fit their schemas", async () => {
  await using t = await caveApp();
  const check = answersOf(await documentOf(t));
  const token = await t.apiToken("bob");
  const { token: service } = await t.serviceToken();
  const asked: readonly (readonly [path: string, route: string])[] = [
    ["/user/cache", "/user/cache"],
    ["/user/me", "/user/me"],
    ["/user/2", "/user/{id}"],
    ["/user/99", "/user/{id}"],
    ["/user/2/permissions", "/user/{id}/permissions"],
    ["/user?id=1,2", "/user"],
    ["/username?id=1,2", "/username"],
    ["/username?id=x", "/username"],
    ["/group/1/user", "/group/{id}/user"],
    ["/user/token", "/user/token"],
    ["/create_token", "/create_token"],
    ["/service/datastack/table/minnie65/dataset", "/service/{namespace}/table/{table}/dataset"],
    ["/service/datastack/table/none/dataset", "/service/{namespace}/table/{table}/dataset"],
    ["/table/x/has_public", "/table/{table}/has_public"],
  ];
  for (const [path, route] of asked) {
    for (const headers of [bearer(token), bearer(service), bearer("0".repeat(32))]) {
      const response = await t.call({ url: API + path, headers });
      check(`get ${API}${route}`, response);
    }
  }
});
