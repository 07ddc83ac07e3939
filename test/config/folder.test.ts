import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/yaml/problems.ts";
import { load, problems, TREES, withFiles } from "./support.ts";

const TREE = "tiled.examples.generated_minimal:tree";

function reason(path: string): string {
  try {
    loadConfig(path, {});
    return "";
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ message }) => message).join();
  }
}

describe("a folder of files", () => {
  it("is merged, in the order of the names; lists are joined", () => {
    const config = load(
      {
        "20-b.yaml": `trees: [{path: /b, tree: "${TREE}"}]\nallow_origins: [https://b.org]\nspecs: [{spec: x}]\n`,
        "10-a.yml": `allow_origins: [https://a.org]\ntrees: [{path: /a, tree: "${TREE}"}]\nspecs: [{spec: y}]\n`,
        "30-c.yml": "authentication: {single_user_api_key: $KEY}\n",
        "40.yml.bak": "not read: [",
        "README.md": "# not read",
      },
      { KEY: "abc" },
    );
    assert.deepEqual(
      config.trees.map(({ path }) => path),
      ["/a", "/b"],
    );
    assert.deepEqual(config.allowOrigins, ["https://a.org", "https://b.org"]);
    assert.equal(config.authentication.singleUserApiKey?.reveal(), "abc");
    assert.match(config.trees[1]?.place.file ?? "", /20-b\.yaml$/);
  });

  it("any other key in two files is an error that names both", () => {
    const [problem, ...others] = problems({
      "a.yml": `server: {port: 1}\n${TREES}`,
      "b.yml": "metrics:\nserver: {host: hunter2}\n",
    });
    assert.deepEqual(others, []);
    assert.match(problem?.file ?? "", /b\.yml$/);
    assert.equal(problem?.line, 2);
    assert.match(
      problem?.message ?? "",
      /^the key 'server' is in two files of the folder, first in .*a\.yml:1$/,
    );
  });

  it("a list in one and something else in the other is no list to join", () => {
    assert.equal(problems({ "a.yml": TREES, "b.yml": "trees: x\n" }).length, 1);
  });

  it("errors name the file of the folder", () => {
    const found = problems({
      "a.yml": TREES,
      "b.yml": "\nserver: {prot: 1}\n",
      "c.yml": "metrics: {x: 1}\n",
    });
    assert.deepEqual(
      found.map(({ file, line }) => [file.slice(-5), line]),
      [
        ["b.yml", 2],
        ["c.yml", 1],
      ],
    );
  });

  it("every file that is not YAML is reported", () => {
    const found = problems({ "a.yml": "a: [", "b.yml": "", "c.yml": Buffer.from([0xff]) });
    assert.deepEqual([...new Set(found.map(({ file }) => file.slice(-5)))], ["a.yml", "b.yml", "c.yml"]);
  });

  it("trees of two files must not contain each other either", () => {
    const [problem] = problems({ "a.yml": TREES, "b.yml": `trees: [{path: /x, tree: "${TREE}"}]\n` });
    assert.match(problem?.file ?? "", /b\.yml$/);
    assert.match(problem?.message ?? "", /overlap/);
  });

  it("folders in it are not read, links to files are", () => {
    withFiles({ "a.yml": TREES }, (path) => {
      mkdirSync(join(path, "b.yml"));
      mkdirSync(join(path, "..data"));
      writeFileSync(join(path, "..data", "c"), "server: {port: 5}\n");
      symlinkSync(join("..data", "c"), join(path, "c.yml"));
      assert.equal(loadConfig(path, {}).server.port, 5);
      symlinkSync("nowhere", join(path, "d.yml"));
      assert.match(reason(path), /there is no such file or folder/);
    });
  });
});

describe("a pipe in place of a file", () => {
  for (const [name, script, expected] of [
    ["is read", `printf '%s' "$TEXT"`, ""],
    ["may not be endless", `yes "# $TEXT"`, "the file is larger than 1048576 bytes"],
  ] as const) {
    it(name, () => {
      withFiles(TREES, (path) => {
        const pipe = `${path}.pipe`;
        execFileSync("mkfifo", [pipe]);
        const writer = spawn("sh", ["-c", `${script} > "$PIPE"`], {
          env: { ...process.env, PIPE: pipe, TEXT: TREES },
          stdio: "ignore",
        });
        try {
          assert.equal(reason(pipe), expected);
        } finally {
          writer.kill();
        }
      });
    });
  }
});

describe("a path that leads nowhere", () => {
  it("is reported in a sentence", () => {
    withFiles(TREES, (path) => {
      assert.equal(reason(`${path}x`), "there is no such file or folder");
      assert.equal(reason(join(path, "x")), "there is no such file or folder");
      assert.equal(reason("/dev/null"), "this is neither a file nor a folder");
      assert.equal(reason(""), "there is no such file or folder");
      assert.equal(reason("x".repeat(5000)), "the name is too long");
      symlinkSync("loop.yml", join(path, "..", "loop.yml"));
      assert.equal(reason(join(path, "..", "loop.yml")), "it cannot be read: its symbolic links form a loop");
    });
  });

  it("may also be closed to us", () => {
    withFiles(TREES, (path) => {
      chmodSync(path, 0);
      // Root may read everything.
      const root = process.geteuid?.() === 0;
      if (root) process.seteuid?.(65_534);
      try {
        assert.equal(reason(path), "it cannot be read: permission denied");
      } finally {
        if (root) process.seteuid?.(0);
      }
    });
  });
});
