/**
 * The same tag definitions on a folder that we serve and, compiled, on the catalog of a real Tiled: the same people with the
 * same keys see and may read the same of it.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Api, apikey, bearer } from "../support/api.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs } from "../support/ours.ts";
import { run } from "../support/process.ts";
import { program, withoutTiled } from "../support/python.ts";
import { startReference } from "../support/reference.ts";
import { toy } from "../support/toy.ts";
import { npy } from "../trees/files/support.ts";

const SCRIPT = fileURLToPath(new URL("access.py", import.meta.url));

const GROUPS = { group_A: ["bob", "nobody"], empty: [] };

/** `service`: the uuid of a service, which each server makes for itself. */
function definitions(service: string): string {
  return `
roles:
  reader: {scopes: ["read:data", "read:metadata"]}
  looker: {scopes: ["read:metadata"]}
tags:
  group: {groups: [{name: group_A, role: reader}, {name: empty, role: reader}, {name: unknown, role: reader}], auto_tags: [{name: staff}]}
  bobs: {users: [{name: bob, scopes: ["read:data", "read:metadata"]}]}
  look: {users: [{name: bob, role: looker}, {name: ${service}, role: looker}]}
  data_only: {users: [{name: cara, scopes: ["read:data"]}]}
  open: {auto_tags: [{name: Public}]}
  through: {auto_tags: [{name: open}], users: [{name: bob, scopes: ["write:data"]}]}
  deep1: {auto_tags: [{name: deep2}]}
  deep2: {auto_tags: [{name: deep3}], users: [{name: bob, role: looker}]}
  deep3: {auto_tags: [{name: deep4}]}
  deep4: {auto_tags: [{name: staff}]}
  staff: {users: [{name: cara, role: reader}]}
  services: {users: [{name: ${service}, role: reader}]}
  nobodys: {}
tag_owners: {staff: {users: [{name: cara}], groups: [{name: group_A}]}}
`;
}

/** The entries, and what they bear. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  group: ["group"],
  bobs: ["bobs"],
  look: ["look"],
  data_only: ["data_only"],
  data_only_and_look: ["data_only", "look"],
  open: ["open"],
  through: ["through"],
  deep: ["deep1"],
  staff: ["staff"],
  services: ["services"],
  nobodys: ["nobodys"],
  public: ["public"],
  public_and_staff: ["public", "staff"],
  none: [],
};

const KEYS: readonly (readonly string[])[] = [
  [],
  ["public"],
  ["group"],
  ["group", "public"],
  ["look", "public", "open"],
  ["through", "public"],
  ["deep1", "public"],
  ["deep4", "staff", "public"],
  ["user:bob", "public", "nobodys"],
  ["PUBLIC", "Public"],
];

interface Prepared {
  readonly api: Api;
  /** Puts the definitions in force, for this service. */
  define(service: string): Promise<void>;
}

const POLICY = "tiled.access_control.access_policies:TagBasedAccessPolicy";
const PARSER = "tiled.access_control.access_tags:AccessTagsParser";
const OPEN = { allow_anonymous_access: true };

async function python(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run([program("python"), SCRIPT, ...args], {
    env: { PYTHONWARNINGS: "ignore" },
  });
  assert.equal(code, 0, stderr);
}

async function theirs(t: TestContext): Promise<Prepared> {
  const folder = await temporaryFolder(t.after.bind(t));
  const uri = `sqlite:///${folder}/catalog.db`;
  const initialized = await run([program("tiled"), "catalog", "init", uri]);
  assert.equal(initialized.code, 0, initialized.stderr);
  const compile = async (service: string) => {
    await writeFile(`${folder}/tags.yml`, definitions(service));
    await python(
      "compile",
      uri.replace("sqlite:", "sqlite+aiosqlite:"),
      `${folder}/tags.yml`,
      JSON.stringify(GROUPS),
    );
  };
  await compile("none-yet");
  const config = toy({
    authentication: OPEN,
    trees: [
      {
        path: "/",
        tree: "catalog",
        args: { uri, writable_storage: `${folder}/storage`, top_level_access_tags: ["public"] },
      },
    ],
    access_control: { access_policy: POLICY, args: { provider: "toy", access_tags_parser: PARSER } },
  });
  const server = await startReference(t.after.bind(t), config);
  const api = new Api(server.url);
  const { secret } = await api.makeKey(bearer(await api.login("alice")));
  await python("fill", server.url, secret, JSON.stringify(ENTRIES));
  return { api, define: compile };
}

