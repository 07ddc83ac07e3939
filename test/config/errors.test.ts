import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../src/yaml/problems.ts";
import { load, problems, TREES, wrong } from "./support.ts";

const TOY = `authentication:
  providers:
  - provider: toy
    authenticator: tiled.authenticators:DictionaryAuthenticator
    args: {users_to_passwords: {alice: "secret1"}}
`;

const ALLOWED_TOP =
  "Allowed here: authentication, database, trees, access_control, cave, allow_origins, env_file, server, uvicorn, log, metrics, pages, audit";

/** [what, the file, what is wrong with it]. */
const CASES: readonly (readonly [string, string, readonly (string | RegExp)[]])[] = [
  // Keys.
  [
    "a misspelt section",
    `${TREES}databse: {uri: x}\n`,
    [`2 databse: unknown key 'databse'. Did you mean 'database'? ${ALLOWED_TOP}`],
  ],
  [
    "a key in the wrong section",
    `${TREES}providers: []\n`,
    [`2 providers: unknown key 'providers'; it belongs in 'authentication'. ${ALLOWED_TOP}`],
  ],
  [
    "a key that would command a terminal",
    `${TREES}"\\x9b31m\\u202e": blue\n`,
    [`2 ['\\u009b31m\\u202e']: unknown key '\\u009b31m\\u202e'. ${ALLOWED_TOP}`],
  ],
  ["a key like no other", `${TREES}colour: blue\n`, [`2 colour: unknown key 'colour'. ${ALLOWED_TOP}`]],
  [
    "unknown keys in providers, admins and trees, which the reference lets pass",
    `authentication:
  providers:
  - provider: toy
    authenticator: m:N
    argz: {}
  tiled_admins:
  - {provider: toy, id: alice, name: Alice}
trees:
- path: /
  tree: tiled.examples.generated_minimal:tree
  arg: {}
`,
    [
      /^5 authentication\.providers\[0\]\.argz: unknown key 'argz'\. Did you mean 'args'\? Allowed here: provider, authenticator, args/,
      "7 authentication.tiled_admins[0].name: unknown key 'name'. Allowed here: provider, id, group",
      /^11 trees\[0\]\.arg: unknown key 'arg'\. Did you mean 'args'\? Allowed here: path, tree, args, /,
    ],
  ],
  [
    "administrators with neither or both of an ID and a group",
    `${TOY}  tiled_admins:
  - {provider: toy}
  - {provider: toy, id: alice, group: staff}
  - {provider: toy, group: staff}
${TREES}`,
    [
      "7 authentication.tiled_admins[0]: either 'id' or 'group' is needed: the ID of a person, or the name of a group.",
      "8 authentication.tiled_admins[1]: either 'id' or 'group' is needed: the ID of a person, or the name of a group.",
    ],
  ],
  [
    "missing keys",
    `authentication:
  providers:
  - {}
  tiled_admins:
  -
    id: alice
trees:
- path: /
access_control:
  access_policy: "tiled.access_control.access_policies:DummyAccessPolicy"
`,
    [
      /^3 authentication\.providers\[0\]: the key 'provider' is missing \(Unique name/,
      /^3 authentication\.providers\[0\]: the key 'authenticator' is missing/,
      /^6 authentication\.tiled_admins\[0\]: the key 'provider' is missing/,
      /^8 trees\[0\]: the key 'tree' is missing/,
      /^9 access_control: the key 'args' is missing.*may be null/,
    ],
  ],
  // Kinds of values.
  [
    "one kind of value for another",
    `authentication: []
database: postgresql://u:hunter2@h/d
trees: /
allow_origins: https://a.org
server: {port: {a: 1}, host: 127, tls: cert.pem}
metrics: {prometheus: 2}
`,
    [
      /^1 authentication: a list is not allowed here\. Use a mapping with the keys providers, /,
      "2 database: text is not allowed here. Use a mapping with the keys uri, init_if_not_exists, pool_size, max_overflow, pool_pre_ping, exclusive_writer.",
      /^3 trees: text is not allowed here\. Use a list \(each item: a mapping with the keys path, tree, /,
      "4 allow_origins: 'https://a.org' is not allowed here. Use a list (each item: text that is not empty). Put a single item in brackets: […].",
      "5 server.port: a mapping is not allowed here. Use a whole number from 0 to 65535.",
      /^5 server\.host: 127 is not allowed here\. Use an address .*\. Put it in quotes if it is meant as text\.$/,
      "5 server.tls: 'cert.pem' is not allowed here. Use a mapping with the keys cert, key.",
      "6 metrics.prometheus: 2 is not allowed here. Use true or false.",
    ],
  ],
  [
    "numbers out of bounds",
    `${TREES}server: {port: 65536, body_limit: 1}
database: {pool_size: 1, max_overflow: -1}
audit: {retention_days: 0}
uvicorn: {port: 1.5}
`,
    [
      "2 server.port: 65536 is not allowed here. Use a whole number from 0 to 65535.",
      "2 server.body_limit: 1 is not allowed here. Use a whole number from 1024 to 16777216.",
      "3 database.pool_size: 1 is not allowed here. Use a whole number from 2 to 1000.",
      "3 database.max_overflow: -1 is not allowed here. Use a whole number from 0 to 1000.",
      "4 audit.retention_days: 0 is not allowed here. Use a whole number from 1 to 36500.",
      "5 uvicorn.port: 1.5 is not allowed here. Use a whole number from 0 to 65535.",
    ],
  ],
  [
    "lifetimes",
    `${TREES}authentication:
  access_token_max_age: 0
  refresh_token_max_age: PT15
  session_max_age: true
  login_throttle:
    account: {failures: 0, per: -1}
    address: 5
`,
    [
      /^3 authentication\.access_token_max_age: 0 is not allowed here\. Use a duration: seconds \(900\), ISO 8601 \("PT15M"\), .*; more than 0/,
      /^4 authentication\.refresh_token_max_age: 'PT15' is not a duration\. Use seconds \(900\), ISO 8601 \("PT15M"\)/,
      /^5 authentication\.session_max_age: true is not allowed here\. Use a duration: seconds/,
      "7 authentication.login_throttle.account.failures: 0 is not allowed here. Use a whole number from 1 to 1000000.",
      /^7 authentication\.login_throttle\.account\.per: -1 is not allowed here\. Use a duration: seconds/,
      "8 authentication.login_throttle.address: 5 is not allowed here. Use a mapping with the keys failures, per.",
    ],
  ],
  [
    "a throttle's window that no timer can keep",
    `${TREES}authentication:
  login_throttle:
    account: {per: 2073601}
    address: {per: P25D}
`,
    [
      /^4 authentication\.login_throttle\.account\.per: 2073601 is not allowed here\. .*at most 24 days\.$/,
      /^5 authentication\.login_throttle\.address\.per: must not be longer than 24 days\. Use seconds/,
    ],
  ],
  [
    "a throttle that is switched on",
    `${TREES}authentication: {login_throttle: true}\n`,
    [
      "2 authentication.login_throttle: true is not allowed here. Use false, or a mapping with the keys account, address.",
    ],
  ],
  [
    "addresses, URLs and paths",
    `${TREES}server:
  host: http://h:1
  public_url: https://u:hunter2@example.org
  trusted_proxies: [10.0.0.0/33, proxy.example.org, "fe80::1%eth0", 1.2.3.4/x, ::1/129, 10.0.0.0/8/8]
uvicorn:
  root_path: /a/../b
  forwarded_allow_ips: "*"
`,
    [
      /^3 server\.host: 'http:\/\/h:1' is not an address to listen on\. Use an IP address or a host name/,
      /^4 server\.public_url: must not contain a user name or a password/,
      /^5 server\.trusted_proxies\[0\]: '10\.0\.0\.0\/33' is not an address\. Use an IP address or a CIDR block/,
      /^5 server\.trusted_proxies\[1\]/,
      /^5 server\.trusted_proxies\[2\]/,
      /^5 server\.trusted_proxies\[3\]/,
      /^5 server\.trusted_proxies\[4\]/,
      /^5 server\.trusted_proxies\[5\]/,
      /^7 uvicorn\.root_path: must not contain '\.', '\.\.' or '\/\/'/,
      /^8 uvicorn\.forwarded_allow_ips: contradicts server\.trusted_proxies/,
    ],
  ],
  [
    "addresses that are mistyped",
    `${TREES}server: {host: "0.0.0.0:8000"}\n`,
    [/^2 server\.host: '0\.0\.0\.0:8000' is not an address to listen on\. Use .*, without scheme and port/],
  ],
  [
    "an address with a number too large",
    `${TREES}uvicorn: {host: 300.1.1.1}\n`,
    [/^2 uvicorn\.host: '300\.1\.1\.1' is not/],
  ],
  [
    "one item where a list belongs",
    "trees: {path: /, tree: files}\n",
    [/^1 trees: a mapping is not allowed here\. Use a list .*Each item of it begins with '- '\./],
  ],
  // Names.
  [
    "names that URLs cannot have",
    `authentication:
  providers:
  - {provider: to/y, authenticator: "m:N"}
  - {provider: "", authenticator: "m:N"}
  - {provider: ok, authenticator: PAMAuthenticator}
${TREES}`,
    [
      /^3 authentication\.providers\[0\]\.provider: 'to\/y' is not a name that fits into a URL\. Use letters, digits and \. _ ~ -/,
      /^4 authentication\.providers\[1\]\.provider: must not be empty/,
    ],
  ],
  [
    "two providers of one name",
    `authentication:
  providers:
  - {provider: toy, authenticator: "m:N"}
  - {provider: other, authenticator: "m:N"}
  - authenticator: "m:N"
    provider: toy
${TREES}`,
    [
      "6 authentication.providers[2].provider: authentication.providers[0] has the name 'toy' already. Give each provider a name of its own.",
    ],
  ],
  [
    "an administrator of an unknown provider",
    `${TOY}  tiled_admins:
  - {provider: toi, id: alice}
  - {provider: elsewhere, id: bob}
${TREES}`,
    [
      "7 authentication.tiled_admins[0].provider: there is no provider 'toi'. Did you mean 'toy'? The providers are: toy.",
      "8 authentication.tiled_admins[1].provider: there is no provider 'elsewhere'. The providers are: toy.",
    ],
  ],
  [
    "an administrator of a provider whose name is wrong is no second error",
    `authentication:
  providers: [{provider: to/y, authenticator: "m:N"}]
  tiled_admins: [{provider: to/y, id: alice}]
${TREES}`,
    [/^2 authentication\.providers\[0\]\.provider: 'to\/y' is not a name that fits/],
  ],
  [
    "administrators without providers",
    `authentication:
  tiled_admins:
  - {provider: toy, id: alice}
${TREES}`,
    [
      "2 authentication.tiled_admins: administrators need authentication.providers to log in with. Add a provider, or remove tiled_admins.",
    ],
  ],
  // Secrets.
  [
    "a single-user key beside providers",
    `${TOY}  single_user_api_key: hunter2\n${TREES}`,
    [
      /^6 authentication\.single_user_api_key: a single-user key cannot be used together with authentication\.providers/,
    ],
  ],
  [
    "a single-user key that a URL would mangle",
    `authentication: {single_user_api_key: "hunter2+"}\n${TREES}`,
    [/^1 authentication\.single_user_api_key: must be letters and digits only/],
  ],
  [
    "no secret keys in the list",
    `${TOY}  secret_keys: []\n${TREES}`,
    [/^6 authentication\.secret_keys: the list is empty\. Give at least one/],
  ],
  [
    "secret keys without content",
    `${TOY}  secret_keys:\n  - ""\n  - "  "\n  -\n${TREES}`,
    [
      "7 authentication.secret_keys[0]: must not be empty.",
      "8 authentication.secret_keys[1]: must not be empty.",
      /^9 authentication\.secret_keys\[2\]: a value is missing here/,
    ],
  ],
  [
    "passwords that YAML reads as something else",
    `authentication:
  providers:
  - provider: toy
    authenticator: tiled.authenticators:DictionaryAuthenticator
    args:
      users_to_passwords:
        alice: 12345
        bob: yes
        carl:
        dora: 2026-01-31
        erik: [hunter2]
        fred: 0x1F
        gina: "12345"
${TREES}`,
    [
      '7 authentication.providers[0].args.users_to_passwords.alice: YAML reads this password as a number. Put it in quotes: alice: "…"',
      '8 authentication.providers[0].args.users_to_passwords.bob: YAML reads this password as a boolean. Put it in quotes: bob: "…"',
      '9 authentication.providers[0].args.users_to_passwords.carl: YAML reads this password as nothing. Put it in quotes: carl: "…"',
      '10 authentication.providers[0].args.users_to_passwords.dora: YAML reads this password as a date. Put it in quotes: dora: "…"',
      '11 authentication.providers[0].args.users_to_passwords.erik: YAML reads this password as a list. Put it in quotes: erik: "…"',
      '12 authentication.providers[0].args.users_to_passwords.fred: YAML reads this password as a number. Put it in quotes: fred: "…"',
    ],
  ],
  // The database.
  [
    "a database of another kind",
    `${TREES}database: {uri: "mysql://u:hunter2@h/d"}\n`,
    [/^2 database\.uri: must be SQLite or PostgreSQL, not 'mysql'\. Use sqlite:/],
  ],
  [
    "PostgreSQL's other scheme",
    `${TREES}database: {uri: "postgres://u:hunter2@h/d"}\n`,
    [/^2 database\.uri: must begin with 'postgresql:\/\/', not 'postgres:\/\/'/],
  ],
  [
    "a database's scheme with a slash too few",
    `${TREES}database: {uri: "postgresql:/u:hunter2@h/d"}\n`,
    [/^2 database\.uri: must be a database URI\. Use .*postgresql:\/\/user:password@host/],
  ],
  [
    "a database's scheme without a colon",
    `${TREES}database: {uri: "postgresql//u:hunter2@h/d"}\n`,
    [/^2 database\.uri: must be a database URI/],
  ],
  [
    "a space before a database's scheme",
    `${TREES}database: {uri: " postgresql://u:hunter2@h/d"}\n`,
    [/^2 database\.uri: must be a database URI/],
  ],
  ["a database without a name", `${TREES}database:\n  uri: ""\n`, [/^3 database\.uri: must not be empty/]],
  // What is served.
  [
    "nothing to serve",
    "metrics: {prometheus: true}\n",
    [/^1 trees: nothing is served: 'trees' \(or 'catalog'\) is missing/],
  ],
  ["an empty list of trees", "metrics:\ntrees: []\n", [/^2 trees: nothing is served/]],
  [
    "a tree of another server",
    "trees:\n- path: /\n  tree: my_package.trees:tree\n- path: other\n  tree: other.trees\n",
    [
      /^3 trees\[0\]\.tree: this configuration needs a real Tiled behind this server.*\n {4}trees\[0\] \('\/'\): the Python tree 'my_package\.trees:tree'\n/,
      /^4 trees\[1\]\.path: this path and that of trees\[0\] \('\/'\) overlap/,
      /^5 trees\[1\]\.tree: the tree 'other\.trees' is not known here\. Use .*, or a real Tiled behind/,
    ],
  ],
  [
    "a misspelt tree",
    "trees:\n- path: /\n  tree: tiled.examples.generated_minimal:tre\n",
    [
      /^3 trees\[0\]\.tree: the tree 'tiled.*:tre' is not known here\. Did you mean 'tiled\.examples\.generated_minimal:tree'\?/,
    ],
  ],
  [
    "trees that contain each other",
    `trees:
- {path: /a/b, tree: "tiled.examples.generated_minimal:tree"}
- {path: /a/bc, tree: "tiled.examples.generated_minimal:tree"}
- {path: a/b/, tree: "tiled.examples.generated_minimal:tree"}
- {path: /a/b/c, tree: "tiled.examples.generated:tree"}
- {path: /a, tree: "tiled.examples.generated_minimal:tree"}
- {path: /../x, tree: "tiled.examples.generated_minimal:tree"}
`,
    [
      /^4 trees\[2\]\.path: this path and that of trees\[0\] \('\/a\/b'\) overlap/,
      /^5 trees\[3\]\.path: this path and that of trees\[0\]/,
      /^6 trees\[4\]\.path: this path and that of trees\[0\]/,
      /^7 trees\[5\]\.path: must not contain '\.' or '\.\.'/,
    ],
  ],
  [
    "arguments for a tree that takes none",
    "trees:\n- path: /\n  tree: tiled.examples.generated_minimal:tree\n  args: {size: 3}\n",
    ["4 trees[0].args.size: unknown key 'size'. Allowed here: no keys"],
  ],
  [
    "a catalog beside trees",
    `${TREES}catalog: {uri: c.db}\n`,
    [
      /^2 catalog: 'catalog' and 'trees' cannot be used together/,
      /^2 catalog: this configuration needs a real Tiled/,
    ],
  ],
  [
    "a folder that is not named, and one that is misspelt",
    "trees:\n- {path: /a, tree: files}\n- path: /b\n  tree: files\n  args: {director: ./x, access_tags_file: [1]}\n",
    [
      /^2 trees\[0\]\.args: the key 'directory' is missing/,
      /^5 trees\[1\]\.args\.director: unknown key 'director'. Did you mean 'directory'\?/,
      /^5 trees\[1\]\.args\.access_tags_file: a list is not allowed here\. Use text/,
      /^5 trees\[1\]\.args: the key 'directory' is missing/,
      /^5 trees\[1\]\.args\.access_tags_file: tags need a policy/,
    ],
  ],
  [
    "tags without a policy, and tags of a person or a service",
    'trees:\n- path: /\n  tree: tiled.examples.generated_minimal:tree\n  access_tags:\n  - public\n  - "user:bob"\n  - "Service:1"\n',
    [
      /^4 trees\[0\]\.access_tags: tags need a policy: add access_control/,
      /^6 trees\[0\]\.access_tags\[1\]: tags that begin with 'user:' or 'service:' are the server's own/,
      /^7 trees\[0\]\.access_tags\[2\]: tags that begin with/,
    ],
  ],
  [
    "tags of an upstream",
    "trees:\n- {path: /up, upstream: 'http://127.0.0.1:1', access_tags: [a]}\nauthentication: {secret_keys: [hunter2hunter2]}\n",
    [/^2 trees\[0\]\.access_tags: an upstream has its own trees/],
  ],
  [
    "a policy for another provider",
    `${TREES}authentication:\n  providers:\n  - {provider: toy, authenticator: "tiled.authenticators:DummyAuthenticator"}\naccess_control:\n  access_policy: "tiled.access_control.access_policies:TagBasedAccessPolicy"\n  args: {provider: toys, tag_definitions: t.yml}\n`,
    [
      "7 access_control.args.provider: there is no provider 'toys'. Did you mean 'toy'? The providers are: toy.",
    ],
  ],
  [
    "an unknown policy",
    `${TREES}access_control:\n  access_policy: "my.policies:Mine"\n  args:\n`,
    [
      /^2 access_control: this configuration needs a real Tiled.*\n {4}access_control: the policy 'my\.policies:Mine'/,
    ],
  ],
  [
    "a misspelt policy",
    `${TREES}access_control:\n  access_policy: "tiled.access_control.access_policies:TagBasedAcessPolicy"\n  args:\n`,
    [
      /^3 access_control\.access_policy: .* Did you mean 'tiled.*:TagBasedAccessPolicy'\? Use .*\.\/my_policy\.js:MyPolicy/,
    ],
  ],
];

describe("errors of a configuration", () => {
  for (const [name, yaml, expected] of CASES) {
    it(name, () => {
      const found = wrong(yaml);
      if (process.env["SHOW"]) console.log(`## ${name}\n${found.join("\n")}`);
      assert.equal(found.length, expected.length, found.join("\n"));
      for (const [index, pattern] of expected.entries()) {
        if (typeof pattern === "string") assert.equal(found[index], pattern);
        else assert.match(found[index] ?? "", pattern);
      }
      assert.doesNotMatch(found.join("\n"), /hunter2/);
    });
  }

  it("all of them come at once, in the order of the lines, with file and line", () => {
    const yaml = `server: {port: x}\nauthentication:\n  provders: []\n  secret_keys: [$UNSET]\ntrees:\n- {path: /, tree: x}\n`;
    const lines = problems(yaml).map((problem) => problem.line);
    assert.deepEqual(lines, [1, 3, 4, 6]);
    assert.throws(
      () => load(yaml),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.exitCode, 1);
        const text = error.message.split("\n");
        assert.equal(text.length, 5);
        assert.equal(text[0], "The configuration has 4 errors.");
        assert.match(text[1] ?? "", /config\.yml:1: server\.port: 'x' is not allowed here/);
        return true;
      },
    );
  });

  it("a missing file, or a path that is not a file", () => {
    assert.deepEqual(wrong({}), ["there is no *.yml or *.yaml in this folder"]);
    assert.throws(() => load({ "x.yml": TREES, "y.yml": "" }), /y\.yml:1: the file is empty/);
  });
});
