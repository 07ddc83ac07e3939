/**
 * Numbers, booleans and lifetimes in quotes: what Tiled 0.2.20 (pydantic 2.14) reads in each text was recorded from
 * `Database.init_if_not_exists`, `Database.max_overflow` and `Authentication.access_token_max_age` of its own Config.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, TREES, wrong } from "../config/support.ts";

const REFUSED = Symbol("refused");

/** Here white space is trimmed from booleans, too: a variable that comes from a file often ends with a line break. */
const BOOLEANS: readonly (readonly [unknown, boolean | typeof REFUSED])[] = [
  ...["true", "True", "TRUE", "tRuE", "t", "T", "yes", "Yes", "YES", "y", "Y", "on", "ON", "On", "1"].map(
    (text) => [text, true] as const,
  ),
  ...["false", "False", "f", "F", "no", "NO", "n", "N", "off", "OFF", "0"].map(
    (text) => [text, false] as const,
  ),
  ...["1.0", "0.0", "2", "-1", "01", "00", "", "ja", "enabled", "null", "None", "~"].map(
    (text) => [text, REFUSED] as const,
  ),
  [true, true],
  [false, false],
  [0, false],
  [1, true],
  [2, REFUSED],
  [-1, REFUSED],
  [0.5, REFUSED],
];

const INTEGERS: readonly (readonly [unknown, number | typeof REFUSED])[] = [
  ["800", 800],
  [" 800 ", 800],
  ["\n800\t", 800],
  ["\u00a08", 8],
  ["\u20038", 8],
  ["8_00", 800],
  ["+8", 8],
  ["08", 8],
  ["008", 8],
  ["8.0", 8],
  ["8.00", 8],
  ["0.0", 0],
  ["-0", 0],
  ["+0", 0],
  ["00", 0],
  ["0_0", 0],
  ["8_0.0", 80],
  [" 8_0 ", 80],
  [8, 8],
  ...[
    "8__00",
    "_8",
    "8_",
    "- 8",
    "+-8",
    "--8",
    "0x10",
    "0b1",
    "0o7",
    "8.",
    "8.5",
    ".0",
    "8e3",
    "1e0",
    "",
    "  ",
    "eight",
    "\uff18",
    "\u0663",
    "8,000",
    "8 000",
    "true",
    "8L",
    "8.0_0",
    "Infinity",
    "NaN",
  ].map((text) => [text, REFUSED] as const),
  [8.5, REFUSED],
];

/** Tiled takes 0 and less, too, which no login survives, and refuses "900", which has one meaning only. */
const DURATIONS: readonly (readonly [unknown, number | typeof REFUSED])[] = [
  ["PT15M", 900],
  ["+PT15M", 900],
  ["P1DT2H", 93_600],
  ["P1DT", 86_400],
  ["P1W", 604_800],
  ["PT1.5S", 1.5],
  ["PT1,5S", 1.5],
  ["15:00", 54_000],
  ["00:15", 900],
  ["0:15:00", 900],
  ["00:15:00.5", 900.5],
  ["24:00:00", 86_400],
  ["1 day", 86_400],
  ["1 d", 86_400],
  ["2D", 172_800],
  ["7 days", 604_800],
  ["7 DAYS", 604_800],
  ["7 days, 00:00:00", 604_800],
  ["7 days,00:00:00", 604_800],
  ["7 days 00:00:00", 604_800],
  ["1d 01:00:00", 90_000],
  [900, 900],
  [900.5, 900.5],
  ...[
    "pt15m",
    "15 minutes",
    "15m",
    "1h",
    "1 hour",
    "",
    "P",
    "PT",
    "00:60:00",
    "00:00:60",
    "9_00",
    "\u0663",
    "900s",
    "1e3",
    "infinity",
    "NaN",
    "7 days,  00:00:00",
  ].map((text) => [text, REFUSED] as const),
];

function reading(section: string, key: string, value: unknown, read: () => unknown): unknown {
  const yaml = `${TREES}${section}: {${key}: ${JSON.stringify(value)}}\n`;
  const [problem, ...others] = wrong(yaml);
  if (problem === undefined) return read();
  assert.deepEqual(others, []);
  assert.match(problem, new RegExp(`^2 ${section}\\.${key}: `));
  return REFUSED;
}

const config = (section: string, key: string, value: unknown) =>
  load(`${TREES}${section}: {${key}: ${JSON.stringify(value)}}\n`);

