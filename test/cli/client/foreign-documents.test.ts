/** The command against servers whose documents have another form, and logouts that ended nothing. */
import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tokenFolderName } from "../../../src/client/node/folders.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";
import { type Answer, about, scripted } from "./scripted-server.ts";

const UUID = "00000000-0000-0000-0000-000000000001";
const KEY = { first_eight: "deadbeef", scopes: ["read:data"], note: null, secret: "deadbeef00" };
const TOKENS = { access_token: "a.b.c", refresh_token: "d.e.f" };
/** JSON that cannot be turned into text. */
const NO_TEXT = { toString: 1, valueOf: 1 };

/** Logged in to the server, unless `input` has the answers of a login. */
async function run(t: TestContext, args: readonly string[], answers: Record<string, Answer>, input?: string) {
  const { url } = await scripted(t, { "GET /": about({}), ...answers });
  const home = await temporaryFolder(t.after.bind(t));
  const folder = join(home, ".cache/tiled/tokens", tokenFolderName(`${url}/api/v1/`));
  await mkdir(folder, { recursive: true });
  if (input === undefined)
    for (const [name, token] of Object.entries(TOKENS)) await writeFile(join(folder, name), token);
  const env = {
    HOME: home,
    TILED_RETRY_ATTEMPTS: "1",
    ...(input !== undefined && { TILED_FORCE_PROMPT: "1" }),
  };
  const outcome = await tiled([...args, "--url", url], env, input);
  return { ...outcome, files: await readdir(folder) };
}

const person = (change: object): Answer => ({
  body: { uuid: UUID, identities: [], api_keys: [], ...change },
});
const keys = (change: object) => person({ api_keys: [{ ...KEY, ...change }] });

const FOREIGN: readonly (readonly [string, string, Answer])[] = [
  ["whoami", "GET /auth/whoami", { body: 5 }],
  ["whoami", "GET /auth/whoami", person({ identities: 5 })],
  ["whoami", "GET /auth/whoami", person({ identities: [null] })],
  ["whoami", "GET /auth/whoami", person({ identities: [{ id: NO_TEXT, provider: "lab" }] })],
  ["api_key list", "GET /auth/whoami", person({ api_keys: [null] })],
  ["api_key list", "GET /auth/whoami", keys({ scopes: [NO_TEXT] })],
  ["api_key list", "GET /auth/whoami", keys({ access_tags: [5] })],
  ["api_key list", "GET /auth/whoami", keys({ note: {} })],
  ["api_key list", "GET /auth/whoami", keys({ expiration_time: NO_TEXT })],
  ["api_key create", "POST /auth/apikey", { body: { ...KEY, secret: 5 } }],
  ["admin list-principals", "GET /auth/principal", { body: 5 }],
  ["admin list-principals", "GET /auth/principal", { body: null }],
  [`admin api-key list ${UUID}`, `GET /auth/principal/${UUID}`, { body: null }],
];

for (const [verb, what, answer] of FOREIGN)
  test(`${verb} does not take ${JSON.stringify(answer.body)} for a document of Tiled`, async (t) => {
    const { code, stdout, stderr } = await run(t, verb.split(" "), {
      "GET /auth/whoami": person({}),
      [what]: answer,
    });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^error: http:\S+ does not answer as a server of Tiled does\.\nhint: Check the address/,
    );
  });

test("a login whose answers have another form fails with one line", async (t) => {
  const token = "POST /auth/provider/lab/token";
  for (const answers of [
    { "GET /": about({ confirmation_message: 5 }) },
    { "GET /": about({ extra_scopes: 5 }) },
    { [token]: { body: { ...TOKENS, identity: { id: NO_TEXT, provider: "lab" }, principal: UUID } } },
    { [token]: { body: { ...TOKENS, identity: { id: "ann", provider: "lab" }, principal: 5 } } },
  ]) {
    const { code, stdout, stderr, files } = await run(t, ["login", "--json"], answers, "ann\npw\n");
    assert.deepEqual([code, stdout, files], [1, "", []]);
    assert.match(stderr, /error: http:\S+ does not answer as a server of Tiled does\./);
  }
});

test("details that cannot be turned into text", async (t) => {
  for (const detail of [NO_TEXT, [{ loc: [NO_TEXT], msg: NO_TEXT }], [null]]) {
    const refused = await run(t, ["whoami"], { "GET /auth/whoami": { status: 422, body: { detail } } });
    assert.deepEqual([refused.code, refused.stdout], [1, ""]);
    assert.match(refused.stderr, /^error: .*\(422, request abc123\)\n$/);
    const over = await run(t, ["whoami"], { "GET /auth/whoami": { status: 401, body: { detail } } });
    assert.doesNotMatch(over.stderr, /unexpected/);
  }
});

test("unsafe addresses of a provider whose tokens the server takes", async (t) => {
  const provider = { mode: "external", links: { client_id: "c", token_endpoint: "x" } };
  for (const link of ["javascript:alert(1)", NO_TEXT, null]) {
    const { code, stdout, stderr } = await run(t, ["whoami"], {
      "GET /": about(provider, { refresh_session: link }),
      "GET /auth/whoami": { status: 401, body: { detail: "expired" } },
    });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^error: Unsafe address of a provider: it must begin with https/);
  }
});

test("logout: a redirect or a refusal has not ended the session; the login is forgotten all the same", async (t) => {
  for (const answer of [
    {
      "POST /auth/session/revoke": {
        status: 302,
        body: "",
        headers: { location: "https://proxy.example/login" },
      },
    },
    { "POST /auth/session/revoke": { status: 403, body: { detail: "no" } } },
    { "GET /": { status: 404, body: "<h1>Not here</h1>" } },
    { "GET /": { status: 429, body: "", headers: { "retry-after": "1000000000" } } },
    { "GET /": { status: 200, body: "<h1>Log in to our proxy</h1>" } },
  ] as Record<string, Answer>[]) {
    const { code, stdout, stderr, files } = await run(t, ["logout"], answer);
    assert.deepEqual([code, stdout, files], [1, "", []]);
    assert.match(
      stderr,
      /^warning: The login was removed from this computer\. The server did not end its session/,
    );
  }
});
