/**
 * A client that a generator makes from the package's OpenAPI document: its types are made, the compiler accepts a program that uses
 * them, and the program runs against a server through `context.fetch`. The document itself is in test/http/operation/openapi.test.ts.
 */
import assert from "node:assert/strict";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { DOCUMENT } from "../../scripts/openapi.ts";
import { Context, MemoryStore } from "../../src/client/index.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs } from "../support/ours.ts";
import { run } from "../support/process.ts";
import { PASSWORDS, toy } from "../support/toy.ts";
import { typesOf } from "../support/types-generator/index.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const PROGRAM = `
import createClient from "openapi-fetch";
import type * as client from "tiled-auth/client";
import type { components, paths } from "./tiled.ts";

type Schemas = components["schemas"];
type Both<A, B extends A> = B;
/** Read only in the library. */
type Lists = "scopes" | "access_tags";
/** The document and the library have the same types. */
export type Same = [
  Both<client.ApiKey, Schemas["ApiKey"]>,
  Both<client.NewApiKey, Schemas["NewApiKey"]>,
  Both<client.Principal, Schemas["Principal"]>,
  Both<client.Provider, Schemas["Provider"]>,
  Both<client.ServerInfo, Schemas["ServerInfo"]>,
  Both<client.Tokens, Schemas["Tokens"]>,
  Both<client.Tokens, Schemas["LoginTokens"]>,
  Both<Schemas["Tokens"]["access_token"], client.Tokens["access_token"]>,
  Both<keyof Schemas["Principal"], keyof client.Principal>,
  Both<keyof Schemas["NewApiKey"], keyof client.NewApiKey>,
  Both<Schemas["Principal"]["type"], client.Principal["type"]>,
  Both<Omit<Schemas["ApiKey"], Lists>, Omit<client.ApiKey, Lists>>,
];

export async function program(context: client.Context, password: string) {
  const api = createClient<paths>({ baseUrl: context.baseUrl, fetch: context.fetch });
  const refused = await api.POST("/api/v1/auth/provider/{provider}/token", {
    params: { path: { provider: "toy" } },
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: { username: "alice", password: "wrong" },
  });
  const login = await api.POST("/api/v1/auth/provider/{provider}/token", {
    params: { path: { provider: "toy" } },
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: { username: "alice", password },
  });
  if (login.data === undefined) throw new Error("no login");
  await context.configureAuth(login.data);
  const { data: me } = await api.GET("/api/v1/auth/whoami");
  const made = await api.POST("/api/v1/auth/apikey", {
    body: { expires_in: 60, scopes: ["read:metadata"], note: "generated" },
  });
  const { data: after } = await api.GET("/api/v1/auth/whoami");
  const listed = after?.api_keys.map(({ note }) => note);
  const key = made.data?.first_eight ?? "";
  const revoked = await api.DELETE("/api/v1/auth/apikey", { params: { query: { first_eight: key } } });
  const { data: principals } = await api.GET("/api/v1/auth/principal", {
    params: { query: { "page[limit]": 10 } },
  });
  const invalid = await api.POST("/api/v1/auth/apikey", { body: { expires_in: -1, scopes: null } });
  const missing = await api.GET("/api/v1/auth/principal/{uuid}", { params: { path: { uuid: "0".repeat(32) } } });
  // @ts-expect-error: it must not compile, since the document has no such path.
  await api.GET("/api/v1/auth/nothing");
  // @ts-expect-error: it must not compile, since the body lacks a field.
  await api.POST("/api/v1/auth/session/refresh", { body: {} });
  const detail: string | readonly { readonly msg: string }[] | undefined = invalid.error?.detail;
  return {
    refused: [refused.response.status, refused.error !== undefined],
    me: me?.identities[0]?.id,
    secret: made.data?.secret.length,
    listed,
    revoked: revoked.response.status,
    principals: principals?.map(({ identities }) => identities[0]?.id),
    invalid: [invalid.response.status, detail !== undefined],
    missing: missing.error?.detail,
  };
}
`;

/** It runs in test/docs/client.test.ts. */
async function exampleOfGuide(): Promise<string> {
  const page = await readFile(join(ROOT, "docs/how-to/client.md"), "utf8");
  const examples = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, text = ""]) => text);
  return examples.find((text) => text.includes("openapi-fetch")) ?? "";
}

const COMPILER = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    target: "es2024",
    lib: ["es2024", "dom", "dom.iterable"],
    module: "nodenext",
    moduleResolution: "nodenext",
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    skipLibCheck: true,
    types: ["node"],
    paths: { "tiled-auth/client": [join(ROOT, "src/client/index.ts")] },
  },
  files: ["program.ts", "guide.ts"],
};

test("a generated client logs in, makes and revokes keys, and lists principals", {
  timeout: 120_000,
}, async (t) => {
  const cleanup = (stop: () => Promise<unknown>) => t.after(stop);
  const folder = await temporaryFolder(cleanup);
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(COMPILER));
  await writeFile(join(folder, "tiled.ts"), await typesOf(DOCUMENT));
  await writeFile(join(folder, "program.ts"), PROGRAM);
  await writeFile(join(folder, "guide.ts"), await exampleOfGuide());
  const { stdout } = await run([
    process.execPath,
    join(ROOT, "node_modules/typescript/bin/tsc"),
    "-p",
    folder,
  ]);
  assert.equal(stdout, "");

  const { url } = await startOurs(cleanup, toy());
  const { context } = await Context.fromAnyUri(url, { store: new MemoryStore() });
  const { program } = await import(pathToFileURL(join(folder, "program.ts")).href);
  assert.deepEqual(await program(context, PASSWORDS.alice), {
    refused: [401, true],
    me: "alice",
    secret: 72,
    listed: ["generated"],
    revoked: 204,
    principals: ["alice"],
    invalid: [422, true],
    missing: "No such Principal 00000000-0000-0000-0000-000000000000",
  });
});
