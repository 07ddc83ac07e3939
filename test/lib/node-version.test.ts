import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { tooOld } from "../../src/lib/node-version.ts";

const at = (path: string) => new URL(`../../${path}`, import.meta.url);

test("the least version is the one of package.json", async () => {
  const { engines } = JSON.parse(await readFile(at("package.json"), "utf8"));
  const [major, minor] = engines.node.replace(">=", "").split(".").map(Number);
  for (const version of [`${major}.${minor}.0`, `${major}.${minor + 1}.0`, `${major + 1}.0.0`])
    assert.equal(tooOld(version, "node"), null, version);
  for (const version of [`${major}.${minor - 1}.9`, "20.20.2", "9.9.9"])
    assert.match(
      tooOld(version, "/usr/bin/node") ?? "",
      new RegExp(`${major}\\.${minor} or newer; /usr/bin/node is`),
    );
});

test("an outdated Node.js is reported before the program is loaded", () => {
  const pretend =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })";
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--import",
      `data:text/javascript,${encodeURIComponent(pretend)}`,
      fileURLToPath(at("src/bin.ts")),
      "--version",
    ],
    { encoding: "utf8" },
  );
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /^tiled-auth needs Node\.js .* is 20\.20\.2\. .*'.\/tiled' .*\n$/);
});
