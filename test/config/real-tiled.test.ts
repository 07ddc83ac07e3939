/**
 * Data that only a real Tiled serves is one error with the steps to take, never an empty server. Forms of older Tiled.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, TREES, wrong } from "./support.ts";

const UPSTREAM = 'trees: [{path: /, upstream: "http://127.0.0.1:8001"}]\n';
const TOY =
  'authentication: {providers: [{provider: toy, authenticator: "tiled.authenticators:DummyAuthenticator"}], secret_keys: ["0123456789abcdef0123456789abcdef"]}\n';

/** The one problem: its place, and the lines of its list. */
function report(yaml: string): readonly string[] {
  const found = wrong(yaml);
  assert.equal(found.length, 1, found.join("\n"));
  const text = found[0] ?? "";
  assert.match(
    text,
    /\n {2}'tiled config migrate .*config\.yml' writes both files\. See docs\/how-to\/migrating\.md/,
  );
  assert.doesNotMatch(text, /hunter2/);
  return text.split("\n").filter((line, index) => index === 0 || line.startsWith("    "));
}

const NEEDS =
  "this configuration needs a real Tiled behind this server. Without one, these would be missing:";
const JOINS =
  "these settings belong in the configuration of the Tiled behind (trees[0]: http://127.0.0.1:8001) and have no effect here:";

