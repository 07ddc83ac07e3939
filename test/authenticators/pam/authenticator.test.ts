import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { PAMAuthenticator, type PamOptions } from "../../../src/authenticators/pam/authenticator.ts";
import type { PamReply } from "../../../src/authenticators/pam/helper.ts";
import type { Helper } from "../../../src/authenticators/pam/process.ts";
import { fails, make, startFails } from "./support.ts";

/** A helper that answers each question in one way. */
function toyHelper(reply: PamReply): Helper {
  return { ask: async () => reply, alive: () => true, kill: async () => undefined };
}

function answers(
  code: number,
  more: { asked?: boolean; delay?: number; elapsed?: number } = {},
): Partial<PamOptions> {
  const outcome = { code, text: "pam_authenticate: so it is", asked: true, delay: 0, ...more };
  return { startHelper: () => toyHelper({ kind: "outcome", outcome, elapsed: more.elapsed ?? 0 }) };
}

describe("PAM: what a login means, whatever the machine", () => {
  test("each return code is a refusal or a broken backend", async () => {
    const refusals = [6, 7, 10, 11, 12, 13, 15, 16, 17, 27];
    for (let code = 1; code <= 40; code++) {
      const login = make("login", answers(code)).authenticate("alice", "secret1");
      if (refusals.includes(code)) assert.equal(await login, null, `code ${code}`);
      else await fails(login, "bad_gateway", new RegExp(`so it is \\(${code}\\)`));
    }
    assert.deepEqual(await make("login", answers(0)).authenticate("alice", "secret1"), { id: "alice" });
  });

  test("a stack that asks for no password admits no one", async () => {
    const login = make("su", answers(0, { asked: false })).authenticate("alice", "secret1");
    await fails(login, "bad_gateway", /"su" lets users in without asking for a password/);
  });

  test("a refusal takes as long as PAM wants from its beginning on, and at least half a second", async () => {
    for (const [wanted, elapsed, expected] of [
      [2000, 80, 1920],
      [2000, 3, 1997],
      [0, 120, 380],
      [2000, 2500, undefined],
    ] as const) {
      const slept: number[] = [];
      const sleep = async (milliseconds: number): Promise<void> => void slept.push(milliseconds);
      const options = { ...answers(7, { delay: wanted, elapsed }), sleep };
      assert.equal(await make("login", options).authenticate("alice", "secret1"), null);
      assert.deepEqual(slept, expected === undefined ? [] : [expected]);
    }
  });

  test("a stop does not wait for delays", async () => {
    const real = new PAMAuthenticator(
      { service: "login" },
      { provider: "machine", directory: "/", warn: () => undefined },
      answers(7, { delay: 3_600_000 }),
    );
    const login = real.authenticate("alice", "secret1");
    await new Promise((resolve) => setImmediate(resolve));
    await real.stop();
    assert.equal(await login, null);
  });

  test("names that C would truncate, or a database cannot store, never reach PAM", async () => {
    const startHelper = (): Helper => assert.fail("PAM was asked");
    const authenticator = make("login", { startHelper });
    for (const [name, password] of [
      ["alice\0", "secret1"],
      ["\0", "secret1"],
      ["alice", "secret1\0"],
      ["alice", "secret1\0x"],
      ["alice", "x".repeat(512)],
      ["alice", "é".repeat(256)],
      ["a".repeat(256), "secret1"],
      ["\ud800", "secret1"],
      ["alice", "\ud800"],
      ["", "secret1"],
      ["alice", ""],
    ] as const) {
      assert.equal(await authenticator.authenticate(name, password), null);
    }
  });

  test("the password is gone from memory that is ours once the login is over", async () => {
    let seen: Uint8Array | undefined;
    const helper = toyHelper({ kind: "broken", reason: "no libpam" });
    const startHelper = (): Helper => ({
      ...helper,
      async ask(request) {
        if (request.kind === "login") seen = request.password;
        assert.equal(Buffer.from(seen ?? []).toString(), "secret1\0");
        return helper.ask(request);
      },
    });
    await fails(make("login", { startHelper }).authenticate("alice", "secret1"), "bad_gateway", /no libpam/);
    assert.deepEqual([...(seen ?? [1])], Array(8).fill(0));
  });

  test("a start without Linux, libpam or the service says what to do", async () => {
    await startFails(make("login", { platform: "darwin" }), /works on Linux only; this machine runs darwin/);
    await startFails(
      make("../login", { platform: "linux" }),
      /args\.service: "\.\.\/login": this is not the name of a PAM service/,
    );
    const places = { folders: [import.meta.dirname], single: "/nowhere" };
    await startFails(
      make("gone", { platform: "linux", places }),
      /no service of this name\. Looked for: .*\/gone \(no such file\)/,
    );
    const folder = await mkdtemp(join(tmpdir(), "pam-"));
    writeFileSync(join(folder, "here"), "auth required pam_unix.so\naccount required pam_unix.so\n");
    const here = { platform: "linux", places: { folders: [folder], single: "" } } as const;
    const broken = { startHelper: () => toyHelper({ kind: "broken", reason: "libpam.so.0: no such file" }) };
    await startFails(make("here", { ...here, ...broken }), /libpam\.so\.0: no such file.*package libpam0g/);
    await startFails(make("here", { ...here, ...answers(26) }), /cannot be opened: .*\(26\)/);
    await rm(folder, { recursive: true });
  });
});
