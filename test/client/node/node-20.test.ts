/** The built client library runs on Node 20, which the server does not support. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { temporaryFolder } from "../../support/folders.ts";
import { startOurs } from "../../support/ours.ts";
import { run } from "../../support/process.ts";
import { PASSWORDS, toy } from "../../support/toy.ts";

const LIBRARY = fileURLToPath(new URL("../../../dist/src/client/node/index.js", import.meta.url));

const SCRIPT = `
const { Context, fromProfile, fromUri, passwordGrant } = await import(process.argv[1]);
const prompt = (context) => passwordGrant(context, { username: "bob", password: process.argv[3] });
const context = await fromUri(process.argv[2], { prompt });
const { identities } = await context.whoami();
await context.forceAuthRefresh();
const { secret } = await context.createApiKey({ expiresIn: "1h" });
await context.revokeApiKey(secret);
const again = await fromProfile("lab");
const array = await (await again.fetch("array/full/A?format=application/json")).json();
await again.logout();
const { context: after } = await Context.fromAnyUri(process.argv[2]);
const failed = await after.createApiKey().catch(({ code }) => code);
console.log(JSON.stringify([identities[0].id, array.length, await after.useCachedTokens(), failed]));
`;

/** The first Node 20 on the path, e.g. the machine's own beside the pinned one. */
function node20(): string | null {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, "node");
    if (!existsSync(file)) continue;
    try {
      if (/^v20\./.test(execFileSync(file, ["--version"], { encoding: "utf8" }))) return file;
    } catch {}
  }
  return null;
}

test("the built library on Node 20: login, keys, profiles, logout", { timeout: 120_000 }, async (t) => {
  const node = node20();
  if (node === null) return t.skip("there is no Node 20 on the path");
  if (!existsSync(LIBRARY)) return t.skip("the library is not built: npm run build");
  const cleanup = t.after.bind(t);
  const { url } = await startOurs(cleanup, toy());
  const folder = await temporaryFolder(cleanup);
  const profiles = join(folder, "profiles");
  await mkdir(profiles);
  await writeFile(join(profiles, "lab.yml"), `lab:\n  uri: ${url}\n`);
  const { code, stdout, stderr } = await run(
    [node, "--input-type=module", "-e", SCRIPT, pathToFileURL(LIBRARY).href, url, PASSWORDS.bob],
    {
      env: {
        TILED_CACHE_DIR: folder,
        TILED_PROFILES: profiles,
        TILED_API_KEY: undefined,
        NODE_OPTIONS: undefined,
      },
    },
  );
  assert.deepEqual([code, stdout], [0, '["bob",100,false,"ERR_REFUSED"]\n'], stderr);
});