/** [name, file, first line, list]. */
const CASES: readonly (readonly [string, string, string, readonly string[]])[] = [
  [
    "a catalog as a tree",
    'trees: [{path: /, tree: catalog, args: {uri: "postgresql://u:hunter2@h/d", writable_storage: ./data}}]\n',
    `1 trees[0].tree: ${NEEDS}`,
    ["trees[0] ('/'): a catalog ('catalog')"],
  ],
  [
    "a catalog as a section",
    "catalog: {uri: ./c.db, writable_storage: ./data}\n",
    `1 catalog: ${NEEDS}`,
    ["catalog: a catalog"],
  ],
  ...["tiled.catalog:from_uri", "tiled.catalog:in_memory", "tiled.catalog.adapter:from_uri"].map(
    (name) =>
      [
        `${name} beside a tree of ours`,
        `${TREES.replace("path: /", "path: /demo").replace("}]", `}, {path: /raw, tree: "${name}"}]`)}`,
        `1 trees[1].tree: ${NEEDS}`,
        [`trees[1] ('/raw'): a catalog ('${name}')`],
      ] as const,
  ),
  [
    "two trees of databroker, in one line",
    'trees:\n- {path: /one, tree: "databroker.mongo_normalized:Tree.from_uri", args: {uri: "mongodb://u:hunter2@h/1"}}\n- {path: /two, tree: "databroker.mongo_normalized:Tree.from_uri"}\n',
    `2 trees[0].tree: ${NEEDS}`,
    [
      "trees[0] ('/one') and trees[1] ('/two'): the Python tree 'databroker.mongo_normalized:Tree.from_uri'; one upstream serves all of them",
    ],
  ],
  [
    "everything at once",
    `${TOY}trees: [{path: /, tree: catalog}]\nmedia_types: {array: {application/x-lab: "lab:to_lab"}}\nfile_extensions: {lab: application/x-lab}\nspecs: [{spec: xdi}]\nreject_undeclared_specs: true\nexpose_raw_assets: false\nrouters: ["lab:router"]\nstreaming_cache: {uri: "redis://:hunter2@h"}\nwebhooks: {secret_keys: [hunter2]}\ncreate_mount_nodes_if_not_exist: true\naccess_control: {access_policy: "tiled.access_control.access_policies:TagBasedAccessPolicy", args: {provider: toy, access_tags_parser: "lab:Parser"}}\n`,
    `2 trees[0].tree: ${NEEDS}`,
    [
      "trees[0] ('/'): a catalog ('catalog')",
      "media_types: exporters",
      "file_extensions: exporters",
      "specs: specs of uploads",
      "reject_undeclared_specs: specs of uploads",
      "expose_raw_assets: assets",
      "routers: routes in Python",
      "streaming_cache: streaming",
      "webhooks: webhooks",
      "create_mount_nodes_if_not_exist: catalogs",
      "access_control: the policy 'tiled.access_control.access_policies:TagBasedAccessPolicy' covers trees of a Tiled or needs one (policies of this server: docs/how-to/access-control.md)",
    ],
  ],
  [
    "exporters with an upstream",
    `${UPSTREAM}media_types: {array: {application/x-lab: "lab_exporters:to_lab"}}\nfile_extensions: {lab: application/x-lab}\n`,
    `2 media_types: ${JOINS}`,
    ["media_types: exporters", "file_extensions: exporters"],
  ],
  [
    "a policy with upstreams only",
    `${TOY}${UPSTREAM}access_control: {access_policy: "tiled.access_control.access_policies:DummyAccessPolicy", args: null}\n`,
    `3 access_control: ${JOINS}`,
    [
      "access_control: the policy 'tiled.access_control.access_policies:DummyAccessPolicy' applies to no tree of this server",
    ],
  ],
  [
    "a policy with a database of tags beside an upstream",
    `${TOY}${UPSTREAM}access_control:\n  access_policy: "tiled.access_control.access_policies:TagBasedAccessPolicy"\n  args: {provider: toy, tags_db: {uri: "file:tags.db"}, access_tags_parser: "tiled.access_control.access_tags:AccessTagsParser"}\n`,
    `3 access_control: ${JOINS}`,
    [
      "access_control: the policy 'tiled.access_control.access_policies:TagBasedAccessPolicy' applies to no tree of this server",
    ],
  ],
  [
    "a policy with a database of tags over a tree of ours",
    `${TOY}${TREES}access_control:\n  access_policy: "tiled.access_control.access_policies:TagBasedAccessPolicy"\n  args: {provider: toy, tags_db: {uri: "file:tags.db"}}\n`,
    `3 access_control: ${NEEDS}`,
    [
      "access_control: the policy 'tiled.access_control.access_policies:TagBasedAccessPolicy' covers trees of a Tiled or needs one (policies of this server: docs/how-to/access-control.md)",
    ],
  ],
  [
    "a policy by its Python name",
    `${TOY}${TREES}access_control: {access_policy: "tiled.access_control.access_policies:ExternalPolicyDecisionPoint", args: {}}\n`,
    `3 access_control: ${NEEDS}`,
    [
      "access_control: the policy 'tiled.access_control.access_policies:ExternalPolicyDecisionPoint' covers trees of a Tiled or needs one (policies of this server: docs/how-to/access-control.md)",
    ],
  ],
  [
    "routes in Python",
    `${TREES}routers: ["bluesky_tiled_plugins.routers:my_router"]\n`,
    `2 routers: ${NEEDS}`,
    ["routers: routes in Python"],
  ],
];

