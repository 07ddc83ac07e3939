/** What people and services may do by CAVE's rules. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CaveRules, CaveRulesInForce } from "../../../src/domain/cave/rules.ts";
import type { CaveDataset, CaveGroup, CavePerson, CaveSettings } from "../../../src/domain/model/cave.ts";
import type { Uuid } from "../../../src/lib/uuid.ts";

const SERVICE = "5f7c6b1e-0000-4000-8000-000000000001" as Uuid;
const TERMS = { id: 2, name: "microns", text: "Be nice." };

const at = (id: string, provider = "orcid") => ({ provider, id });

function dataset(name: string, id: number, more: Partial<CaveDataset> = {}): CaveDataset {
  return { id, name, tos: null, admins: [], tables: new Map(), ...more };
}

function group(name: string, id: number, more: Partial<CaveGroup> = {}): CaveGroup {
  return { id, name, everyone: false, members: [], admins: [], permissions: new Map(), ...more };
}

function rules(settings: Partial<CaveSettings>): CaveRules {
  return new CaveRules({
    admins: [],
    origins: [],
    loginTokenMaxAge: 86_400,
    tos: [TERMS],
    datasets: [],
    groups: [],
    ...settings,
  });
}

function person(more: Partial<CavePerson> = {}): CavePerson {
  return {
    id: 7,
    uuid: "11111111-0000-4000-8000-000000000007" as Uuid,
    type: "user",
    created: new Date(0),
    name: "Ada",
    email: "",
    identities: [at("ada")],
    acceptedTos: [],
    ...more,
  };
}

const service = (uuid: Uuid = SERVICE) => person({ uuid, type: "service", identities: [] });

test("permissions are the union over the groups of all of a person's identities", () => {
  const found = rules({
    datasets: [dataset("minnie", 1), dataset("fafb", 2)],
    groups: [
      group("viewers", 1, { members: [at("ada")], permissions: new Map([["minnie", ["view"]]]) }),
      group("editors", 2, {
        members: [at("ada@lab", "lab")],
        permissions: new Map([
          ["fafb", ["view"]],
          ["minnie", ["view", "edit"]],
        ]),
      }),
      group("others", 3, { members: [at("bob")], permissions: new Map([["minnie", ["publish"]]]) }),
    ],
  }).rightsOf(person({ identities: [at("ada@lab", "lab"), at("ada")] }));
  assert.deepEqual(found.groups, ["viewers", "editors"]);
  assert.deepEqual(
    [...found.permissions],
    [
      ["minnie", ["view", "edit"]],
      ["fafb", ["view"]],
    ],
  );
  assert.deepEqual(found.permissionsIgnoringTos, found.permissions);
  assert.equal(found.someAdmin, false);
});

test("the same id at another provider is another person", () => {
  const found = rules({ groups: [group("g", 1, { members: [at("ada", "lab")], admins: [at("ada", "x")] })] });
  assert.deepEqual(found.rightsOf(person()).groups, []);
});

test("a group for everyone holds every person, and a service only by its UUID", () => {
  const open = group("all", 1, { everyone: true, permissions: new Map([["minnie", ["view"]]]) });
  const closed = rules({ datasets: [dataset("minnie", 1)], groups: [open] });
  assert.deepEqual(closed.rightsOf(person({ identities: [] })).groups, ["all"]);
  assert.deepEqual(closed.rightsOf(service()).groups, []);
  assert.equal(closed.rightsOf(service()).permissions.size, 0);

  const named = rules({ groups: [{ ...open, members: [{ service: SERVICE }] }] });
  assert.deepEqual(named.rightsOf(service()).groups, ["all"]);
  const other = "5f7c6b1e-0000-4000-8000-000000000002" as Uuid;
  assert.deepEqual(named.rightsOf(service(other)).groups, []);
});

test("terms withhold nothing from a service, which cannot accept them", () => {
  const terms = { id: 4, name: "t", text: "Be kind." };
  const found = rules({
    tos: [terms],
    datasets: [dataset("d", 1, { tos: terms })],
    groups: [
      group("g", 1, {
        everyone: true,
        members: [{ service: SERVICE }],
        permissions: new Map([["d", ["view"]]]),
      }),
    ],
  });
  assert.deepEqual(found.rightsOf(service()).permissions.get("d"), ["view"]);
  assert.deepEqual(found.rightsOf(service()).missingTos, []);
  assert.equal(found.rightsOf(person()).permissions.size, 0);
});

test("a person's UUID does not make them the service of a group", () => {
  const found = rules({ groups: [group("g", 1, { members: [{ service: SERVICE }] })] });
  assert.deepEqual(found.rightsOf(person({ uuid: SERVICE })).groups, []);
});

test("admins of a group are members, too; admins of a dataset get no permission", () => {
  const found = rules({
    datasets: [dataset("minnie", 1, { admins: [at("ada")] }), dataset("fafb", 2)],
    groups: [group("g", 4, { admins: [at("ada")], permissions: new Map([["fafb", ["view"]]]) })],
  }).rightsOf(person());
  assert.deepEqual(found.groups, ["g"]);
  assert.deepEqual([...found.permissions.keys()], ["fafb"]);
  assert.deepEqual(
    found.adminOfGroups.map(({ id }) => id),
    [4],
  );
  assert.deepEqual(
    found.adminOfDatasets.map(({ name }) => name),
    ["minnie"],
  );
  assert.equal(found.someAdmin, true);
  assert.equal(found.superadmin, false);
});

test("a superadmin has no permission by that", () => {
  const found = rules({ admins: [at("ada")], datasets: [dataset("minnie", 1)] }).rightsOf(person());
  assert.equal(found.superadmin, true);
  assert.equal(found.someAdmin, true);
  assert.equal(found.permissions.size, 0);
  assert.deepEqual(found.adminOfGroups, []);
});

test("services count as some admin, and are never superadmins", () => {
  const found = rules({ admins: [at("ada")] }).rightsOf(
    person({ uuid: SERVICE, type: "service", identities: [at("ada")] }),
  );
  assert.equal(found.superadmin, false);
  assert.equal(found.someAdmin, true);
});

test("a dataset with terms that were not accepted counts apart", () => {
  const minnie = dataset("minnie", 1, { tos: TERMS });
  const all = rules({
    datasets: [minnie, dataset("fafb", 2)],
    groups: [
      group("all", 1, {
        everyone: true,
        permissions: new Map([
          ["minnie", ["view"]],
          ["fafb", ["view"]],
        ]),
      }),
    ],
  });
  const before = all.rightsOf(person({ acceptedTos: [1, 3] }));
  assert.deepEqual([...before.permissions.keys()], ["fafb"]);
  assert.deepEqual([...before.permissionsIgnoringTos.keys()], ["minnie", "fafb"]);
  assert.deepEqual(before.missingTos, [minnie]);
  const after = all.rightsOf(person({ acceptedTos: [2] }));
  assert.deepEqual([...after.permissions.keys()], ["minnie", "fafb"]);
  assert.deepEqual(after.missingTos, []);
});

test("terms of a dataset without a permission are not missing", () => {
  const found = rules({
    datasets: [dataset("minnie", 1, { tos: TERMS })],
    groups: [group("all", 1, { everyone: true, permissions: new Map([["minnie", []]]) })],
  }).rightsOf(person());
  assert.deepEqual(found.missingTos, []);
  assert.equal(found.permissionsIgnoringTos.size, 0);
});

test("a permission for an unknown dataset grants nothing", () => {
  const found = rules({
    groups: [group("all", 1, { everyone: true, permissions: new Map([["gone", ["view"]]]) })],
  }).rightsOf(person());
  assert.equal(found.permissionsIgnoringTos.size, 0);
});

test("tables are found by their namespace, and names of objects' properties are only names", () => {
  const tables = new Map([
    ["datastack", ["minnie65"]],
    ["pychunkedgraph", ["minnie3_v1"]],
  ]);
  const found = rules({ datasets: [dataset("minnie", 1, { tables })] });
  assert.equal(found.datasetOf("datastack", "minnie65"), "minnie");
  assert.equal(found.datasetOf("pychunkedgraph", "minnie3_v1"), "minnie");
  assert.equal(found.datasetOf("pychunkedgraph", "minnie65"), undefined);
  for (const name of ["__proto__", "constructor", "toString", "..", "\0", ""]) {
    assert.equal(found.datasetOf(name, "minnie65"), undefined);
    assert.equal(found.datasetOf("datastack", name), undefined);
    const named = person({ identities: [at(name), at("ada", name)] });
    assert.deepEqual(found.rightsOf(named).groups, []);
  }
});

test("a table, dataset, group or provider may be called __proto__", () => {
  const found = rules({
    datasets: [dataset("__proto__", 1, { tables: new Map([["__proto__", ["__proto__"]]]) })],
    groups: [
      group("__proto__", 1, {
        members: [at("__proto__", "__proto__")],
        permissions: new Map([["__proto__", ["__proto__"]]]),
      }),
    ],
  });
  assert.equal(found.datasetOf("__proto__", "__proto__"), "__proto__");
  const rights = found.rightsOf(person({ identities: [at("__proto__", "__proto__")] }));
  assert.deepEqual(rights.groups, ["__proto__"]);
  assert.deepEqual([...rights.permissions], [["__proto__", ["__proto__"]]]);
});

test("groups and terms are found by id", () => {
  const found = rules({ groups: [group("g", 4)] });
  assert.equal(found.group(4)?.name, "g");
  assert.equal(found.group(1), undefined);
  assert.equal(found.terms(2), TERMS);
  assert.equal(found.terms(4), undefined);
});

test("only origins that the rules name may be handed a token", () => {
  const found = rules({ origins: ["https://viewer.example.org"] });
  assert.equal(found.allowsOrigin("https://viewer.example.org"), true);
  for (const near of [
    "https://viewer.example.org:444",
    "http://viewer.example.org",
    "https://viewer.example.org/",
    "https://x.viewer.example.org",
    "null",
    "",
  ])
    assert.equal(found.allowsOrigin(near), false);
});

test("a reload replaces the rules, and those read before stay as they were", () => {
  const inForce = new CaveRulesInForce(rules({ groups: [group("old", 1, { everyone: true })] }).settings);
  const before = inForce.current;
  const ada = person();
  assert.equal(before.rightsOf(ada), before.rightsOf(ada));
  inForce.replace(rules({ groups: [group("new", 1, { everyone: true })] }).settings);
  assert.deepEqual(before.rightsOf(ada).groups, ["old"]);
  assert.deepEqual(inForce.current.rightsOf(ada).groups, ["new"]);
});