describe("values in quotes are read as Tiled reads them", () => {
  for (const [value, expected] of BOOLEANS) {
    it(`${JSON.stringify(value)} as a boolean`, () => {
      const read = () => config("database", "init_if_not_exists", value).database.initIfNotExists;
      assert.equal(reading("database", "init_if_not_exists", value, read), expected);
    });
  }
  for (const [value, expected] of INTEGERS) {
    it(`${JSON.stringify(value)} as a whole number`, () => {
      const read = () => config("database", "max_overflow", value).database.maxOverflow;
      assert.equal(reading("database", "max_overflow", value, read), expected);
    });
  }
  for (const [value, expected] of DURATIONS) {
    it(`${JSON.stringify(value)} as a lifetime`, () => {
      const read = () =>
        config("authentication", "access_token_max_age", value).authentication.accessTokenMaxAge;
      assert.equal(reading("authentication", "access_token_max_age", value, read), expected);
    });
  }

  it("in a whole file, with every kind of key", () => {
    const { authentication, database, metrics, server, audit, upstreams } = load(
      `authentication:
  allow_anonymous_access: "true"
  secret_keys: [0123456789abcdef0123456789abcdef]
  access_token_max_age: "900"
  refresh_token_rotation: "off"
  session_limit: "7"
  api_key_limit: "8_0"
  login_throttle: {account: {failures: "5", per: "60"}, address: {failures: "50"}}
database: {uri: "sqlite:///auth.db", init_if_not_exists: "yes", pool_size: "5", max_overflow: "0", pool_pre_ping: "false"}
metrics: {prometheus: "1"}
audit: {retention_days: "30"}
server: {body_limit: "2048"}
uvicorn: {host: 127.0.0.1, port: "8001", proxy_headers: "true"}
trees: [{path: /, upstream: "http://127.0.0.1:8002", timeout: "30", shares_database: "y"}]
`,
    );
    assert.equal(authentication.allowAnonymousAccess, true);
    assert.equal(authentication.accessTokenMaxAge, 900);
    assert.equal(authentication.refreshTokenRotation, false);
    assert.equal(authentication.sessionLimit, 7);
    assert.equal(authentication.apiKeyLimit, 80);
    assert.deepEqual(authentication.loginThrottle, {
      account: { failures: 5, per: 60 },
      address: { failures: 50, per: 300 },
    });
    assert.deepEqual(
      { ...database, uri: null },
      {
        uri: null,
        initIfNotExists: true,
        poolSize: 5,
        maxOverflow: 0,
        poolPrePing: false,
        exclusiveWriter: false,
      },
    );
    assert.deepEqual([metrics.prometheus, audit.retentionDays], [true, 30]);
    assert.deepEqual([server.bodyLimit, server.port], [2048, 8001]);
    assert.deepEqual([upstreams[0]?.timeout, upstreams[0]?.sharesDatabase], [30, true]);
  });

  it("in a file as Helm charts write them", () => {
    const { authentication, database, metrics, server } = load(
      `authentication: {allow_anonymous_access: "true"}
database: {uri: "sqlite:///auth.db", init_if_not_exists: "yes", pool_size: "5", pool_pre_ping: "false"}
metrics: {prometheus: "1"}
uvicorn: {host: 127.0.0.1, port: "8000", proxy_headers: "true"}
trees: [{path: /, tree: "tiled.examples.generated_minimal:tree"}]\n`,
    );
    assert.equal(authentication.allowAnonymousAccess, true);
    assert.deepEqual([database.initIfNotExists, database.poolSize, database.poolPrePing], [true, 5, false]);
    assert.deepEqual([metrics.prometheus, server.port], [true, 8000]);
  });

  it("a throttle that is switched off in quotes", () => {
    const off = `${TREES}authentication: {login_throttle: "false"}\n`;
    assert.equal(load(off).authentication.loginThrottle, false);
  });

  it("only where a number or a boolean is asked for: text stays text, and a number is no password", () => {
    assert.equal(load(`${TREES}pages: {title: "2024"}\n`).pages.title, "2024");
    assert.equal(wrong(`${TREES}authentication: {single_user_api_key: 12345678}\n`).length, 1);
    assert.equal(wrong(`${TREES}server: {host: 127}\n`).length, 1);
  });

  it("a bound holds for them as for others, and a boolean is no number", () => {
    assert.equal(wrong(`${TREES}uvicorn: {port: "65536"}\n`).length, 1);
    assert.equal(wrong(`${TREES}database: {pool_size: "${"1".repeat(30)}"}\n`).length, 1);
    assert.equal(wrong(`${TREES}uvicorn: {port: yes}\n`).length, 1);
  });
});