describe("data that only a real Tiled serves", () => {
  for (const [name, yaml, where, named] of CASES) {
    it(name, () => {
      const [first, ...lines] = report(yaml);
      assert.equal(first, where);
      assert.deepEqual(
        lines.map((line) => line.trim()),
        named,
      );
    });
  }

  it("the steps: the file in a Tiled on loopback, an upstream, the same keys", () => {
    const [text = ""] = wrong("trees: [{path: /, tree: catalog}]\n");
    assert.match(text, /1\. Run this file in a real Tiled on loopback/);
    assert.match(text, /2\. Put this server in front of it \(trees: \[\{path: \/, upstream: "http:\/\/127/);
    assert.match(text, /3\. Give both the same authentication\.secret_keys/);
  });

  it("of a folder, the folder is migrated", () => {
    const [text = ""] = wrong({
      "a.yml": "catalog: {uri: ./c.db}\n",
      "b.yml": "metrics: {prometheus: true}\n",
    });
    assert.match(text, /'tiled config migrate .*config\.d' writes both files/);
  });

  it("an unsupported example of Tiled is not reported as a misspelling, and a misspelling is", () => {
    assert.match(
      wrong('trees: [{path: /, tree: "tiled.examples.nexus:tree"}]\n').join(),
      /the Python tree 'tiled\.examples\.nexus:tree'/,
    );
    assert.match(
      wrong('trees: [{path: /, tree: "tiled.examples.generate:tree"}]\n').join(),
      /id you mean 'tiled\.examples\.generated:tree'/,
    );
  });

  it("a policy before a service that is no Tiled protects nothing", () => {
    const yaml = `${TOY}${UPSTREAM.replace("}]", ", kind: http}]")}access_control: {access_policy: "tiled.access_control.access_policies:DummyAccessPolicy", args: null}\n`;
    assert.match(
      wrong(yaml).join(),
      /^3 access_control: this configuration needs a real Tiled.*\n {4}access_control: the policy .* applies to no tree/,
    );
  });

  it("sections that say nothing are no error beside an upstream", () => {
    const nothing =
      "media_types: {}\nspecs: []\nexpose_raw_assets: true\nreject_undeclared_specs: false\nrouters:\nresponse_bytesize_limit: 300000000\ncatalog:\n";
    assert.equal(load(`${UPSTREAM}${nothing}`).upstreams.length, 1);
  });

  it("a policy with a file of definitions may also name Tiled's parser of tags", () => {
    const yaml = `${TOY}${TREES}access_control: {access_policy: "tiled.access_control.access_policies:TagBasedAccessPolicy", args: {provider: toy, access_tags_parser: "tiled.access_control.access_tags:AccessTagsParser", tag_definitions: ./tags.yml}}\n`;
    assert.notEqual(load(yaml).accessControl, null);
  });

  it("a policy of ours over a tree of ours stays ours beside an upstream, and one that decides nothing says so", () => {
    const yaml = `${TOY}trees: [{path: /ours, tree: "tiled.examples.generated_minimal:tree"}, {path: /theirs, upstream: "http://127.0.0.1:8001"}]\naccess_control: {access_policy: "tiled.access_control.access_policies:TagBasedAccessPolicy", args: {provider: toy, tag_definitions: ./tags.yml}}\n`;
    const config = load(yaml);
    assert.notEqual(config.accessControl, null);
    assert.match(
      config.warnings.join("\n"),
      /access_control: no entry has a tag, so the policy has no effect/,
    );
    const tagged = yaml.replace('minimal:tree"', 'minimal:tree", access_tags: [blue]');
    assert.doesNotMatch(load(tagged).warnings.join("\n"), /decides nothing/);
  });
});

describe("forms of older Tiled", () => {
  it("a single authenticator is one error that shows the same as a provider, without values", () => {
    const found = wrong(
      `authentication: {authenticator: "tiled.authenticators:PAMAuthenticator", args: {service: hunter2}}\n${TREES}`,
    );
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(
      found[0] ?? "",
      /^1 authentication\.authenticator: .*providers: \[\{provider: pam, authenticator: "tiled\.authenticators:PAMAuthenticator", args: \{service: …\}\}\]/,
    );
    assert.doesNotMatch(found.join(), /hunter2/);
  });

  for (const [name, yaml, hint] of [
    [
      "catalogs",
      `catalogs: [{path: /, catalog: x}]\n${TREES}`,
      /'catalogs'; this form is from Tiled of 2021; use trees/,
    ],
    [
      "a policy of one tree",
      TREES.replace("}]", ", access_control: {access_policy: x}}]"),
      /'access_control'; a policy of one tree is from an older Tiled/,
    ],
    [
      "a client's profile",
      `lab: {direct: {trees: []}}\n${TREES}`,
      /unknown key 'lab'; this looks like a profile of Tiled's client/,
    ],
  ] as const) {
    it(`${name}: the error shows the form of today`, () => {
      assert.match(wrong(yaml).join("\n"), hint);
    });
  }
});
