/** `tiled tree`, against our server and one that is hostile. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { loadTrees } from "../../../src/trees/load.ts";
import { type TestAppOptions, testApp } from "../../support/app.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { tiled } from "../../support/terminal.ts";

const MINIMAL = "tiled.examples.generated_minimal:tree";

async function nested() {
  const place = { file: "test", line: 1, path: "test" };
  const clock = { now: () => 0 };
  const trees = ["/lab", "/old/2025"].map((path) => ({
    path,
    tree: MINIMAL,
    args: {},
    accessTags: null,
    place,
  }));
  return await loadTrees(trees, { directory: ".", clock, warn: () => {} });
}

async function scene(t: TestContext, options: TestAppOptions) {
  const app = await testApp(options);
  t.after(() => app.close());
  await app.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.app.server.address() as AddressInfo;
  const home = await temporaryFolder(t.after.bind(t));
  const tree = (args: readonly string[], env: Record<string, string> = {}) =>
    tiled(["tree", ...args, "--url", `http://127.0.0.1:${port}`], { HOME: home, ...env });
  const searches = () => app.logLines.filter((line) => line.includes("/search/")).length;
  return { tree, searches };
}

const LINES = [
  "├── lab",
  "│   ├── A",
  "│   ├── B",
  "│   ├── C",
  "│   └── D",
  "│       ├── temperature",
  "│       └── time",
  "└── old",
  "    └── 2025",
  "        ├── A",
  "        ├── B",
  "        ├── C",
  "        └── D",
  "            ├── temperature",
  "            └── time",
];

test("nested entries, and no more requests than the lines need", async (t) => {
  const tree = await nested();
  const { tree: run, searches } = await scene(t, {
    tree,
    authentication: { allowAnonymousAccess: true },
  });
  assert.deepEqual(await run([]), { code: 0, stdout: `${LINES.join("\n")}\n`, stderr: "" });
  const all = searches();
  for (const count of [0, 1, 2, 5, 6, 14]) {
    const { code, stdout } = await run([`${count}`]);
    const note = `Output truncated at ${count} lines. Use \`tiled tree <N>\` to see <N> lines.`;
    assert.deepEqual([code, stdout], [0, `${[...LINES.slice(0, count), note].join("\n")}\n`]);
  }
  assert.equal((await run(["15"])).stdout, `${LINES.join("\n")}\n`);
  const before = searches();
  await run(["1"]);
  assert.equal(searches() - before, 2);
  assert.equal(all, 6, "one for each container");
  for (const bad of ["-1", "x", "1.5"]) assert.equal((await run([bad])).code, 2, bad);
});

test("a single-user server wants its key; a server with logins a login", async (t) => {
  const { tree: single } = await scene(t, { providers: false, singleUserKey: "secret" });
  const short = "├── A\n├── B\n├── C\n└── D\n    ├── temperature\n    └── time\n";
  assert.deepEqual(await single([], { TILED_API_KEY: "secret" }), { code: 0, stdout: short, stderr: "" });
  const without = await single([]);
  assert.deepEqual([without.code, without.stdout], [1, ""]);
  assert.match(without.stderr, /requires its API key/);
  const wrong = await single([], { TILED_API_KEY: "wrong" });
  assert.deepEqual([wrong.code, wrong.stdout], [1, ""]);
  assert.match(wrong.stderr, /\(401, request \S+\)\n/);
  const { tree: multi } = await scene(t, {});
  assert.deepEqual((({ code, stdout }) => [code, stdout])(await multi([])), [4, ""]);
});

/** Answers `/api/v1/` as a public server does, and each search with `answer`. */
async function hostile(t: TestContext, answer: (url: URL) => unknown) {
  const asked: string[] = [];
  const about = { authentication: { required: false, providers: [], links: null } };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://h");
    if (url.pathname.includes("search")) asked.push(request.url ?? "");
    const document = url.pathname.includes("search") ? answer(url) : about;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(document));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const home = await temporaryFolder(t.after.bind(t));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { HOME: home, TILED_RETRY_ATTEMPTS: "1" };
  return { asked, tree: (...args: string[]) => tiled(["tree", ...args, "--url", url], env) };
}

const entry = (id: unknown, family: string) => ({ id, attributes: { structure_family: family } });

test("names are escaped, and never lead to another path", async (t) => {
  const ids = ["a\u001b[2J\nb", "../../auth", "..", ".", "x?y=1#z", ""];
  const { tree, asked } = await hostile(t, ({ pathname }) => ({
    data: pathname === "/api/v1/search/" ? ids.map((id) => entry(id, "container")) : [],
    links: { next: null },
  }));
  const { code, stdout } = await tree();
  assert.equal(code, 0);
  assert.match(stdout, /^├── a\\u\{1b\}\[2J\\u\{a\}b\n├── \.\.\/\.\.\/auth\n├── \.\.\n/);
  assert.deepEqual(
    asked.map((url) => url.split("?")[0]),
    ["", "a%1B%5B2J%0Ab", "..%2F..%2Fauth", "x%3Fy%3D1%23z"].map((name) => `/api/v1/search/${name}`),
  );
});

test("endless answers end with the lines that were asked for", async (t) => {
  const deep = await hostile(t, () => ({ data: [entry("x", "container")], links: { next: "again" } }));
  assert.equal((await deep.tree("50")).stdout.split("\n").length, 52);
  assert.ok(deep.asked.length <= 51);
  const empty = await hostile(t, () => ({ data: [], links: { next: "again" } }));
  assert.deepEqual(await empty.tree(), { code: 0, stdout: "", stderr: "" });
  assert.equal(empty.asked.length, 1);
});

test("an answer of another form is an error", async (t) => {
  for (const answer of [null, {}, { data: [null] }, { data: [entry(1, "array")] }, { data: "x" }]) {
    const { tree } = await hostile(t, () => answer);
    const { code, stdout, stderr } = await tree();
    assert.deepEqual([code, stdout], [1, ""], JSON.stringify(answer));
    assert.doesNotMatch(stderr, /unexpected error/);
  }
});
