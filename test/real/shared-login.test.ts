/**
 * Several real Python clients that share one token cache, as the notebooks and scripts of one person do: they all find the
 * access token expired at the same moment, and none of them loses the login.
 */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Api, bearer } from "../support/api.ts";
import { temporaryFolder } from "../support/folders.ts";
import { startOurs } from "../support/ours.ts";
import { run } from "../support/process.ts";
import { program, withoutTiled } from "../support/python.ts";
import { PASSWORDS, toy } from "../support/toy.ts";

const SCRIPT = fileURLToPath(new URL("shared_login.py", import.meta.url));
/** For a long run: TILED_AUTH_TEST_WAVES=20. */
const WAVES = Number(process.env["TILED_AUTH_TEST_WAVES"] ?? 3);
/** Seconds; more than a wave takes on a busy machine, or some clients would be two refreshes behind the others. */
const LIFETIME = 5;

interface Report {
  readonly lost: number;
  readonly failed: readonly string[];
  readonly kept: boolean;
}

async function share(t: TestContext, clients: number): Promise<{ report: Report; revoked: string[] }> {
  const cleanup = t.after.bind(t);
  const { url } = await startOurs(cleanup, toy({ authentication: { access_token_max_age: LIFETIME } }));
  const folder = await temporaryFolder(cleanup);
  const counts = [clients, WAVES, LIFETIME + 1].map(String);
  const command = [program("python"), SCRIPT, url, "bob", PASSWORDS.bob, ...counts];
  const env = { TILED_CACHE_DIR: `${folder}/cache`, TILED_PROFILES: `${folder}/profiles` };
  const { code, stdout, stderr } = await run(command, { env });
  const text = /^REPORT (.*)$/m.exec(stdout)?.[1];
  assert.ok(code === 0 && text !== undefined, stdout + stderr);
  const api = new Api(url);
  const { sessions } = (await api.whoami(bearer(await api.login("bob")))).body;
  return {
    report: JSON.parse(text),
    revoked: sessions.filter(({ revoked }) => revoked).map(({ uuid }) => uuid),
  };
}

describe("programs that share a login", { skip: withoutTiled() }, () => {
  for (const clients of [10, 16]) {
    test(`${clients} clients on one token cache keep it`, { timeout: 600_000 }, async (t) => {
      const { report, revoked } = await share(t, clients);
      t.diagnostic(JSON.stringify(report));
      assert.equal(report.lost, 0, JSON.stringify(report));
      assert.equal(report.kept, true);
      assert.deepEqual(revoked, []);
    });
  }
});
