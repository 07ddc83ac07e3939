/** Secrets that can be guessed stop the start of a server that others can reach. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, problems, TREES } from "./support.ts";

const GOOD = "9f86d081884c7d659a2feaa0c55ad015";
const SINGLE = "8f14e45fceea167a";
const keys = (key: string) => `authentication: {secret_keys: ["${key}"]}`;
const single = (key: string) => `authentication: {single_user_api_key: "${key}"}`;

const REACHABLE = [
  ["all interfaces", 'server: {host: "0.0.0.0"}', /listens at 0\.0\.0\.0/],
  ["all interfaces of IPv6", 'uvicorn: {host: "::"}', /listens at ::/],
  ["a name", "server: {host: lab.example.org}", /listens at lab\.example\.org/],
  [
    "a proxy's URL",
    "server: {public_url: https://lab.example.org}",
    /public_url is https:\/\/lab\.example\.org/,
  ],
  ["a host name", "server: {hosts: [localhost, lab.example.org:8000]}", /hosts has lab\.example\.org/],
  ["a trusted proxy", "server: {trusted_proxies: [127.0.0.1]}", /a proxy is trusted/],
] as const;
const ALONE = [
  "",
  "server: {host: localhost}",
  'server: {host: "::1"}',
  "server: {public_url: http://127.0.0.1:8000}",
  "server: {hosts: [localhost:8000]}",
];

const WEAK = [
  ["short", "5ecret", /shorter than 32 characters/],
  ["31 characters", GOOD.slice(1), /shorter than 32 characters/],
  ["one character", "k".repeat(64), /made of few different characters/],
  ["one word again and again", "bluesky!".repeat(8), /a short text repeated/],
  ["well-known words", "please-change-this-secret-key-0000", /made of well-known words/],
] as const;

describe("weak secret keys", () => {
  for (const [what, key, words] of WEAK) {
    it(`${what}: refused off loopback, with the command that makes a good one and the way out`, () => {
      for (const [, sections, reason] of REACHABLE) {
        const [problem = "", ...others] = problems(`${keys(key)}\n${sections}\n${TREES}`).map(
          ({ message }) => message,
        );
        assert.deepEqual(others, []);
        for (const part of [
          words,
          reason,
          /openssl rand -hex 32/,
          /authentication\.allow_weak_secrets: true/,
        ])
          assert.match(problem, part);
        assert.ok(!problem.includes(key));
      }
    });
    it(`${what}: a warning on this machine alone, and at each start where it is allowed`, () => {
      const allowed = `authentication: {secret_keys: ["${key}"], allow_weak_secrets: true}\nserver: {host: "0.0.0.0"}`;
      for (const yaml of [...ALONE.map((sections) => `${keys(key)}\n${sections}`), allowed]) {
        const { warnings } = load(`${yaml}\n${TREES}`);
        assert.equal(warnings.filter((line) => words.test(line)).length, 1, yaml);
        assert.ok(!warnings.join().includes(key));
      }
    });
  }

  it("good ones say nothing anywhere", () => {
    for (const [, sections] of REACHABLE) {
      for (const good of [keys(GOOD), single(SINGLE)])
        assert.deepEqual(load(`${good}\n${sections}\n${TREES}`).warnings, []);
    }
  });
});

describe("the single user's key", () => {
  it("is refused off loopback under sixteen characters, wherever it comes from", () => {
    const wide = `server: {host: "0.0.0.0"}\n${TREES}`;
    const told = (yaml: string, env = {}, overrides = {}) =>
      problems(yaml, env, overrides)
        .map(({ message }) => message)
        .join();
    assert.match(told(`${single("a")}\n${wide}`), /shorter than 16 characters/);
    assert.match(told(wide, { TILED_SINGLE_USER_API_KEY: "a" }), /shorter than 16 characters/);
    assert.match(told(wide, {}, { apiKey: "a" }), /shorter than 16 characters/);
    assert.match(told(TREES, {}, { apiKey: "a", host: "0.0.0.0" }), /shorter than 16 characters/);
    assert.equal(told(wide), "");
    assert.equal(told(TREES, {}, { apiKey: "a" }), "");
  });
});
