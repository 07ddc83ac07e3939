import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { UpstreamConfig } from "../../src/config/model.ts";
import { load, TREES, wrong } from "./support.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const KEYS = `authentication: {secret_keys: ["${KEY}"]}\n`;

function upstreams(yaml: string): object[] {
  return load(`${KEYS}${yaml}`).upstreams.map(
    ({ prefix, host, url, timeout, sharesDatabase }: UpstreamConfig) => ({
      prefix,
      host,
      url,
      timeout,
      sharesDatabase,
    }),
  );
}

describe("servers behind this one", () => {
  it("are mounted at a path, with defaults", () => {
    assert.deepEqual(upstreams('trees: [{path: /, upstream: "http://127.0.0.1:8001"}]\n'), [
      { prefix: "", host: null, url: "http://127.0.0.1:8001", timeout: 60, sharesDatabase: false },
    ]);
  });

  it("stand at several paths and hosts, beside a tree that is served here", () => {
    const yaml = `database: {uri: sqlite:///tiled.db}
trees:
- {path: /raw, tree: "tiled.examples.generated_minimal:tree"}
- {path: beamline/2/, upstream: "https://Tiled:8443/base/", timeout: PT2M, shares_database: true}
- {host: "Data2.example.org:8443", upstream: http://b}
- {host: data3.example.org, path: /, upstream: http://c}
- {host: data3.example.org, path: /queue, upstream: http://d}
`;
    assert.deepEqual(upstreams(yaml), [
      {
        prefix: "/beamline/2",
        host: null,
        url: "https://tiled:8443/base",
        timeout: 120,
        sharesDatabase: true,
      },
      {
        prefix: "",
        host: "data2.example.org:8443",
        url: "http://b",
        timeout: 60,
        sharesDatabase: false,
      },
      { prefix: "", host: "data3.example.org", url: "http://c", timeout: 60, sharesDatabase: false },
      { prefix: "/queue", host: "data3.example.org", url: "http://d", timeout: 60, sharesDatabase: false },
    ]);
    assert.deepEqual(
      load(`${KEYS}${yaml}`).trees.map(({ path }) => path),
      ["/raw"],
    );
  });

  it("have a kind, and other servers than Tiled name what they are given", () => {
    const yaml = `trees:
- {path: /, upstream: http://a, kind: tiled}
- path: /queue
  upstream: http://b
  kind: http
  requires: {read: ["read:data", "read:data"], write: []}
  token_key: ${KEY.toUpperCase()}
- {path: /other, upstream: http://c, kind: http, enforces_scopes: true}
- {path: /unsaid, upstream: http://d, kind: null, trusted_pages: [/, /ui/, /a/b], max_connections: 7, max_streams: 9}
`;
    const found = load(`${KEYS}${yaml}`).upstreams.map(({ kind, requires, enforcesScopes, tokenKey }) => [
      kind,
      requires,
      enforcesScopes,
      tokenKey?.reveal() ?? null,
    ]);
    const none = { read: null, write: null };
    assert.deepEqual(found, [
      ["tiled", none, false, null],
      ["http", { read: ["read:data"], write: [] }, false, KEY.toUpperCase()],
      ["http", none, true, null],
      [null, none, false, null],
    ]);
    const limits = load(`${KEYS}${yaml}`).upstreams.map(({ trustedPages, maxConnections, maxStreams }) => [
      trustedPages,
      maxConnections,
      maxStreams,
    ]);
    assert.deepEqual(
      [limits[0], limits[3]],
      [
        [null, 100, 1000],
        [["", "/ui", "/a/b"], 7, 9],
      ],
    );
  });

  it("that require no scope at all are warned of", () => {
    const yaml =
      "trees: [{path: /, upstream: http://a, kind: http, requires: {read: [], write: [write:data]}}]\n";
    const told = load(`${KEYS}${yaml}`).warnings.filter((line) => /no scope is required/.test(line));
    assert.match(told.join("\n"), /^[^\n]*trees\[0\]\.requires\.read: .*a key without scopes passes/);
  });

  const WRONG: readonly [name: string, yaml: string, ...problems: RegExp[]][] = [
    ["without a place", "trees: [{upstream: http://a}]\n", /^1 trees\[0\]: an upstream needs a 'path'/],
    ["no URL", "trees: [{path: /, upstream: tiled}]\n", /^1 trees\[0\]\.upstream: '.*' is not a URL|must/],
    [
      "a kind that is not known",
      "trees: [{path: /, upstream: http://a, kind: queueserver}]\n",
      /^1 trees\[0\]\.kind: 'queueserver' is not allowed here. Use "tiled", or "http"/,
    ],
    [
      "what only a service that is no Tiled has",
      "trees: [{path: /, upstream: http://a, requires: {read: []}, enforces_scopes: true, token_key: x}]\n",
      /^1 trees\[0\]\.requires: .*Add 'kind: http'/,
      /^1 trees\[0\]\.enforces_scopes: .*Add 'kind: http'/,
      /^1 trees\[0\]\.token_key: .*Add 'kind: http'/,
      /^1 trees\[0\]\.requires: with 'enforces_scopes'/,
    ],
    [
      "a page that is no path",
      "trees: [{path: /, upstream: http://a, trusted_pages: [/ui/, app, /a/../b]}]\n",
      /^1 trees\[0\]\.trusted_pages\[1\]: this is not a path of pages/,
      /^1 trees\[0\]\.trusted_pages\[2\]: this is not a path of pages/,
    ],
    [
      "a scope that is none",
      'trees: [{path: /, upstream: http://a, kind: http, requires: {write: ["write:dato"]}}]\n',
      /^1 trees\[0\]\.requires\.write\[0\]: .*Did you mean 'write:data'\?/,
    ],
    [
      "a token_key that signs the tokens of this server",
      `trees: [{path: /, upstream: http://a, kind: http, token_key: "${KEY}"}]\n${KEYS}`,
      /^1 trees\[0\]\.token_key: this is one of authentication\.secret_keys/,
    ],
    [
      "keys for a service that cannot know them",
      "trees: [{path: /, upstream: http://a, kind: http, shares_database: true}]\ndatabase: {uri: sqlite:///x.db}\n",
      /^1 trees\[0\]\.shares_database: API keys are passed on to a Tiled only/,
    ],
    [
      "a URL with a password",
      "trees: [{path: /, upstream: 'http://u:hunter2@a'}]\n",
      /^1 trees\[0\]\.upstream: must not contain a user name or a password/,
    ],
    [
      "a tree and an upstream in one",
      "trees: [{path: /, upstream: http://a, tree: 'a:b', args: {x: 1}}]\n",
      /^1 trees\[0\]\.tree: an upstream has its own trees/,
      /^1 trees\[0\]\.args: an upstream has its own trees/,
    ],
    [
      "what only an upstream has",
      `trees: [{path: /, tree: "tiled.examples.generated_minimal:tree", timeout: 3}]\n`,
      /^1 trees\[0\]\.timeout: only an entry with 'upstream'/,
    ],
    [
      "two at one place",
      "trees:\n- {path: /a, upstream: http://a}\n- {path: a/, upstream: http://b}\n",
      /^3 trees\[1\]\.path: trees\[0\] has the same host and path already/,
    ],
    [
      "over our own paths",
      "trees: [{path: /API/v1, upstream: http://a}]\n",
      /paths below '\/API' are this server's own/,
    ],
    [
      "at '..'",
      "trees: [{path: /a/.., upstream: http://a}]\n",
      /^1 trees\[0\]\.path: the path of an upstream may have only letters/,
    ],
    [
      "at an encoded path",
      "trees: [{path: /a%2f, upstream: http://a}]\n",
      /^1 trees\[0\]\.path: the path of an upstream may have only letters/,
    ],
    [
      "over trees that are served here",
      `${TREES.replace("{path: /,", "{path: /x,").replace("}]", "}, {path: /, upstream: http://a}]")}`,
      /^1 trees\[1\]\.path: an upstream at '\/' hides/,
    ],
    [
      "sharing a database that is not there",
      "trees: [{path: /, upstream: http://a, shares_database: true}]\n",
      /^1 trees\[0\]\.shares_database: no database to share/,
    ],
    [
      "too patient",
      "trees: [{path: /, upstream: http://a, timeout: P2D}]\n",
      /^1 trees\[0\]\.timeout: must not be longer than a day/,
    ],
    [
      "a host that is a URL",
      "trees: [{host: http://a, upstream: http://a}]\n",
      /^1 trees\[0\]\.host: 'http:\/\/a' is not a host name/,
    ],
  ];
  for (const [name, yaml, ...problems] of WRONG) {
    it(`are refused: ${name}`, () => {
      const found = wrong(yaml);
      assert.equal(found.length, problems.length, found.join("\n"));
      for (const [index, problem] of problems.entries()) assert.match(found[index] ?? "", problem);
      assert.doesNotMatch(found.join("\n"), /hunter2/);
    });
  }

  it("need keys that both know: the log says so", () => {
    const yaml = "trees: [{path: /, upstream: http://a}]\n";
    assert.match(load(yaml).warnings.join("\n"), /secret_keys: not set, so a Tiled behind this server/);
    assert.deepEqual(load(`${KEYS}${yaml}`).warnings, []);
  });
});
