import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { load, problems, TREES, wrong } from "../config/support.ts";

const TREE = '"tiled.examples.generated_minimal:tree"';

describe("files that are not one mapping in YAML", () => {
  for (const [name, text, line, expected] of [
    ["empty", "", 1, /the file is empty/],
    ["comments only", "# nothing\n\n", 1, /the file is empty/],
    ["null", "~\n", 1, /the file is empty/],
    ["a list", "- a\n- b\n", 1, /must be a mapping .*, not a list/],
    ["a text", "hunter2\n", 1, /must be a mapping .*, not a single value/],
    ["several documents", `${TREES}---\nb: 2\n`, 2, /several YAML documents/],
    ["a tab", "server:\n\tport: 8000\n", 2, /a tab indents this line/],
    ["a tab after spaces", "trees:\n  - path: /\n  \t  tree: x\n", 3, /a tab indents this line/],
    ["an open quote", 'a: "hunter2\nb: 2\n', 2, /a closing quote/],
    ["an open bracket", "a: [1, hunter2\nb: 3\n", 2, /a bracket is not closed/],
    ["an open bracket before a list", "a:\n  b: [\n  - c: hunter2\n", 3, /a bracket is not closed/],
    ["two colons", "a: hunter2: c\n", 1, /check the indentation and the colons/],
    ["a wrong indentation", "server:\n  port: 1\n host: x\n", 3, /the indentation does not fit|not expected/],
    ["a reserved character", "a: 1\nb: @hunter2\n", 2, /a character that YAML reserves/],
    ["an unknown escape", 'a: "\\hunter2"\n', 1, /an escape/],
    ["an unknown tag", "a: 1\nb: !hunter2 x\n", 2, /a tag .* is not known/],
    ["Python's objects", "a: !!python/object/apply:os.system ['hunter2']\n", 1, /a tag .* is not known/],
    ["bytes", "a: !!binary aHVudGVyMg==\n", 1, /a tag .* is not known/],
    ["a key that is a list", "? [hunter2]\n: 1\n", 1, /a key must be text/],
    ["an alias of nothing", `${TREES}b: *hunter2\n`, 2, /an alias .* names no anchor before it/],
    ["an alias of itself", "a: &a [*a]\n", 1, /an alias .* names no anchor before it/],
    ["no space after a colon", "a: {alice:hunter2}\n", 1, /^'alice' is not followed by a colon and a space/],
    ["no colon", 'a: {b: 1, alice "hunter2"}\n', 1, /^'alice' is not followed by a colon/],
    ["a URI run together", "a: {uri:pq://u:hunter2@h}\n", 1, /^'uri' is not followed by a colon/],
    ["merging a text", `${TREES}server:\n  <<: hunter2\n`, 3, /only a mapping can be merged/],
  ] as const) {
    it(name, () => {
      const [problem, ...others] = problems(text);
      assert.deepEqual(others, []);
      assert.equal(problem?.line, line);
      assert.match(problem?.message ?? "", expected);
      assert.doesNotMatch(JSON.stringify(problem), /hunter2/);
    });
  }

  for (const [name, text, ...shown] of [
    ["a value without a secret", "server:\n  host: @home # here\n", "  host: @home", "        ^"],
    ["a missing comma", "server: {port: 8000 host: x}\n", "server: {port: 8000 host: x}", "               ^"],
    [
      "a secret",
      "authentication:\n  single_user_api_key: @hunter2 x\n",
      "  single_user_api_key: @… …",
      "                       ^",
    ],
    [
      "a secret beside",
      "server: {port: @1, password: hunter2}\n",
      "server: {port: @1, … …}",
      "               ^",
    ],
    [
      "an unknown key",
      "authentication:\n  args:\n    hunter2: 'hunter2' hunter2\n",
      "    … '…' …",
      "          ^",
    ],
    [
      "a password in a URL",
      "trees: [{path: @, upstream: 'http://u:hunter2@h'}]\n",
      "trees: [{path: @, upstream: '…'}]",
      "               ^",
    ],
    [
      "a password of a person whose name is a key of ours",
      "authentication:\n  providers:\n  - provider: toy\n    args:\n      users_to_passwords:\n        host: @hunter2\n",
      "        host: @…",
      "              ^",
    ],
    [
      "the same on one line",
      "args: {users_to_passwords: {title: @hunter2}}\n",
      "args: {… {title: @…}}",
      "                 ^",
    ],
    ["a list of secrets", "authentication:\n  secret_keys:\n  - @hunter2\n", "  - @…", "    ^"],
  ] as const) {
    it(`the line and a caret: ${name}`, () => {
      const [message = ""] = wrong(text);
      assert.deepEqual(
        message.split("\n").slice(1),
        shown.map((line) => `    ${line}`),
      );
      assert.doesNotMatch(message, /hunter2/);
    });
  }

  it("a key twice, at its second line", () => {
    const text = `server:\n  port: 1\n  port: 2\n${TREES}server: {}\n`;
    assert.deepEqual(wrong(text), [
      "3 server.port: the key 'port' is given twice, first in line 2. Remove one of them.",
      "5 server: the key 'server' is given twice, first in line 1. Remove one of them.",
    ]);
  });

  it("bytes that are not UTF-8, at their line", () => {
    assert.deepEqual(wrong(Buffer.from("a: 1\nb: caf\xe9\n", "latin1")), [
      "2: the file is not UTF-8; save it as UTF-8",
    ]);
    assert.deepEqual(wrong(Buffer.from("a: 1\n", "utf16le")), [
      "1: there is a NUL character in the file; save it as UTF-8",
    ]);
  });

  it("several mistakes of form are all told, up to ten", () => {
    const text = Array.from({ length: 20 }, (_, index) => `k${index}: @x\n`).join("");
    const found = problems(text);
    assert.equal(found.length, 10);
    assert.deepEqual(
      found.map((problem) => problem.line),
      Array.from({ length: 10 }, (_, index) => index + 1),
    );
  });
});

