/** Folders with more entries than the process may open files, and the answer when it runs out of descriptors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { container } from "../../../src/trees/memory/memory.ts";
import { testApp } from "../../support/app.ts";
import { configurationFile } from "../../support/folders.ts";
import { TILED } from "../../support/ours.ts";
import { startServer } from "../../support/process.ts";
import { Folder } from "../../trees/files/support.ts";

const ENTRIES = 400;
const DESCRIPTORS = 200;

test("a folder of more entries than there are descriptors is searched and sorted, by several at once", {
  timeout: 60_000,
  skip: process.platform === "win32" && "there is no limit of descriptors",
}, async (t) => {
  const folder = new Folder(t.after.bind(t));
  for (let n = 0; n < ENTRIES; n += 1)
    folder.write({ [`e${n}.csv`]: "a\n1\n", [`e${n}.json`]: `{"n": ${n}}` });
  const config = await configurationFile(t.after.bind(t), {
    authentication: { allow_anonymous_access: true },
    trees: [{ path: "/", tree: "files", args: { directory: folder.path } }],
  });
  const serve = [...TILED, "serve", "config", config, "--port", "0"];
  const { url } = await startServer(
    t.after.bind(t),
    ["sh", "-c", `ulimit -n ${DESCRIPTORS}; exec "$@"`, "sh", ...serve],
    /(http:\/\/[0-9.]+:[0-9]+)/,
  );
  const ask = async (path: string) => {
    const response = await fetch(url + path);
    const body = (await response.json()) as { data?: { id: string }[] };
    return [response.status, body.data?.[0]?.id] as const;
  };
  const searches = Array.from({ length: 8 }, () => ask("/api/v1/search/?sort=-n&page[limit]=3"));
  for (const search of searches) assert.deepEqual(await search, [200, `e${ENTRIES - 1}`]);
  assert.deepEqual(await ask("/healthz"), [200, undefined]);
});

test("running out of descriptors is 503, and the client may retry", async () => {
  for (const code of ["EMFILE", "ENFILE"]) {
    const read = async () => {
      throw Object.assign(new Error(`${code}: too many open files, open '/secret/path'`), { code });
    };
    const tree = { root: { ...container([]), entries: read, count: read } };
    await using t = await testApp({ tree, providers: false, authentication: { allowAnonymousAccess: true } });
    const response = await t.call("/api/v1/search/");
    assert.equal(response.statusCode, 503);
    assert.equal(response.headers["retry-after"], "1");
    assert.doesNotMatch(response.body, /secret/);
  }
});
