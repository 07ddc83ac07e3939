/** The configurations of the guides to proxies, HTTPS and the gateway load, and the gateway's paths are as its page says. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { parse, stringify } from "yaml";
import { load } from "../config/support.ts";
import { raw, startBoth, statuses } from "../support/upstream.ts";

const read = (name: string) => readFile(new URL(`../../docs/how-to/${name}`, import.meta.url), "utf8");
const blocks = (page: string) =>
  [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) => parse(text));

test("every configuration on the pages loads", async () => {
  const keys = { secret_keys: ["5ce1f0a97b3d2846e1907fd3a6b8c254"] };
  const trees = [{ path: "/", tree: "tiled.examples.generated_minimal:tree" }];
  let count = 0;
  const pages = await Promise.all(["gateway", "proxies", "https"].map((page) => read(`${page}.md`)));
  for (const block of pages.flatMap(blocks)) {
    // That of the real Tiled is the one with providers; it has no trees.
    if (block.authentication !== undefined) continue;
    const { warnings } = load(stringify({ authentication: keys, trees, ...block }), {
      CONTROL_TOKEN_KEY: "a04d9be87c1f4f0f8b6fd2c1e35a7790",
    });
    assert.deepEqual(warnings, []);
    count += 1;
  }
  assert.equal(count, 8);
});

test("the paths that the page calls ours are, and others are not", async (x) => {
  const page = await read("gateway.md");
  const [, ours = ""] = /^\| this server \| (.*) \|$/m.exec(page) ?? [];
  const [, theirs = ""] = /^\| the server behind \| (.*) \|$/m.exec(page) ?? [];
  const paths = (cell: string) => [...cell.matchAll(/`(\/[^`…]*)…?`/g)].map(([, path = ""]) => path);
  const { port, upstream } = await startBoth((last) => x.after(last), {
    authentication: { allowAnonymousAccess: true },
  });
  const ask = async (path: string) => {
    const [status] = statuses(
      await raw(port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
    );
    // What ours looks up for itself, such as the routes for its page of them, is not this request.
    return { status, passed: upstream.asked.splice(0).filter(({ url }) => url === path).length };
  };
  assert.ok(paths(ours).length >= 10 && paths(theirs).length >= 4);
  // The example of a file's name is not this version's.
  const named = paths(ours).filter((path) => !path.startsWith("/assets/"));
  for (const path of named) assert.equal((await ask(path)).passed, 0, path);
  for (const path of paths(theirs)) assert.deepEqual(await ask(path), { status: 200, passed: 1 }, path);
});
