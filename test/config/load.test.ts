import assert from "node:assert/strict";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { configFromObject, defaultConfigPath, loadConfig, singleUserConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/model.ts";
import { ConfigError } from "../../src/yaml/problems.ts";
import { load, TREES, withFiles, wrong } from "./support.ts";

const TREE = "tiled.examples.generated_minimal:tree";
const PROVIDER = "providers: [{provider: toy, authenticator: 'm:N'}]";
const LONG = "0123456789abcdef0123456789abcdef";

function withoutPlaces({ directory: _directory, places: _places, trees, ...config }: Config): object {
  return { ...config, trees: trees.map(({ path, tree, args }) => ({ path, tree, args })) };
}

const DEFAULTS = {
  server: {
    host: "127.0.0.1",
    port: 8000,
    publicUrl: null,
    accountUrl: null,
    trustedProxies: [],
    tls: null,
    hosts: [],
    verifyHosts: [],
    bodyLimit: 65_536,
    headerLimit: 32_768,
    rootPath: "",
  },
  authentication: {
    providers: [],
    admins: [],
    adminGroups: [],
    secretKeys: null,
    allowAnonymousAccess: false,
    singleUserApiKey: null,
    accessTokenMaxAge: 900,
    refreshTokenMaxAge: 604_800,
    sessionMaxAge: 31_536_000,
    refreshTokenRotation: true,
    refreshTokenGrace: 60,
    sessionLimit: 200,
    apiKeyLimit: 100,
    loginBudget: { logins: 1000, per: 600 },
    loginThrottle: { account: { failures: 10, per: 300 }, address: { failures: 100, per: 300 } },
  },
  database: {
    uri: null,
    initIfNotExists: false,
    poolSize: 5,
    maxOverflow: 10,
    poolPrePing: true,
    exclusiveWriter: false,
  },
  trees: [{ path: "/", tree: TREE, args: {} }],
  upstreams: [],
  accessControl: null,
  cave: null,
  allowOrigins: [],
  metrics: { prometheus: true },
  pages: { title: "Tiled", logo: null, contact: null },
  log: { format: "auto", level: "info" },
  audit: { retentionDays: 365 },
  warnings: [],
};

describe("the content of a configuration", () => {
  it("by default", () => {
    assert.deepEqual(withoutPlaces(load(TREES)), DEFAULTS);
  });

  it("in full", () => {
    const config = load(`server:
  host: 0.0.0.0
  port: 0
  public_url: https://tiled.example.org/base/
  account_url: https://account.example.org
  trusted_proxies: [127.0.0.1, 10.0.0.0/8, "::1", "fd00::/8", 127.0.0.1]
  tls: {cert: c.pem, key: k.pem}
  hosts: [Tiled.lab.example.org]
  verify_hosts: [Data.example.org, "data.example.org:8443"]
  body_limit: 10000
  header_limit: 65536
authentication:
  providers:
  - provider: toy
    authenticator: ./own.js:Own
    args: {a: [1, {b: null}]}
  - {provider: other.one_~-, authenticator: "m:N", args: }
  tiled_admins: [{provider: toy, id: alice}]
  secret_keys: [${LONG}, ${LONG}2]
  allow_anonymous_access: true
  access_token_max_age: 1.5
  refresh_token_max_age: 1 day, 00:00:00
  session_max_age: "31536000"
  refresh_token_rotation: false
  refresh_token_grace: PT30S
  session_limit: 3
  api_key_limit: 4
  login_throttle: {account: {per: PT1M}, address: {failures: 7}}
database: {uri: sqlite:///a.db, init_if_not_exists: true, pool_size: 2, max_overflow: 0, pool_pre_ping: false, exclusive_writer: true}
trees: [{path: raw/x/, tree: "${TREE}"}, {path: /b, tree: "${TREE}", args: }]
access_control: {access_policy: "tiled.access_control.access_policies:DummyAccessPolicy", args: null}
allow_origins: [https://a.example.org, "*"]
metrics: {prometheus: false}
pages: {title: Lab, logo: logo.svg, contact: help@example.org}
audit: {retention_days: null}
`);
    const { authentication, database } = config;
    assert.deepEqual(config.server, {
      host: "0.0.0.0",
      port: 0,
      publicUrl: "https://tiled.example.org/base",
      accountUrl: "https://account.example.org/base",
      trustedProxies: ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"],
      tls: { cert: "c.pem", key: "k.pem" },
      hosts: ["tiled.lab.example.org"],
      verifyHosts: ["data.example.org", "data.example.org:8443"],
      bodyLimit: 10_000,
      headerLimit: 65_536,
      rootPath: "",
    });
    assert.deepEqual(
      authentication.providers.map(({ provider, authenticator, args }) => [provider, authenticator, args]),
      [
        ["toy", "./own.js:Own", { a: [1, { b: null }] }],
        ["other.one_~-", "m:N", {}],
      ],
    );
    const { place } = authentication.providers[0] ?? {};
    assert.deepEqual([place?.line, place?.path], [14, "authentication.providers[0]"]);
    assert.match(place?.file ?? "", /config\.yml$/);
    assert.deepEqual(authentication.admins, [{ provider: "toy", id: "alice" }]);
    assert.deepEqual(
      authentication.secretKeys?.map((key) => key.reveal()),
      [LONG, `${LONG}2`],
    );
    assert.equal(authentication.allowAnonymousAccess, true);
    assert.equal(authentication.accessTokenMaxAge, 1.5);
    assert.equal(authentication.refreshTokenMaxAge, 86_400);
    assert.equal(authentication.sessionMaxAge, 31_536_000);
    assert.equal(authentication.refreshTokenRotation, false);
    assert.equal(authentication.refreshTokenGrace, 30);
    assert.equal(authentication.sessionLimit, 3);
    assert.equal(authentication.apiKeyLimit, 4);
    assert.deepEqual(authentication.loginThrottle, {
      account: { failures: 10, per: 60 },
      address: { failures: 7, per: 300 },
    });
    assert.equal(database.uri?.reveal(), "sqlite:///a.db");
    assert.deepEqual(
      { ...database, uri: null },
      {
        uri: null,
        initIfNotExists: true,
        poolSize: 2,
        maxOverflow: 0,
        poolPrePing: false,
        exclusiveWriter: true,
      },
    );
    assert.deepEqual(
      config.trees.map(({ path, place: { line } }) => [path, line]),
      [
        ["/raw/x", 30],
        ["/b", 30],
      ],
    );
    assert.equal(
      config.accessControl?.accessPolicy,
      "tiled.access_control.access_policies:DummyAccessPolicy",
    );
    assert.deepEqual(config.accessControl?.args, {});
    assert.deepEqual(config.allowOrigins, ["https://a.example.org", "*"]);
    assert.deepEqual(config.metrics, { prometheus: false });
    assert.deepEqual(config.pages, {
      title: "Lab",
      logo: `${config.directory}/logo.svg`,
      contact: "help@example.org",
    });
    assert.deepEqual(config.audit, { retentionDays: null });
    assert.deepEqual(
      config.warnings.map((line) => /allow_origins\[1\]: '\*'/.test(line)),
      [true],
    );
  });

  it("relative module paths start from the file's folder, or from the folder itself", () => {
    withFiles(TREES, (path) => assert.equal(loadConfig(path, {}).directory, dirname(path)));
    withFiles({ "a.yml": TREES }, (path) => assert.equal(loadConfig(path, {}).directory, path));
  });

  it("the throttle can be switched off", () => {
    assert.equal(
      load(`authentication: {login_throttle: false}\n${TREES}`).authentication.loginThrottle,
      false,
    );
    const env = { OFF: "false" };
    assert.equal(
      load(`authentication: {login_throttle: $OFF}\n${TREES}`, env).authentication.loginThrottle,
      false,
    );
  });

  it("secrets do not show themselves", () => {
    const yaml = `authentication: {secret_keys: [hunter2]}\ndatabase: {uri: "postgresql://u:hunter2@h/d"}\n${TREES}`;
    const key = `authentication: {single_user_api_key: hunter2}\n${TREES}`;
    for (const config of [load(yaml), load(key)]) {
      assert.doesNotMatch(inspect(config, { depth: 9 }), /hunter2/);
      assert.doesNotMatch(JSON.stringify(config), /hunter2/);
    }
  });
});

describe("the database's addresses", () => {
  for (const uri of [
    "sqlite:///relative.db",
    "sqlite:////absolute.db",
    "sqlite+aiosqlite:///a.db",
    "sqlite://",
    "sqlite:///:memory:",
    "sqlite:///file:x?mode=memory&cache=shared&uri=true",
    "a.db",
    "/var/lib/tiled/a b.db",
    "C:\\data\\a.db",
    "postgresql://u:p%40w@h:5432/d",
    "postgresql+asyncpg://u:pw@h/d",
  ]) {
    it(uri, () =>
      assert.equal(load(`database: {uri: ${JSON.stringify(uri)}}\n${TREES}`).database.uri?.reveal(), uri),
    );
  }
});

describe("settings that can be said in two places", () => {
  const server = (yaml: string) => load(`${yaml}\n${TREES}`).server;

  it("uvicorn's are read", () => {
    assert.deepEqual(
      server(
        "uvicorn: {host: '::', port: 9, root_path: tiled/, ssl_certfile: c, ssl_keyfile: k, forwarded_allow_ips: '10.0.0.1, 10.0.0.2'}",
      ),
      {
        ...DEFAULTS.server,
        host: "::",
        port: 9,
        rootPath: "/tiled",
        tls: { cert: "c", key: "k" },
        hosts: [],
        verifyHosts: [],
        trustedProxies: ["10.0.0.1", "10.0.0.2"],
      },
    );
  });

  it("the same in both is no contradiction", () => {
    const config =
      server(`server: {host: h, port: 1, trusted_proxies: [10.0.0.1, 10.0.0.2], tls: {cert: c, key: k}}
uvicorn: {host: h, port: 1, forwarded_allow_ips: "10.0.0.2,10.0.0.1", ssl_certfile: c, ssl_keyfile: k}`);
    assert.equal(config.port, 1);
    assert.deepEqual(config.trustedProxies, ["10.0.0.1", "10.0.0.2"]);
  });

  it("something else in both is an error at uvicorn's", () => {
    const yaml = `server: {host: h, port: 1, trusted_proxies: [10.0.0.1], tls: {cert: c, key: k}}
uvicorn:
  host: i
  port: 2
  forwarded_allow_ips: 10.0.0.2
  ssl_certfile: d
  ssl_keyfile: l
${TREES}`;
    const found = wrong(yaml);
    assert.equal(found.length, 5);
    assert.match(found[0] ?? "", /^3 uvicorn\.host: contradicts server\.host \(.*config\.yml:1\)/);
    assert.match(found[1] ?? "", /^4 uvicorn\.port:/);
    assert.match(found[2] ?? "", /^5 uvicorn\.forwarded_allow_ips:/);
    assert.match(found[3] ?? "", /^6 uvicorn\.ssl_certfile:/);
    assert.match(found[4] ?? "", /^7 uvicorn\.ssl_keyfile:/);
  });

  it("proxy_headers: false trusts no proxy", () => {
    assert.deepEqual(server("uvicorn: {proxy_headers: false, forwarded_allow_ips: '*'}").trustedProxies, []);
    assert.equal(
      wrong(`server: {trusted_proxies: ['*']}\nuvicorn: {proxy_headers: false}\n${TREES}`).length,
      1,
    );
  });

  it("proxy_headers: true alone trusts no proxy, and says so", () => {
    const config = load(`uvicorn: {proxy_headers: true}\n${TREES}`);
    assert.deepEqual(config.server.trustedProxies, []);
    assert.match(config.warnings[0] ?? "", /config\.yml:1: uvicorn\.proxy_headers: no proxy is trusted/);
  });

  for (const [given, expected] of [
    ["'*'", ["*"]],
    ["['*']", ["*"]],
    ["[10.0.0.1, '*']", ["*"]],
    ["''", []],
    ["[]", []],
    ["'10.0.0.1,,10.0.0.0/24,'", ["10.0.0.1", "10.0.0.0/24"]],
  ] as const) {
    it(`trusted proxies ${given}`, () => {
      assert.deepEqual(server(`uvicorn: {forwarded_allow_ips: ${given}}`).trustedProxies, expected);
      assert.deepEqual(server(`server: {trusted_proxies: ${given}}`).trustedProxies, expected);
    });
  }

  for (const [given, expected] of [
    ["tiled", "/tiled"],
    ["/tiled/", "/tiled"],
    ["//tiled//", "/tiled"],
    ["/a/b", "/a/b"],
    ["/", ""],
    ["", ""],
  ] as const) {
    it(`root_path ${JSON.stringify(given)}`, () => {
      assert.equal(server(`uvicorn: {root_path: ${JSON.stringify(given)}}`).rootPath, expected);
    });
  }

  for (const [given, expected] of [
    ["https://a.org", "https://a.org"],
    ["HTTPS://A.org:443/", "https://a.org"],
    ["http://localhost:8000//", "http://localhost:8000"],
    ["https://a.org/x/y/", "https://a.org/x/y"],
  ] as const) {
    it(`public_url ${given}`, () =>
      assert.equal(server(`server: {public_url: "${given}"}`).publicUrl, expected));
  }

  for (const given of [
    "a.org",
    "https:a.org",
    "ftp://a.org",
    "https://",
    "https://a.org?x=1",
    "https://a.org/#",
    "https://hunter2@a.org",
    "",
  ]) {
    it(`public_url ${JSON.stringify(given)} is refused`, () => {
      const [problem = ""] = wrong(`server: {public_url: "${given}"}\n${TREES}`);
      assert.match(problem, /^1 server\.public_url: (?:must |'.*' is not a URL)/);
      assert.doesNotMatch(problem, /hunter2/);
    });
  }

  it("a certificate with its key in one file", () => {
    assert.deepEqual(server("uvicorn: {ssl_certfile: both.pem}").tls, { cert: "both.pem", key: "both.pem" });
    assert.match(
      wrong(`uvicorn: {ssl_keyfile: k}\n${TREES}`)[0] ?? "",
      /^1 uvicorn\.ssl_keyfile: there is a key but no certificate/,
    );
  });
});

describe("the command line wins", () => {
  it("over file and environment", () => {
    const yaml = `server: {host: h, port: 1}\nauthentication: {single_user_api_key: file, allow_anonymous_access: false}\n${TREES}`;
    const config = load(yaml, {}, { host: "::1", port: 0, apiKey: "option", public: true });
    assert.equal(config.server.host, "::1");
    assert.equal(config.server.port, 0);
    assert.equal(config.authentication.singleUserApiKey?.reveal(), "option");
    assert.equal(config.authentication.allowAnonymousAccess, true);
  });

  it("says nothing where it is not given", () => {
    const yaml = `server: {port: 1}\nauthentication: {allow_anonymous_access: true}\n${TREES}`;
    const config = load(yaml, {}, { public: false, port: undefined });
    assert.equal(config.server.port, 1);
    assert.equal(config.authentication.allowAnonymousAccess, true);
  });

  it("its errors are reported like the others", () => {
    const found = wrong(TREES, {}, { host: "http://h", port: -1, apiKey: "hunter2+" });
    assert.deepEqual(found, [
      "'http://h' is not an address to listen on. Use an IP address or a host name, without scheme and port.",
      "must be a whole number from 0 to 65535, not -1.",
      "must be letters and digits only. Use a key like that of: openssl rand -hex 32 (other characters can be mangled in a URL).",
    ]);
    assert.match(
      wrong(`authentication: {${PROVIDER}}\n${TREES}`, {}, { apiKey: "abc" })[0] ?? "",
      /cannot be used together/,
    );
  });
});

describe("warnings", () => {
  const warnings = (yaml: string) =>
    load(`${yaml}\n${TREES}`).warnings.map((line) => line.replace(/\S*config\.yml/, "F"));

  it("short secret keys, by their place only", () => {
    assert.deepEqual(warnings(`authentication: {secret_keys: [hunter2, ${LONG}]}`), [
      "F:1: authentication.secret_keys[0]: shorter than 32 characters, so it may be guessed from any token that a user has. Make one with: openssl rand -hex 32",
    ]);
  });

  it("data that end with the process", () => {
    const found = warnings(`authentication: {${PROVIDER}}`);
    assert.equal(found.length, 2);
    assert.match(found[0] ?? "", /database: not configured: logins and API keys .* end with the process/);
    assert.match(found[1] ?? "", /authentication\.secret_keys: not set: .* logins end with the process/);
    assert.deepEqual(
      warnings(`authentication: {${PROVIDER}, secret_keys: [${LONG}]}\ndatabase: {uri: a.db}`),
      [],
    );
  });

  it("an unneeded database", () => {
    assert.match(
      warnings("database: {uri: a.db}")[0] ?? "",
      /^F:1: database: no effect without authentication\.providers/,
    );
  });

  it("an origin that no browser sends", () => {
    const found = warnings(
      "allow_origins: ['*', 'https://a.org', 'http://localhost:3000', 'https://a.org/', 'a.org']",
    );
    assert.deepEqual(
      found.map((line) => line.slice(0, 22)),
      ["F:1: allow_origins[0]:", "F:1: allow_origins[3]:", "F:1: allow_origins[4]:"],
    );
    assert.match(found[0] ?? "", /lets the pages of every site read/);
  });
});

describe("configurations without a file", () => {
  it("one user, one tree", () => {
    const config = singleUserConfig({ tree: TREE, env: {}, public: true, apiKey: LONG, host: "h", port: 0 });
    assert.deepEqual(
      withoutPlaces({ ...config, authentication: { ...config.authentication, singleUserApiKey: null } }),
      {
        ...DEFAULTS,
        server: { ...DEFAULTS.server, host: "h", port: 0 },
        authentication: { ...DEFAULTS.authentication, allowAnonymousAccess: true },
      },
    );
    assert.equal(config.authentication.singleUserApiKey?.reveal(), LONG);
  });

  it("the environment fills in", () => {
    const env = { TILED_SINGLE_USER_API_KEY: LONG, TILED_PUBLIC_URL: "https://a.org", TILED_TREES: "[]" };
    const config = singleUserConfig({ tree: TREE, env });
    assert.equal(config.authentication.singleUserApiKey?.reveal(), LONG);
    assert.equal(config.server.publicUrl, "https://a.org");
    assert.equal(config.trees.length, 1);
  });

  it("an unknown tree", () => {
    assert.throws(
      () => singleUserConfig({ tree: "a:b", env: {} }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(
          error.message,
          /command line: trees\[0\]\.tree: this configuration needs a real Tiled behind[\s\S]*'a:b'[\s\S]* See docs\/how-to\/migrating\.md\.$/,
        );
        return true;
      },
    );
  });

  it("an object is taken as it is: nothing in it is interpolated", () => {
    const users = { alice: "$HOME" };
    const object = {
      authentication: {
        providers: [{ provider: "p", authenticator: "m:N", args: { users_to_passwords: users } }],
      },
      trees: [{ path: "/", tree: TREE }],
    };
    const config = configFromObject(object, { HOME: "/root" }, {}, "the demo");
    assert.deepEqual(config.authentication.providers[0]?.args, { users_to_passwords: users });
    assert.equal(config.authentication.providers[0]?.place.file, "the demo");
  });

  it("the default path", () => {
    assert.equal(defaultConfigPath({}), "config.yml");
    assert.equal(defaultConfigPath({ TILED_CONFIG: "/etc/tiled" }), "/etc/tiled");
  });
});
