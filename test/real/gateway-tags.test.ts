/**
 * A Tiled with an access policy behind our gateway: people see what their tags allow, and a key that is narrowed to tags is
 * never taken for a wider one.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Api, apikey, bearer } from "../support/api.ts";
import { behind } from "../support/behind.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs } from "../support/ours.ts";
import { run, type Server } from "../support/process.ts";
import { program, withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { toy } from "../support/toy.ts";

const SCRIPT = fileURLToPath(new URL("access.py", import.meta.url));

const DEFINITIONS = `
roles: {reader: {scopes: ["read:data", "read:metadata"]}}
tags:
  chemistry: {users: [{name: bob, role: reader}]}
  physics: {users: [{name: bob, role: reader}, {name: cara, role: reader}]}
  open: {auto_tags: [{name: public}]}
tag_owners: {}
`;
const ENTRIES = { chemistry: ["chemistry"], physics: ["physics"], open: ["open"], none: [] };

async function python(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run([program("python"), SCRIPT, ...args], {
    env: { PYTHONWARNINGS: "ignore" },
  });
  assert.equal(code, 0, stderr);
}

/** `shared`: both on one database of logins. */
async function scene(t: TestContext, shared: boolean): Promise<{ api: Api; front: Server }> {
  const cleanup = t.after.bind(t);
  const folder = await temporaryFolder(cleanup);
  const uri = `sqlite:///${folder}/catalog.db`;
  const initialized = await run([program("tiled"), "catalog", "init", uri]);
  assert.equal(initialized.code, 0, initialized.stderr);
  await writeFile(`${folder}/tags.yml`, DEFINITIONS);
  await python("compile", uri.replace("sqlite:", "sqlite+aiosqlite:"), `${folder}/tags.yml`, "{}");
  const database = shared
    ? { database: { uri: `sqlite:///${folder}/logins.db`, init_if_not_exists: true } }
    : {};
  const tree = { uri, writable_storage: `${folder}/storage`, top_level_access_tags: ["public"] };
  const sections = {
    trees: [{ path: "/", tree: "catalog", args: tree }],
    access_control: {
      access_policy: "tiled.access_control.access_policies:TagBasedAccessPolicy",
      args: { provider: "toy", access_tags_parser: "tiled.access_control.access_tags:AccessTagsParser" },
    },
    ...database,
  };
  const real = await startReference(cleanup, behind(sections, { allow_anonymous_access: true }));
  const config = toy({
    authentication: { allow_anonymous_access: true, refresh_token_rotation: false },
    trees: [{ path: "/", upstream: real.url, ...(shared && { shares_database: true }) }],
    ...database,
  });
  const front = await startOurs(cleanup, config);
  const api = new Api(front.url);
  const { secret } = await api.makeKey(bearer(await api.login("alice")));
  await python("fill", front.url, secret, JSON.stringify(ENTRIES));
  return { api, front };
}

async function listed(api: Api, credential?: string): Promise<readonly string[] | number> {
  const { status, body } = await api.call<{ data: { id: string }[] }>("GET", "/search/", credential);
  return status === 200 ? body.data.map(({ id }) => id) : status;
}

const TIMEOUT = { timeout: 300_000 };
const NARROW = { scopes: ["read:metadata", "read:data"], access_tags: ["physics", "public"] };

describe("with tags on the real Tiled's catalog", { skip: withoutTiled() }, () => {
  test(
    "each person sees their own data, with a token or a key; a restricted key is refused",
    TIMEOUT,
    async (t) => {
      const { api } = await scene(t, false);
      const bob = bearer(await api.login("bob"));
      assert.deepEqual(await listed(api), ["open"]);
      assert.deepEqual(await listed(api, bob), ["chemistry", "physics", "open"]);
      assert.deepEqual(await listed(api, apikey(await api.makeKey(bob))), ["chemistry", "physics", "open"]);
      assert.deepEqual(await listed(api, bearer(await api.login("cara"))), ["physics", "open"]);
      assert.deepEqual(await listed(api, bearer(await api.login("alice"))), Object.keys(ENTRIES));
      assert.equal(
        (await api.call("GET", "/metadata/chemistry", bearer(await api.login("cara")))).status,
        404,
      );
      assert.equal(await listed(api, apikey(await api.makeKey(bob, NARROW))), 403);
    },
  );

  test("on a shared database a restricted key shows the data of its tags", TIMEOUT, async (t) => {
    const { api, front } = await scene(t, true);
    const bob = bearer(await api.login("bob"));
    const { secret } = await api.makeKey(bob, NARROW);
    assert.deepEqual(await listed(api, `Apikey ${secret}`), ["physics"]);
    const byQuery = await fetch(`${front.url}/api/v1/search/?api_key=${secret}`);
    assert.deepEqual(
      ((await byQuery.json()) as { data: { id: string }[] }).data.map(({ id }) => id),
      ["physics"],
    );
    const none = await api.makeKey(bob, { ...NARROW, access_tags: [] });
    assert.deepEqual(await listed(api, apikey(none)), []);
    assert.deepEqual(await listed(api, bob), ["chemistry", "physics", "open"]);
  });
});
