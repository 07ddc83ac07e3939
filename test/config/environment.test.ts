import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, problems, TREES, wrong } from "./support.ts";

const LONG = "0123456789abcdef0123456789abcdef";
const KEYS = JSON.stringify([LONG, `${LONG}2`]);

describe("single settings from the environment, weaker than the file", () => {
  it("fill in keys that the file lacks", () => {
    const config = load(TREES, {
      TILED_SECRET_KEYS: KEYS,
      TILED_ALLOW_ANONYMOUS_ACCESS: "true",
      TILED_SINGLE_USER_API_KEY: LONG,
      TILED_DATABASE_URI: "sqlite:///env.db",
      TILED_DATABASE_INIT_IF_NOT_EXISTS: "1",
      TILED_DATABASE_POOL_SIZE: "7",
      TILED_DATABASE_MAX_OVERFLOW: "8",
      TILED_DATABASE_POOL_PRE_PING: "off",
      TILED_ACCESS_TOKEN_MAX_AGE: "PT1M",
      TILED_REFRESH_TOKEN_MAX_AGE: "00:02:00",
      TILED_SESSION_MAX_AGE: "180",
      TILED_PUBLIC_URL: "https://env.example.org",
    });
    const { authentication, database } = config;
    assert.deepEqual(
      authentication.secretKeys?.map((key) => key.reveal()),
      JSON.parse(KEYS),
    );
    assert.equal(authentication.allowAnonymousAccess, true);
    assert.equal(authentication.singleUserApiKey?.reveal(), LONG);
    assert.equal(authentication.accessTokenMaxAge, 60);
    assert.equal(authentication.refreshTokenMaxAge, 120);
    assert.equal(authentication.sessionMaxAge, 180);
    assert.equal(database.uri?.reveal(), "sqlite:///env.db");
    assert.deepEqual(
      { ...database, uri: null },
      {
        uri: null,
        initIfNotExists: true,
        poolSize: 7,
        maxOverflow: 8,
        poolPrePing: false,
        exclusiveWriter: false,
      },
    );
    assert.equal(config.server.publicUrl, "https://env.example.org");
  });

  it("say nothing where the file does", () => {
    const yaml = `authentication: {secret_keys: [${LONG}], allow_anonymous_access: false, access_token_max_age: 1}
database: {uri: file.db}
server: {public_url: https://file.example.org}
${TREES}`;
    const { authentication, database, server } = load(yaml, {
      TILED_SECRET_KEYS: KEYS,
      TILED_ALLOW_ANONYMOUS_ACCESS: "true",
      TILED_DATABASE_URI: "sqlite:///env.db",
      TILED_DATABASE_POOL_SIZE: "7",
      TILED_ACCESS_TOKEN_MAX_AGE: "PT1M",
      TILED_PUBLIC_URL: "https://env.example.org",
    });
    assert.deepEqual(
      authentication.secretKeys?.map((key) => key.reveal()),
      [LONG],
    );
    assert.equal(authentication.allowAnonymousAccess, false);
    assert.equal(authentication.accessTokenMaxAge, 1);
    assert.equal(database.uri?.reveal(), "file.db");
    assert.equal(database.poolSize, 7, "a key beside it is filled in all the same");
    assert.equal(server.publicUrl, "https://file.example.org");
  });

  it("are checked even where the file says otherwise, as in Tiled", () => {
    const yaml = `authentication: {secret_keys: [file]}\ndatabase: {pool_size: 5}\n${TREES}`;
    const found = problems(yaml, { TILED_SECRET_KEYS: "hunter2", TILED_DATABASE_POOL_SIZE: "many" });
    assert.deepEqual(
      found.map(({ file, message }) => `${file}: ${message}`),
      [
        `environment variable TILED_SECRET_KEYS: must be JSON: a list in brackets, each item in double quotes, like '["…", "…"]'.`,
        "environment variable TILED_DATABASE_POOL_SIZE: text from the environment is not allowed here. Use a whole number from 2 to 1000.",
      ],
    );
    assert.deepEqual(wrong(yaml, { TILED_SECRET_KEYS: "", TILED_DATABASE_POOL_SIZE: "" }), []);
  });

  it("a misspelt name is warned of", () => {
    const { warnings } = load(TREES, { TILED_SECRET_KEY: "hunter2", TILED_API_KEY: "x", TILED_DEBUG: "1" });
    assert.deepEqual(
      warnings.filter((line) => line.includes("TILED_")),
      ["environment variable TILED_SECRET_KEY: not read here. Did you mean TILED_SECRET_KEYS?"],
    );
  });

  it("fill in a key without a value, and a section without one", () => {
    const env = { TILED_SECRET_KEYS: KEYS, TILED_DATABASE_URI: "env.db" };
    const { authentication, database } = load(`authentication:\n  secret_keys:\ndatabase:\n${TREES}`, env);
    assert.equal(authentication.secretKeys?.length, 2);
    assert.equal(database.uri?.reveal(), "env.db");
  });

  it("are not expanded again", () => {
    const { database } = load(TREES, { TILED_DATABASE_URI: "$HOME/a.db", HOME: "/root" });
    assert.equal(database.uri?.reveal(), "$HOME/a.db");
  });

  for (const [name, value, path, message] of [
    ["TILED_SECRET_KEYS", "hunter2", "authentication.secret_keys", /must be JSON: a list in brackets/],
    [
      "TILED_SECRET_KEYS",
      '"hunter2"',
      "authentication.secret_keys",
      /text from the environment is not allowed here\. Use a list/,
    ],
    ["TILED_SECRET_KEYS", "[]", "authentication.secret_keys", /the list is empty/],
    ["TILED_SECRET_KEYS", '[""]', "authentication.secret_keys[0]", /must not be empty/],
    ["TILED_SECRET_KEYS", "[5]", "authentication.secret_keys[0]", /a number is not allowed here\. Use text/],
    ["TILED_SINGLE_USER_API_KEY", "", "authentication.single_user_api_key", /must not be empty/],
    [
      "TILED_SINGLE_USER_API_KEY",
      "hunter2-",
      "authentication.single_user_api_key",
      /letters and digits only/,
    ],
    ["TILED_ALLOW_ANONYMOUS_ACCESS", "hunter2", "authentication.allow_anonymous_access", /Use true or false/],
    [
      "TILED_DATABASE_POOL_SIZE",
      "1",
      "database.pool_size",
      /this number is not allowed here\. Use a whole number from 2/,
    ],
    [
      "TILED_DATABASE_URI",
      "mysql://u:hunter2@h/d",
      "database.uri",
      /must be SQLite or PostgreSQL, not 'mysql'/,
    ],
    [
      "TILED_SESSION_MAX_AGE",
      "hunter2",
      "authentication.session_max_age",
      /must be a duration\. Use seconds/,
    ],
    ["TILED_PUBLIC_URL", "hunter2", "server.public_url", /must be a URL\. Use one like 'https/],
  ] as const) {
    it(`${name}=${value} is refused by its name`, () => {
      const [problem, ...others] = problems(TREES, { [name]: value });
      assert.deepEqual(others, []);
      assert.equal(problem?.file, `environment variable ${name}`);
      assert.equal(problem?.path, path);
      assert.match(problem?.message ?? "", message);
      assert.doesNotMatch(problem?.message ?? "", /hunter2/);
    });
  }

  it("a single-user key beside providers is an error from there, too", () => {
    const yaml = `authentication: {providers: [{provider: toy, authenticator: "m:N"}]}\n${TREES}`;
    const [problem] = problems(yaml, { TILED_SINGLE_USER_API_KEY: "abc" });
    assert.equal(problem?.file, "environment variable TILED_SINGLE_USER_API_KEY");
    assert.match(problem?.message ?? "", /cannot be used together/);
  });
});

describe("whole sections from the environment, stronger than the file", () => {
  it("lists replace the file's", () => {
    const env = { TILED_ALLOW_ORIGINS: '["https://env.org"]' };
    assert.deepEqual(load(`allow_origins: [https://file.org]\n${TREES}`, env).allowOrigins, [
      "https://env.org",
    ]);
  });

  it("mappings are merged key by key", () => {
    const env = {
      TILED_DATABASE: '{"pool_size": 9}',
      TILED_AUTHENTICATION: '{"login_throttle": {"account": {"per": 5}}}',
    };
    const { database, authentication } = load(
      `database: {uri: file.db, pool_size: 3}\nauthentication: {session_limit: 4, login_throttle: {account: {failures: 6}}}\n${TREES}`,
      env,
    );
    assert.equal(database.uri?.reveal(), "file.db");
    assert.equal(database.poolSize, 9);
    assert.equal(authentication.sessionLimit, 4);
    assert.deepEqual(authentication.loginThrottle, {
      account: { failures: 6, per: 5 },
      address: { failures: 100, per: 300 },
    });
  });

  it("trees may come from there alone", () => {
    const env = { TILED_TREES: '[{"path": "/x", "tree": "tiled.examples.generated_minimal:tree"}]' };
    assert.deepEqual(
      load("metrics:\n", env).trees.map(({ path }) => path),
      ["/x"],
    );
  });

  it("a variable without effect needs no JSON, and is reported", () => {
    const { warnings } = load(TREES, { TILED_RESPONSE_BYTESIZE_LIMIT: "1GB" });
    assert.match(
      warnings[0] ?? "",
      /no effect here: response_bytesize_limit \(environment variable TILED_RESPONSE/,
    );
  });

  it("errors name the variable", () => {
    assert.deepEqual(
      problems(TREES, { TILED_METRICS: '{"promeheus": "hunter2"}', TILED_SERVER: "hunter2" }).map(
        ({ file, path }) => [file, path],
      ),
      [
        ["environment variable TILED_SERVER", "server"],
        ["environment variable TILED_METRICS", "metrics.promeheus"],
      ],
    );
  });

  it("a key __proto__ in JSON is a key like any other", () => {
    const found = wrong(TREES, { TILED_SERVER: '{"__proto__": {"port": 1}}' });
    assert.match(found[0] ?? "", /^server\.__proto__: unknown key/);
  });

  it("other variables that begin with TILED_ are others' business", () => {
    const env = {
      TILED_CONFIG: "x",
      TILED_PROFILES: "y",
      TILED_API_KEY: "z",
      TILED_CACHE_DIR: "w",
      TILED_FOO: "v",
    };
    assert.deepEqual(load(TREES, env).warnings, []);
  });
});