describe("files that would take all memory or time", () => {
  it("billion laughs", () => {
    const names = [..."abcdefghijklmnop"];
    const lines = names.map((name, index) => {
      const before = names[index - 1];
      return `${name}: &${name} [${Array(9)
        .fill(before === undefined ? "lol" : `*${before}`)
        .join(", ")}]`;
    });
    const [problem, ...others] = problems(lines.join("\n"));
    assert.match(problem?.message ?? "", /more than 100000 values/);
    assert.equal(problem?.line, 6);
    assert.deepEqual(others, []);
  });

  it("the same with mappings and merge keys", () => {
    const names = [..."abcdefghijklmnopqrstuvwxyz"];
    const lines = names.map((name, index) => {
      const before = names[index - 1];
      return `${name}: &${name} {x: ${before ? `*${before}` : 1}, y: ${before ? `*${before}` : 1}}`;
    });
    assert.match(problems(lines.join("\n"))[0]?.message ?? "", /more than 100000 values/);
  });

  for (const [name, text] of [
    ["lists", `a: ${"[".repeat(2000)}${"]".repeat(2000)}`],
    ["mappings", `a: ${"{a: ".repeat(2000)}${"}".repeat(2000)}`],
    ["blocks", Array.from({ length: 300 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join("")],
    ["sequences", `a:\n${"- ".repeat(2000)}x`],
  ] as const) {
    it(`deep ${name}`, () => {
      const found = problems(text);
      assert.equal(found.length, 1);
      assert.match(found[0]?.message ?? "", /nested too deeply/);
      assert.ok((found[0]?.path.length ?? 0) < 200);
    });
  }

  it("a huge file is refused before it is read as YAML", () => {
    assert.deepEqual(wrong(`# ${"x".repeat(1024 * 1024)}\n${TREES}`), [
      "the file is larger than 1048576 bytes",
    ]);
  });

  it("a long key is cut in the message", () => {
    const [problem] = problems(`${"k".repeat(900)}: 1\n${TREES}`);
    assert.ok((problem?.message.length ?? 0) < 400);
  });
});

describe("files as others write them", () => {
  it("with a byte order mark, CRLF, no newline at the end", () => {
    assert.equal(load(`\uFEFF${TREES}`).trees.length, 1);
    assert.equal(load(`server:\r\n  port: 1\r\n${TREES.trim()}`).server.port, 1);
    assert.deepEqual(wrong(`server:\r\n  port: x\r\n${TREES}`)[0]?.slice(0, 14), "2 server.port:");
  });

  it("words that PyYAML reads as booleans and numbers are those", () => {
    const config = load(
      `authentication: {allow_anonymous_access: yes}\nmetrics: {prometheus: off}\nserver: {port: 0x1F90}\n${TREES}`,
    );
    assert.equal(config.authentication.allowAnonymousAccess, true);
    assert.equal(config.metrics.prometheus, false);
    assert.equal(config.server.port, 8080);
  });

  it("`y` and `n` are texts, as for PyYAML", () => {
    const admins = "tiled_admins: [{provider: n, id: y}]";
    const config = load(
      `authentication: {providers: [{provider: n, authenticator: "m:N"}], ${admins}}\n${TREES}`,
    );
    assert.deepEqual(config.authentication.admins, [{ provider: "n", id: "y" }]);
  });

  it("anchors, aliases and merge keys", () => {
    const config = load(`database: &d {uri: a.db, pool_size: 3}
authentication:
  login_throttle:
    account: &limit {failures: 3, per: 60}
    address:
      <<: *limit
      failures: 4
trees:
- path: /a
  tree: &tree ${TREE}
- path: /b
  tree: *tree
`);
    assert.deepEqual(config.authentication.loginThrottle, {
      account: { failures: 3, per: 60 },
      address: { failures: 4, per: 60 },
    });
    assert.deepEqual(
      config.trees.map(({ path }) => path),
      ["/a", "/b"],
    );
  });

  it("a value through an alias is wrong where the alias stands", () => {
    const text = `authentication: {single_user_api_key: &secret hunter2}\nserver:\n  port: *secret\n${TREES}`;
    assert.deepEqual(wrong(text), [
      "3 server.port: text is not allowed here. Use a whole number from 0 to 65535.",
    ]);
  });

  it("sections without a value are as if they were not there", () => {
    const config = load(
      `authentication:\n  providers:\n  secret_keys: ~\ndatabase:\nuvicorn:\nallow_origins:\n${TREES}`,
    );
    assert.deepEqual(config.authentication.providers, []);
    assert.equal(config.authentication.secretKeys, null);
  });

  it("keys that are special in JavaScript are ordinary", () => {
    const text = `authentication:
  providers:
  - provider: toy
    authenticator: "m:N"
    args:
      users_to_passwords: {__proto__: "a", constructor: "b", alice: "c"}
${TREES}`;
    const { args } = load(text).authentication.providers[0] ?? {};
    const users = args?.["users_to_passwords"] as object;
    assert.deepEqual(Object.entries(users), [
      ["__proto__", "a"],
      ["constructor", "b"],
      ["alice", "c"],
    ]);
    assert.equal(Object.getPrototypeOf(users), Object.prototype);
    const [first, second] = problems(`__proto__: {server: {port: 1}}\nserver: {constructor: 1}\n${TREES}`);
    assert.match(first?.message ?? "", /^unknown key '__proto__'/);
    assert.match(second?.message ?? "", /^unknown key 'constructor'/);
    assert.equal(({} as { server?: unknown }).server, undefined);
  });
});