async function ours(t: TestContext): Promise<Prepared> {
  const folder = await temporaryFolder(t.after.bind(t));
  for (const name of Object.keys(ENTRIES)) {
    await mkdir(`${folder}/data/${name}`, { recursive: true });
    await writeFile(`${folder}/data/${name}/x.npy`, npy([0, 1, 2]));
  }
  const lines = Object.entries(ENTRIES).flatMap(([name, tags]) => [
    `${name}: ${JSON.stringify(tags)}`,
    `${name}/**: ${JSON.stringify(tags)}`,
  ]);
  await writeFile(`${folder}/data_tags.yml`, `${lines.join("\n")}\n`);
  const file = `${folder}/tags.yml`;
  await writeFile(file, definitions("none-yet"));
  const config = toy({
    authentication: OPEN,
    trees: [
      {
        path: "/",
        tree: "files",
        args: { directory: `${folder}/data`, access_tags_file: `${folder}/data_tags.yml` },
        access_tags: ["public"],
      },
    ],
    access_control: {
      access_policy: POLICY,
      args: { provider: "toy", access_tags_parser: PARSER, tag_definitions: file, groups: GROUPS },
    },
  });
  const server = await startOurs(t.after.bind(t), config);
  return {
    api: new Api(server.url),
    define: async (service) => {
      const inForce = () => server.output().split("definitions are in force").length;
      const before = inForce();
      await writeFile(file, definitions(service));
      assert.ok(await eventually(20, async () => inForce() > before));
    },
  };
}

/** All callers, by their credentials. */
async function callers(api: Api, service: string): Promise<ReadonlyMap<string, string | undefined>> {
  const found = new Map<string, string | undefined>([["anonymous", undefined]]);
  const scopes = ["read:metadata", "read:data"];
  for (const name of ["alice", "bob", "cara"] as const) {
    const token = bearer(await api.login(name));
    found.set(name, token);
    found.set(`${name}, key`, apikey(await api.makeKey(token)));
    found.set(`${name}, metadata only`, apikey(await api.makeKey(token, { scopes: ["read:metadata"] })));
    for (const tags of KEYS)
      found.set(
        `${name}, ${JSON.stringify(tags)}`,
        apikey(await api.makeKey(token, { scopes, access_tags: tags })),
      );
  }
  const admin = bearer(await api.login("alice"));
  const ofService = `/auth/principal/${service}/apikey`;
  found.set("service", apikey(await api.makeKey(admin, {}, ofService)));
  found.set(
    "service, tags",
    apikey(await api.makeKey(admin, { scopes, access_tags: ["services", "public"] }, ofService)),
  );
  return found;
}

interface Node {
  readonly id: string;
  readonly attributes: { readonly access_tags: readonly string[] | null };
}

/** What one caller is told, as far as both servers have words of their own for it. */
async function answers(api: Api, credential: string | undefined): Promise<Readonly<Record<string, unknown>>> {
  const list = await api.call<{ data: readonly Node[]; meta: { count: number } }>(
    "GET",
    "/search/",
    credential,
  );
  const root = await api.call<{ data: { attributes: { structure: { count: number } } } }>(
    "GET",
    "/metadata/",
    credential,
  );
  const report: Record<string, unknown> = {
    list: list.body.data
      .map(({ id, attributes }) => `${id} ${JSON.stringify(attributes.access_tags?.toSorted())}`)
      .sort(),
    count: list.body.meta.count,
    "count of the root": root.body.data.attributes.structure.count,
  };
  for (const name of Object.keys(ENTRIES)) {
    for (const path of [`metadata/${name}`, `array/full/${name}/x`]) {
      const { status, body } = await api.call<{ detail?: string; meta?: { count: number } }>(
        "GET",
        `/${path}${path.startsWith("array") ? "?format=json" : ""}`,
        credential,
      );
      report[path] = status === 200 ? [status, body.meta?.count] : [status, firstSentence(body.detail)];
    }
  }
  return report;
}

function firstSentence(detail = ""): string {
  return detail.replace(/Request had scopes.*|Principal had scopes.*/, "");
}

describe("the same tag definitions", { skip: withoutTiled() }, () => {
  test("hide and show the same from the same people and keys as in a real Tiled", {
    timeout: 600_000,
  }, async (t) => {
    const [their, our] = await Promise.all([theirs(t), ours(t)]);
    const reports = await Promise.all(
      [their, our].map(async ({ api, define }) => {
        const created = await api.call<{ uuid: string }>(
          "POST",
          "/auth/principal?role=user",
          bearer(await api.login("alice")),
        );
        await define(created.body.uuid);
        const found = new Map<string, Readonly<Record<string, unknown>>>();
        for (const [name, credential] of await callers(api, created.body.uuid))
          found.set(name, await answers(api, credential));
        return found;
      }),
    );
    const [expected = new Map(), got = new Map()] = reports;
    assert.equal(expected.size, 1 + 3 * (3 + KEYS.length) + 2);
    for (const [name, report] of expected) await t.test(name, () => assert.deepEqual(got.get(name), report));
    const lists = [...expected.values()].map(({ list }) => (list as unknown[]).length);
    assert.ok(new Set(lists).size >= 6, "the callers do not see much that differs");
  });
});
