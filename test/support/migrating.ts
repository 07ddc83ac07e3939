/**
 * The kinds of configurations that people have of a Tiled, the smallest of each: the rows of the table in
 * docs/how-to/migrating.md by their names, and the outcome of each.
 */

import { settings } from "./saml-idp.ts";

/** In a folder of its own: `config.yml`, or `config.d/…`, and modules beside it. */
export type Files = Readonly<Record<string, string>>;

export interface Kind {
  readonly files: Files;
  /** The outcome of `tiled config check`: no word, warnings or notes, or an error. */
  readonly check: "served" | "served, with a note" | "error";
  /** Its message or note. */
  readonly says?: RegExp;
  /** The outcome of `tiled config migrate`. */
  readonly migrate: "nothing" | "pair" | "pair, to be completed" | "errors remain" | "refused";
  /** The error that `migrate` ends with. */
  readonly left?: RegExp;
  /** Why the real Tiled cannot check its file here. */
  readonly unchecked?: string;
}

const one = (text: string, more: Files = {}): Files => ({ "config.yml": text, ...more });

const DEMO = 'trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]\n';
const KEYS = `secret_keys: ["\${SECRET_KEY}"]`;
const TOY = `authentication:
  providers:
  - provider: toy
    authenticator: tiled.authenticators:DictionaryAuthenticator
    args: {users_to_passwords: {alice: "\${ALICE_PASSWORD}", bob: "\${BOB_PASSWORD}", cara: "\${CARA_PASSWORD}"}}
  tiled_admins: [{provider: toy, id: alice}]
  ${KEYS}
`;
const SAML = JSON.stringify(settings("https://tiled.example.org/api/v1/auth/provider/lab/code"));
const provider = (authenticator: string, args: string) => `authentication:
  providers: [{provider: lab, authenticator: "${authenticator}", args: {${args}}}]
  ${KEYS}
${MEMORY}`;
const MEMORY = 'database: {uri: "sqlite:///auth.db", init_if_not_exists: true}\n';
const OIDC = `audience: app, client_id: app, client_secret: "\${OIDC_SECRET}"`;
const CATALOG =
  'trees: [{path: /, tree: catalog, args: {uri: "sqlite:///catalog.db", writable_storage: ./data, init_if_not_exists: true}}]\n';
const UPSTREAM = 'trees: [{path: /, upstream: "http://127.0.0.1:8001"}]\n';
const TAGS =
  "access_policy: tiled.access_control.access_policies:TagBasedAccessPolicy\n  args: {provider: toy, access_tags_parser: tiled.access_control.access_tags:AccessTagsParser";
const MODULE = {
  "lab_exporters.py":
    'def to_lab(mimetype, array, metadata):\n    return b"lab:" + str(array.shape).encode()\n\n\ndef validate(spec, metadata, entry, structure_family, structure):\n    return None\n',
};
const NEEDS = /this configuration needs a real Tiled behind this server/;
const JOINS = /these settings belong in the configuration of the Tiled behind/;

const served = (files: Files, says?: RegExp): Kind => ({
  files,
  check: says === undefined ? "served" : "served, with a note",
  migrate: "nothing",
  ...(says && { says }),
});
const pair = (files: Files, more: Partial<Kind> = {}): Kind => ({
  files,
  check: "error",
  says: NEEDS,
  migrate: "pair",
  ...more,
});
const mend = (files: Files, says: RegExp, left: RegExp = says): Kind => ({
  files,
  check: "error",
  says,
  migrate: "errors remain",
  left,
});

