import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../src/yaml/problems.ts";
import { problems } from "../config/support.ts";

const text = (yaml: string): readonly string[] =>
  new ConfigError(problems(yaml)).message.split("\n").map((line) => line.replace(/\S*config\.yml/, "F"));

describe("the text of all errors", () => {
  it("the same mistake in many items of a list is one line with the first places and a count", () => {
    const many = Array.from({ length: 43 }, (_, index) => `- {path: /t${index}, tree: mine.tree}\n`);
    const [head, line = "", ...others] = text(`trees:\n${many.join("")}`);
    assert.equal(head, "The configuration has an error.");
    assert.deepEqual(others, []);
    assert.match(line, /^F:2: trees\[0\]\.tree: .*'mine\.tree'/);
    assert.match(
      line,
      /\. The same at trees\[1\]\.tree \(line 3\), trees\[2\]\.tree \(line 4\), .*\(line 6\) and 38 more places\.$/,
    );
  });

  it("other values and other keys have lines of their own", () => {
    const lines = text(
      `trees:\n- {path: /a, tree: mine.tree}\n- {path: /b, tree: other.tree}\npages: {title: "", contact: ""}\n`,
    );
    assert.equal(lines.length, 5);
    assert.equal(lines[0], "The configuration has 4 errors.");
  });

  it("equal mistakes of the YAML are told above the excerpt, with their lines", () => {
    const [, first, ...shown] = text("trees: t\n- path: /\n  tree: x\n- path: /\n  tree: x\n");
    assert.match(first ?? "", /^F:2: not valid YAML: .*[^.]\. The same at line 4\.$/);
    assert.deepEqual(shown, ["    - path: /", "    ^"]);
  });

  it("two places are named both", () => {
    const [, line = ""] = text("trees:\n- {path: /a, tree: m.t}\n- {path: /b, tree: m.t}\n");
    assert.match(line, /The same at trees\[1\]\.tree \(line 3\)\.$/);
  });
});
