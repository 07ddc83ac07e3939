import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { OperatorError } from "../../../src/errors.ts";
import { Inside } from "../../../src/trees/files/inside.ts";
import { descriptorSteps, pathSteps, stepsFrom } from "../../../src/trees/files/steps.ts";
import type { ContainerNode, TreeNode } from "../../../src/trees/model/contract.ts";
import { selectAll } from "../../../src/trees/model/selection.ts";
import { ConfigError } from "../../../src/yaml/problems.ts";
import { eventually } from "../../support/eventually.ts";
import { Folder, keys, npy, open } from "../files/support.ts";

const CSV = "a,b\n1,x\n";

async function at(root: ContainerNode, ...path: readonly string[]): Promise<TreeNode | undefined> {
  let node: TreeNode | undefined = root;
  for (const key of path) node = node?.family === "container" ? await node.child(key) : undefined;
  return node;
}

async function firstElement(node: TreeNode | undefined): Promise<number | undefined> {
  const data = node?.family === "array" ? await node.open() : undefined;
  return data && new Int32Array((await data.read(selectAll(data.shape))).slice().buffer)[0];
}

function folder(t: TestContext, content = {}): Folder {
  return new Folder(t.after.bind(t), content);
}

describe("a folder as a tree", () => {
  test("sub-folders, CSV and .npy files, each under its name without the ending, in order", async (t) => {
    const { root } = await open(
      folder(t, {
        "b.csv": CSV,
        "a.npy": npy([1]),
        "run1/A.CSV": CSV,
        "run1/deep/x.npy": npy([2]),
        "empty/.keep": "",
      }),
    );
    assert.deepEqual(await keys(root), ["a", "b", "empty", "run1"]);
    assert.deepEqual(await keys(await at(root, "run1")), ["A", "deep"]);
    assert.equal(await firstElement(await at(root, "run1", "deep", "x")), 2);
    assert.equal((await at(root, "run1", "A"))?.family, "table");
    assert.deepEqual(await keys(await at(root, "empty")), []);
    assert.equal(await at(root, "a", "x"), undefined);
    assert.equal(await root.count(), 4);
    assert.deepEqual(
      (await root.entries({ offset: 1, limit: 2 })).map(([key]) => key),
      ["b", "empty"],
    );
    assert.equal(root.accessTags, null);
  });

  test("JSON beside an entry is its metadata", async (t) => {
    const { root, warnings } = await open(
      folder(t, {
        "a.csv": CSV,
        "a.json": '{"color": "red", "__proto__": {"x": 1}, "half": "\\ud800!"}',
        "run/x.npy": npy([1]),
        "run.json": '\ufeff{"sample": {"name": "rock"}}',
        "run/x.json": "[1]",
        "run/y.npy": npy([1]),
        "run/y.json": "{",
        "run/z.npy": npy([1]),
        "run/z.json": `${'{"a":'.repeat(100)}1${"}".repeat(100)}`,
      }),
    );
    const metadata = (await at(root, "a"))?.metadata;
    assert.equal(JSON.stringify(metadata), '{"color":"red","__proto__":{"x":1},"half":"\ufffd!"}');
    assert.deepEqual((await at(root, "run"))?.metadata, { sample: { name: "rock" } });
    for (const key of ["x", "y", "z"]) {
      assert.deepEqual((await at(root, "run", key))?.metadata, {});
      await at(root, "run", key);
    }
    assert.deepEqual(warnings.map((line) => line.replace(/^.*?: '/, "'")).toSorted(), [
      "'run/x.json': it is not an object.",
      "'run/y.json': it is not JSON.",
      "'run/z.json': it is nested too deeply.",
    ]);
  });

  test("metadata never decide who may see an entry", async (t) => {
    const here = folder(t, {
      "a.csv": CSV,
      "a.json": '{"access_tags": ["public"], "accessTags": ["public"]}',
      "tags.yml": "x: []\n",
    });
    const { root, tree } = await open(here, { access_tags_file: "tags.yml" });
    t.after(() => tree.close?.());
    assert.deepEqual((await at(root, "a"))?.accessTags, []);
  });

  test("anything else is reported as skipped, once", async (t) => {
    const here = folder(t, {
      "a.csv": CSV,
      "notes.txt": "x",
      "\u009b31m\u202e.txt": "x",
      "n.csv": CSV,
      "n.npy": npy([1]),
      "n.json": "{}",
      "lonely.json": "{}",
      ".hidden.csv": CSV,
      "..csv": CSV,
      "...npy": npy([1]),
      "sub/image.tif": "x",
    });
    symlinkSync("a.csv", here.at("link.csv"));
    execFileSync("mkfifo", [here.at("pipe.csv")]);
    const { root, warnings } = await open(here);
    for (let time = 0; time < 3; time += 1) {
      assert.deepEqual(await keys(root), ["a", "sub"]);
      assert.deepEqual(await keys(await at(root, "sub")), []);
      writeFileSync(here.at(`more${time}.csv`), CSV);
      unlinkSync(here.at(`more${time}.csv`));
    }
    assert.deepEqual(
      warnings.map((line) => line.replace(/^.*?: '/, "'")).toSorted(),
      [
        "'...npy': it is hidden.",
        "'..csv': it is hidden.",
        "'.hidden.csv': it is hidden.",
        "'link.csv': it is a symbolic link.",
        "'lonely.json': there is no entry of this name to describe.",
        "'n.csv': another entry has the same name without the extension.",
        "'n.npy': another entry has the same name without the extension.",
        "'notes.txt': its format is not supported.",
        "'\\u009b31m\\u202e.txt': its format is not supported.",
        "'pipe.csv': it is neither a file nor a folder.",
        "'sub/image.tif': its format is not supported.",
      ].toSorted(),
    );
  });

  test("names of every kind", async (t) => {
    const names = [
      "a.b.c",
      "größe 日本 😀",
      "100%",
      "a%2Fb",
      "%2e%2e",
      "a\\b",
      "x\ny",
      "--",
      "con",
      "__proto__",
      "constructor",
      "a?b#c&d",
      "e\u0301",
    ];
    const { root } = await open(
      folder(t, Object.fromEntries(names.map((name, index) => [`${name}.npy`, npy([index])]))),
    );
    assert.deepEqual(new Set(await keys(root)), new Set(names));
    for (const [index, name] of names.entries())
      assert.equal(await firstElement(await at(root, name)), index, name);
    for (const name of ["é", "A.B.C", "a.b", "toString", ""])
      assert.equal(await at(root, name), undefined, name);
  });

  test("a name that is not UTF-8 is reported, and hides nothing else", async (t) => {
    const here = folder(t, { "a.csv": CSV });
    writeFileSync(
      Buffer.concat([Buffer.from(`${here.path}/`), Buffer.from([0xff, 0xfe]), Buffer.from(".csv")]),
      CSV,
    );
    const { root, warnings } = await open(here);
    assert.deepEqual(await keys(root), ["a"]);
    assert.match(warnings.join(), /its name is not UTF-8/);
  });

  test("a folder that is missing, or is a file, stops the start", async (t) => {
    const here = folder(t, { "a.csv": CSV });
    for (const directory of [here.at("nowhere"), here.at("a.csv"), ""]) {
      if (directory === "") continue;
      await assert.rejects(open(here, { directory }), OperatorError);
    }
    await open(here, { directory: "." });
    symlinkSync(here.path, here.at("itself"));
    await open(here, { directory: here.at("itself") });
  });
});

describe("paths outside the folder", () => {
  test("is reached by no name", async (t) => {
    const here = folder(t, { "in/a.npy": npy([1]), "secret.npy": npy([666]), "in2/b.npy": npy([667]) });
    const { root } = await open(here, { directory: "in" });
    for (const key of [
      "..",
      "../secret",
      "..\\secret",
      "%2e%2e",
      "/etc",
      here.at("secret"),
      ".",
      "",
      "a/../../secret",
      "a.npy",
      "in2",
      "..2f",
      "\0",
    ])
      assert.equal(await at(root, key), undefined, key);
    assert.equal(await at(root, "..", "secret"), undefined);
  });

  test("are not reached by symbolic links at any level", async (t) => {
    const here = folder(t, {
      "in/a.npy": npy([1]),
      "in/sub/b.npy": npy([2]),
      "out/secret.npy": npy([666]),
      "out/sub/x.npy": npy([667]),
    });
    symlinkSync(here.at("out/secret.npy"), here.at("in/file.npy"));
    symlinkSync("../out", here.at("in/folder"));
    symlinkSync("a.npy", here.at("in/inside.npy"));
    symlinkSync("loop", here.at("in/loop"));
    const { root } = await open(here, { directory: "in" });
    assert.deepEqual(await keys(root), ["a", "sub"]);
    for (const key of ["file", "folder", "inside", "loop"]) assert.equal(await at(root, key), undefined, key);
  });

  test("are not reached by replacing an entry with a link after it was found", async (t) => {
    const here = folder(t, { "in/a.npy": npy([1]), "in/sub/b.npy": npy([2]), "out/b.npy": npy([666]) });
    const { root, clock } = await open(here, { directory: "in" });
    const file = await at(root, "a");
    const sub = await at(root, "sub");
    const inner = await at(root, "sub", "b");
    assert.equal(await firstElement(inner), 2);
    unlinkSync(here.at("in/a.npy"));
    symlinkSync(here.at("out/b.npy"), here.at("in/a.npy"));
    renameSync(here.at("in/sub"), here.at("in/moved"));
    symlinkSync(here.at("out"), here.at("in/sub"));
    clock.advance(10);
    assert.equal(await firstElement(file), undefined);
    assert.equal(await firstElement(inner), undefined);
    assert.deepEqual(await keys(sub), []);
    assert.deepEqual(await keys(root), ["moved"]);
  });

  test("are not reached by replacing entries all the time", { timeout: 60_000 }, async (t) => {
    const here = folder(t, {
      "in/sub/b.npy": npy([2]),
      "out/b.npy": npy([666]),
      "out/only-outside.npy": npy([667]),
    });
    const inside = new Inside(here.at("in"), await stepsFrom(here.at("in")));
    let stop = false;
    t.after(() => {
      stop = true;
    });
    const exchange = (async () => {
      while (!stop) {
        renameSync(here.at("in/sub"), here.at("in/aside"));
        symlinkSync(here.at("out"), here.at("in/sub"));
        await new Promise((resolve) => setImmediate(resolve));
        unlinkSync(here.at("in/sub"));
        renameSync(here.at("in/aside"), here.at("in/sub"));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    let reached = 0;
    for (let time = 0; time < 3000; time += 1) {
      const file = await inside.file(["sub", "b.npy"]);
      if (file !== undefined) {
        const element = Buffer.alloc(4);
        await file.handle.read(element, 0, 4, file.size - 4);
        await file.handle.close();
        assert.equal(element.readInt32LE(), 2);
        reached += 1;
      }
      const opened = await inside.folder(["sub"]);
      if (opened !== undefined) {
        const names = (await opened.names()).map(({ name }) => name);
        await opened.close();
        assert.ok(!names.includes("only-outside.npy"));
      }
    }
    stop = true;
    await exchange;
    assert.ok(reached > 0);
  });

  test("pipes and folders are not opened as files", async (t) => {
    const here = folder(t, { "sub/x": "" });
    execFileSync("mkfifo", [here.at("pipe")]);
    symlinkSync(here.path, here.at("link"));
    for (const steps of [descriptorSteps(here.path), pathSteps(here.path)]) {
      const inside = new Inside(here.path, steps);
      for (const place of [
        ["pipe"],
        ["sub"],
        ["nowhere"],
        ["x".repeat(5000)],
        ["link", "sub", "x"],
        ["link"],
        ["sub", "..", "sub", "x"],
        ["sub/x"],
        [".", "sub", "x"],
        ["sub", "x\0"],
        [],
      ])
        assert.equal(await inside.file(place), undefined, place.join("/"));
      for (const place of [["sub", "x"], ["link"], ["link", "sub"], [".."], ["sub", ".."], ["nowhere"]]) {
        assert.equal(await inside.folder(place), undefined, place.join("/"));
      }
      for (const place of [["link", "sub"], [".."], ["nowhere"]])
        assert.equal(await inside.mark(place), undefined);
      const file = await inside.file(["sub", "x"]);
      assert.equal(file?.mark, await inside.mark(["sub", "x"]));
      await file?.handle.close();
      const folder = await inside.folder(["sub"]);
      assert.deepEqual(await folder?.names(), [{ name: "x", kind: "file" }]);
      await folder?.close();
    }
  });
});

describe("a folder that changes", () => {
  test("is listed as it is, even if only its time shows the change", async (t) => {
    const here = folder(t, { "a.csv": CSV });
    const { root } = await open(here);
    assert.deepEqual(await keys(root), ["a"]);
    here.write({ "b.csv": CSV });
    assert.deepEqual(await keys(root), ["a", "b"]);
    unlinkSync(here.at("a.csv"));
    assert.deepEqual(await keys(root), ["b"]);
    assert.equal(await at(root, "a"), undefined);
    here.write({ "b.json": '{"n": 1}' });
    assert.deepEqual((await at(root, "b"))?.metadata, { n: 1 });
    here.write({ "b.json": '{"n": 22}' });
    assert.deepEqual((await at(root, "b"))?.metadata, { n: 22 });
    rmSync(here.at("b.csv"));
    mkdirSync(here.at("b"));
    assert.equal((await at(root, "b"))?.family, "container");
  });

  test("is read again while its time is too recent to show a further change", async (t) => {
    const here = folder(t, { "a.csv": CSV });
    const { root, clock } = await open(here);
    const moment = new Date("2100-01-01T00:00:00Z");
    utimesSync(here.path, moment, moment);
    // The folder's own time of change is the system's, far in the past of this clock: only the other one is young.
    assert.deepEqual(await keys(root), ["a"]);
    here.write({ "b.csv": CSV });
    utimesSync(here.path, moment, moment);
    clock.advance(1);
    assert.deepEqual(await keys(root), ["a", "b"]);
  });

  test("a folder that vanishes, or may not be read, is empty", async (t) => {
    const here = folder(t, { "sub/a.csv": CSV });
    const { root, warnings } = await open(here);
    const sub = await at(root, "sub");
    rmSync(here.at("sub"), { recursive: true });
    assert.deepEqual(await keys(sub), []);
    assert.match(warnings.join(), /'sub': it cannot be read/);
  });
});

describe("tags of files", () => {
  const CONTENT = { "run1/A.csv": CSV, "run1/B.csv": CSV, "run2/A.csv": CSV, "top.csv": CSV };
  const tagsAt = async (root: ContainerNode, path: string) =>
    (await at(root, ...path.split("/").filter(Boolean)))?.accessTags;

  test("are those of the last matching pattern, none without a match", async (t) => {
    const here = folder(t, {
      ...CONTENT,
      "tags.yml": '"**": [public]\nrun1/**: [chem]\nrun1/A: [chem, PUBLIC, chem]\nrun2: []\n',
    });
    const { root, tree } = await open(here, { access_tags_file: "tags.yml" });
    t.after(() => tree.close?.());
    for (const [path, tags] of [
      ["", ["public"]],
      ["run1", ["public"]],
      ["run1/A", ["chem", "public"]],
      ["run1/B", ["chem"]],
      ["run2", []],
      ["run2/A", ["public"]],
    ] as const)
      assert.deepEqual(await tagsAt(root, path), tags, path);
    const listed = async (...tags: string[]) => {
      const listing = await root.bearing(new Set(tags));
      return [await listing.count(), (await listing.entries({ offset: 0, limit: 10 })).map(([key]) => key)];
    };
    assert.deepEqual(await listed("public"), [2, ["run1", "top"]]);
    assert.deepEqual(await listed("chem"), [0, []]);
    assert.deepEqual(new Set(tree.tags?.()), new Set(["public", "chem"]));
  });

  test("all that is wrong with the file stops the start", async (t) => {
    const here = folder(t, {
      "tags.yml": '/a: [x]\nb/: [x]\nc: x\nd: [1, "", "user:bob", "Service:1", ok]\nd: []\n',
    });
    await assert.rejects(open(here, { access_tags_file: "tags.yml" }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(
        error.problems.map(({ line, message }) => `${line} ${message.slice(0, 24)}`),
        [
          "1 a pattern must not begin",
          "2 a pattern must not begin",
          "3 must be a list of tags, w",
          "4 must be the name of a tag",
          "4 must be the name of a tag",
          "4 the tag 'user:bob' begin",
          "4 the tag 'Service:1' begi",
          "5 the key 'd' is given twi",
        ].map((line) => line.slice(0, 26)),
      );
      return true;
    });
    await assert.rejects(open(here, { access_tags_file: "nowhere.yml" }), ConfigError);
  });

  test("change while the server runs; a broken file changes nothing", { timeout: 30_000 }, async (t) => {
    const here = folder(t, { ...CONTENT, "tags.yml": '"**": [a]\n' });
    const { root, tree, warnings } = await open(here, { access_tags_file: "tags.yml" });
    t.after(() => tree.close?.());
    assert.equal(await (await root.bearing(new Set(["b"]))).count(), 0);
    here.write({ "tags.yml": '"**": [b]\n' });
    assert.ok(await eventually(10, async () => (await tagsAt(root, "top"))?.[0] === "b"));
    assert.equal(await (await root.bearing(new Set(["b"]))).count(), 3);
    here.write({ "tags.yml": '"**": [c\n' });
    assert.ok(await eventually(10, async () => warnings.some((line) => line.includes("tags are invalid"))));
    assert.deepEqual(await tagsAt(root, "top"), ["b"]);
  });
});

test("the folder is read with the rights of the server's process, and hard links are files", async (t) => {
  const outside = await mkdtemp(join(tmpdir(), "tiled-outside-"));
  t.after(() => rm(outside, { recursive: true }));
  const here = folder(t, { "a.npy": npy([1]) });
  linkSync(here.at("a.npy"), here.at("b.npy"));
  const { root } = await open(here);
  assert.equal(await firstElement(await at(root, "b")), 1);
  await chmod(here.at("a.npy"), 0o600);
  assert.equal(await firstElement(await at(root, "a")), 1);
});