export const KINDS: Readonly<Record<string, Kind>> = {
  public: served(one(`authentication: {allow_anonymous_access: true}\n${DEMO}`)),
  "single user": served(one(`authentication: {single_user_api_key: "\${KEY}"}\n${DEMO}`)),
  "passwords in the file": served(one(`${TOY}${MEMORY}${DEMO}`)),
  PAM: served(one(`${provider("tiled.authenticators:PAMAuthenticator", "service: login")}${DEMO}`)),
  "OpenID Connect": served(
    one(
      `${provider("tiled.authenticators:OIDCAuthenticator", `${OIDC}, well_known_uri: "https://idp.example.org/.well-known/openid-configuration"`)}${DEMO}`,
    ),
  ),
  "an issuer with a trailing slash": served(
    one(
      `${provider("tiled.authenticators:OIDCAuthenticator", `${OIDC}, well_known_uri: "https://idp.example.org/application/o/app/.well-known/openid-configuration"`)}${DEMO}`,
    ),
  ),
  ORCID: served(
    one(
      `${provider("tiled.authenticators:OIDCAuthenticator", `${OIDC}, well_known_uri: "https://orcid.org/.well-known/openid-configuration", confirmation_message: "You have logged in with ORCID as {id}."`)}${DEMO}`,
    ),
  ),
  Google: served(
    one(
      `${provider("tiled.authenticators:OIDCAuthenticator", `${OIDC}, well_known_uri: "https://accounts.google.com/.well-known/openid-configuration"`)}${DEMO}`,
    ),
  ),
  "OpenID Connect with a proxied provider": served(
    one(
      `${provider("tiled.authenticators:ProxiedOIDCAuthenticator", 'audience: app, client_id: app, device_flow_client_id: cli, well_known_uri: "https://idp.example.org/.well-known/openid-configuration"')}${DEMO}`,
    ),
  ),
  "the callback of Tiled's own interface": served(
    one(
      `${provider("tiled.authenticators:OIDCAuthenticator", `${OIDC}, well_known_uri: "https://idp.example.org/.well-known/openid-configuration", redirect_on_success: "https://tiled.example.org/ui/auth-callback"`)}${UPSTREAM}`,
    ),
    /it needs args\.tokens_in_redirect: true/,
  ),
  "numbers and booleans in quotes": served(
    one(
      `authentication: {allow_anonymous_access: "true"}\nmetrics: {prometheus: "1"}\nuvicorn: {host: 127.0.0.1, port: "8000"}\n${DEMO}`,
    ),
  ),
  PostgreSQL: served(
    one(
      `${TOY}database: {uri: "postgresql://tiled:\${PGPASSWORD}@db/tiled", init_if_not_exists: true}\n${DEMO}`,
    ),
  ),
  "PostgreSQL with a schema of its own": served(
    one(
      `${TOY}database: {uri: "postgresql://tiled@db/tiled?options=-csearch_path%3Dauth&target_session_attrs=read-write", init_if_not_exists: true}\n${DEMO}`,
    ),
  ),
  "behind nginx": served(
    one(
      `${TOY}${MEMORY}uvicorn: {host: 0.0.0.0, root_path: /tiled, proxy_headers: true, forwarded_allow_ips: 10.0.0.0/8}\n${DEMO}`,
    ),
  ),
  "metrics switched off": served(
    one(`authentication: {allow_anonymous_access: true}\nmetrics: {prometheus: false}\n${DEMO}`),
  ),
  "a folder of files": served({
    "config.d/auth.yml": `${TOY}${MEMORY}`,
    "config.d/trees.yml": DEMO,
  }),
  "exporters over the demo tree": served(
    one(
      `authentication: {allow_anonymous_access: true}\nmedia_types: {array: {application/x-lab: "lab_exporters:to_lab"}}\n${DEMO}`,
      MODULE,
    ),
    /accepted and of no effect here: media_types/,
  ),
  "limits and pools": served(
    one(
      `authentication: {allow_anonymous_access: true}\nresponse_bytesize_limit: 1000000\ncatalog_pool_size: 5\n${DEMO}`,
    ),
    /accepted and of no effect here: response_bytesize_limit/,
  ),

  "a catalog as a tree": pair(one(`${TOY}${MEMORY}${CATALOG}`)),
  "a catalog for visitors and people": pair(
    one(
      `${TOY.replace("  tiled_admins", "  allow_anonymous_access: true\n  tiled_admins")}${MEMORY}${CATALOG}`,
    ),
  ),
  "a catalog of a single user": pair(
    one(
      `authentication: {single_user_api_key: "\${KEY}"}\ncatalog: {uri: "sqlite:///catalog.db", writable_storage: ./data, init_if_not_exists: true}\n`,
    ),
  ),
  "our own keys with a catalog": pair(
    one(
      `${TOY}${MEMORY}server: {public_url: "https://data.example.org", trusted_proxies: [10.0.0.1]}\npages: {title: Data}\naudit: {retention_days: 30}\nallow_origins: ["https://app.example.org"]\n${CATALOG}`,
    ),
  ),
  "a catalog next to another tree": pair(
    one(
      'authentication: {allow_anonymous_access: true}\ntrees:\n- {path: /demo, tree: "tiled.examples.generated_minimal:tree"}\n# Measured by hand.\n- {path: /raw, tree: "tiled.catalog:from_uri", args: {uri: ./raw.db, init_if_not_exists: true}}\n',
    ),
  ),
  "a catalog in memory": pair(
    one(
      `${TOY}${MEMORY}trees: [{path: /, tree: "tiled.catalog:in_memory", args: {writable_storage: ./data}}]\n`,
    ),
  ),
  "a catalog in PostgreSQL": pair(
    one(
      `${TOY}${MEMORY}trees: [{path: /, tree: catalog, args: {uri: "postgresql://tiled:\${PGPASSWORD}@db/catalog"}}]\n`,
    ),
  ),
  "a catalog with buckets": pair(
    one(
      `${TOY}${MEMORY}trees: [{path: /, tree: catalog, args: {uri: ./c.db, writable_storage: [{provider: s3, uri: "http://127.0.0.1:9000", config: {access_key_id: key, secret_access_key: "\${BUCKET_SECRET}", bucket: raw}}]}}]\n`,
    ),
  ),
  "adapters by media type": pair(
    one(
      `${TOY}${MEMORY}trees: [{path: /, tree: catalog, args: {uri: ./c.db, readable_storage: [./raw], adapters_by_mimetype: {application/x-lab: "lab_exporters:to_lab"}}}]\n`,
      MODULE,
    ),
  ),
  "databroker trees": pair(
    one(
      `${TOY}${MEMORY}trees:\n- {path: /one, tree: "databroker.mongo_normalized:Tree.from_uri", args: {uri: "mongodb://127.0.0.1/one"}}\n- {path: /two, tree: "databroker.mongo_normalized:Tree.from_uri", args: {uri: "mongodb://127.0.0.1/two"}}\n`,
      // In the place of the package, which needs a MongoDB.
      {
        "databroker/__init__.py": "",
        "databroker/mongo_normalized.py":
          "from tiled.adapters.mapping import MapAdapter\n\n\nclass Tree(MapAdapter):\n    @classmethod\n    def from_uri(cls, uri):\n        return cls({}, metadata={'uri': uri})\n",
      },
    ),
    { says: /one upstream serves all of them/ },
  ),
  "a tree from your own module": pair(
    one(`${TOY}${MEMORY}trees: [{path: /, tree: "lab_trees:tree"}]\n`, {
      "lab_trees.py":
        'import numpy\nfrom tiled.adapters.array import ArrayAdapter\nfrom tiled.adapters.mapping import MapAdapter\n\ntree = MapAdapter({"x": ArrayAdapter.from_array(numpy.arange(3))})\n',
    }),
  ),
  "a folder by an adapter's name": pair(
    one(
      `authentication: {allow_anonymous_access: true}\ntrees: [{path: /, tree: "tiled.trees.files:Tree.from_directory", args: {directory: ./raw}}]\n`,
    ),
    { unchecked: "Tiled 0.2.20 has no such adapter", says: /this server serves a folder as 'files'/ },
  ),
  "exporters with a catalog": pair(
    one(
      `${TOY}${MEMORY}media_types: {array: {application/x-lab: "lab_exporters:to_lab"}}\nfile_extensions: {lab: application/x-lab}\n${CATALOG}`,
      MODULE,
    ),
  ),
  "exporters with an upstream": pair(
    one(
      `authentication: {allow_anonymous_access: true}\nmedia_types: {array: {application/x-lab: "lab_exporters:to_lab"}}\nfile_extensions: {lab: application/x-lab}\n${UPSTREAM}`,
      MODULE,
    ),
    { says: JOINS, migrate: "pair, to be completed" },
  ),
  "specs of uploads": pair(
    one(
      `${TOY}${MEMORY}specs: [{spec: xdi, validator: "lab_exporters:validate"}]\nreject_undeclared_specs: true\n${CATALOG}`,
      MODULE,
    ),
  ),
  "raw files not served": pair(one(`${TOY}${MEMORY}expose_raw_assets: false\n${CATALOG}`)),
  "streams and webhooks": pair(
    one(
      `${TOY}${MEMORY}streaming_cache: {uri: memory}\nwebhooks: {secret_keys: ["\${WEBHOOK_SECRET}"]}\ncreate_mount_nodes_if_not_exist: true\n${CATALOG}`,
    ),
  ),
  "routes in Python": pair(
    one(`authentication: {allow_anonymous_access: true}\nrouters: ["lab_routes:router"]\n${DEMO}`, {
      "lab_routes.py": "from fastapi import APIRouter\n\nrouter = APIRouter()\n",
    }),
  ),
  "a tag policy over a catalog": pair(
    one(
      `${TOY}${MEMORY}access_control:\n  ${TAGS}}\ntrees: [{path: /, tree: catalog, args: {uri: "sqlite:///catalog.db", writable_storage: ./data, top_level_access_tags: [public]}}]\n`,
    ),
  ),
  "tags in a database of their own": pair(
    one(`${TOY}${MEMORY}access_control:\n  ${TAGS}, tags_db: {uri: "file:tags.db"}}\n${CATALOG}`),
  ),
  "a tag policy with an upstream": pair(
    one(`${TOY}${MEMORY}access_control:\n  ${TAGS}, tags_db: {uri: "file:tags.db"}}\n${UPSTREAM}`),
    { says: JOINS, migrate: "pair, to be completed" },
  ),
  "a policy that applies to no tree here": pair(
    one(
      `${TOY}${MEMORY}access_control: {access_policy: "tiled.access_control.access_policies:DummyAccessPolicy", args: null}\n${UPSTREAM}`,
    ),
    { says: JOINS, migrate: "pair, to be completed" },
  ),
  "a policy that asks another service": pair(
    one(
      `${TOY}${MEMORY}access_control:\n  access_policy: lab_policy:Mine\n  args: {authorization_provider: "https://opa.example.org"}\n${CATALOG}`,
      { "lab_policy.py": "class Mine:\n    def __init__(self, authorization_provider):\n        pass\n" },
    ),
  ),
  "a catalog named by a variable": pair(
    one(`${TOY}${MEMORY}trees: [{path: /, tree: $TREE, args: {uri: ./c.db}}]\n`),
  ),
  "a catalog next to a service that is not a Tiled": pair(
    one(
      `${TOY}${MEMORY}trees:\n- {host: queue.example.org, upstream: "http://127.0.0.1:60610", kind: http}\n- {path: /, tree: catalog, args: {uri: ./c.db}}\n`,
    ),
  ),
  "a catalog below a path": pair(
    one(
      `${TOY}${MEMORY}uvicorn: {host: 0.0.0.0, port: 8000, root_path: /tiled, forwarded_allow_ips: 127.0.0.1, workers: 2, log_level: info}\n${CATALOG}`,
    ),
  ),
  "a catalog in a folder of files": pair({
    "config.d/auth.yml": `${TOY}${MEMORY}`,
    "config.d/raw.yml": CATALOG.replace("path: /,", "path: /raw,"),
    "config.d/demo.yml": DEMO.replace("path: /,", "path: /demo,"),
    "config.d/export.yml": 'media_types: {array: {application/x-lab: "lab_exporters:to_lab"}}\n',
    "config.d/lab_exporters.py": MODULE["lab_exporters.py"],
  }),
  "secrets in the file": pair(one(`${TOY.replace(`\${SECRET_KEY}`, "5ecre7".repeat(8))}${MEMORY}${CATALOG}`)),
  "anchors and merge keys": pair(
    one(
      `${TOY}${MEMORY}trees:\n- {path: /a, tree: catalog, args: &storage {uri: ./a.db, writable_storage: ./data}}\n- {path: /b, tree: catalog, args: {<<: *storage, uri: ./b.db}}\n`,
    ),
  ),
  "an object cache": pair(one(`${TOY}${MEMORY}object_cache: {available_bytes: 0.2}\n${CATALOG}`)),
  "a catalog, with logins in the form of Tiled in 2021": pair(
    one(
      `authentication: {authenticator: "tiled.authenticators:PAMAuthenticator", args: {service: login}}\n${MEMORY}${CATALOG}`,
    ),
    { says: /this form is from Tiled of 2021/ },
  ),

  "logins in the form of Tiled in 2021": mend(
    one(
      `authentication: {authenticator: "tiled.authenticators:PAMAuthenticator", args: {service: login}}\n${DEMO}`,
    ),
    /providers: \[\{provider: pam, authenticator: "tiled\.authenticators:PAMAuthenticator", args: \{service: …\}\}\]/,
  ),
  "LDAP, with a catalog": pair(
    one(
      `${provider("tiled.authenticators:LDAPAuthenticator", 'server_address: ldap.example.org, bind_dn_template: "uid={username},dc=example"')}${CATALOG}`,
    ),
  ),
  SAML: served(
    one(
      `${provider("tiled.authenticators:SAMLAuthenticator", `saml_settings: ${SAML}, attribute_name: uid`)}${DEMO}`,
    ),
  ),
  "an authenticator of another package": mend(
    one(
      `${provider("bluesky_authentication.authenticators:OIDCAuthenticator", `${OIDC}, well_known_uri: "https://idp.example.org"`)}${DEMO}`,
    ),
    /This server's is called 'tiled\.authenticators:OIDCAuthenticator'/,
  ),
  "an authenticator in Python": mend(
    one(`${provider("lab_auth:LabAuthenticator", "")}${CATALOG}`),
    /'lab_auth:LabAuthenticator' is a Python class/,
  ),
  "trees in the form of Tiled in 2021": mend(
    one("authentication: {allow_anonymous_access: true}\ncatalogs: [{path: /, catalog: x}]\n"),
    /this form is from Tiled of 2021; use trees/,
  ),
  "a policy at one tree": mend(
    one(`authentication: {allow_anonymous_access: true}\n${DEMO.replace("}]", ", access_control: {}}]")}`),
    /a policy of one tree is from an older Tiled/,
  ),
  "a client's profile": mend(
    one(`lab: {direct: {trees: [{path: /, tree: catalog}]}}\n`),
    /a profile of Tiled's client/,
  ),
  "values of a Helm chart": mend(
    one("tiled: {config: {trees: [{path: /, tree: catalog}]}}\n"),
    /the values of a Helm chart/,
  ),
  "readers in Python over a folder": mend(
    one(
      'authentication: {allow_anonymous_access: true}\ntrees: [{path: /, tree: files, args: {directory: ./raw, readers_by_mimetype: {image/x-lab: "lab:read"}}}]\n',
    ),
    /readers in Python need a real Tiled/,
  ),
  "a policy at the tree of a catalog": {
    files: one(
      `${TOY}${MEMORY}trees:\n- path: /raw\n  tree: catalog\n  args: {uri: ./c.db}\n  access_control: {access_policy: "tiled.access_policies:SimpleAccessPolicy", args: {provider: toy, access_lists: {alice: [a]}}}\n`,
    ),
    check: "error",
    says: /a policy of one tree is from an older Tiled/,
    migrate: "refused",
    left: /The tree at \/raw has 'access_control'\. Tiled 0\.2\.20 ignores a policy of one tree/,
  },
  "a Tiled's policy over a tree that stays here": {
    files: one(
      `${TOY}${MEMORY}access_control:\n  ${TAGS}}\ntrees:\n- {path: /ours, tree: "tiled.examples.generated_minimal:tree"}\n- {path: /theirs, upstream: "http://127.0.0.1:8001"}\n`,
    ),
    check: "error",
    says: JOINS,
    migrate: "refused",
    left: /the trees at \/ours would be served here without it/,
  },
  "a folder served here, next to a catalog": {
    files: one(
      `${TOY}${MEMORY}trees:\n- {path: /files, tree: files, args: {directory: ./raw}}\n- {path: /raw, tree: catalog, args: {uri: ./c.db}}\n`,
    ),
    check: "error",
    says: NEEDS,
    migrate: "refused",
    left: /The trees at \/files cannot move to a Tiled/,
  },
};

/** The variables that the files name. */
export const VARIABLES = {
  SECRET_KEY: "0123456789abcdef".repeat(4),
  TILED_SECRET: "fedcba9876543210".repeat(4),
  TREE: "catalog",
  KEY: "abc1230123456789abcdef0123456789",
  ALICE_PASSWORD: "secret1",
  BOB_PASSWORD: "secret2",
  CARA_PASSWORD: "secret3",
  BUCKET_SECRET: "of tests only",
  OIDC_SECRET: "of tests only",
  PGPASSWORD: "of tests only",
  WEBHOOK_SECRET: "0123456789abcdef".repeat(4),
} as const;
