import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, constants, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Helper, startHelper } from "../../../src/authenticators/pam/process.ts";
import { passwordConformance } from "../conformance.ts";
import { Machine, obstacle } from "./machine.ts";
import { fails, make, startFails, WIDE, warnings } from "./support.ts";

const UNIX = ["auth required pam_unix.so nodelay", "account required pam_unix.so"];

const why = obstacle();
if (why !== undefined) {
  test("PAM: the accounts of this machine", (t) => {
    if (process.env["CI"]) assert.fail(`CI must test PAM, but ${why}`);
    t.skip(why);
  });
} else {
  describe("PAM: the accounts of this machine", () => theMachine(new Machine()));
}

function theMachine(machine: Machine): void {
  const ascii = { name: machine.account("a", "secret1"), password: "secret1" };
  const unicode = { name: machine.account("zoë", "pässwörd 日本 🔑"), password: "pässwörd 日本 🔑" };
  const plain = make(machine.service("plain", UNIX));
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pam-"));
    await plain.start();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  passwordConformance("PAMAuthenticator", { authenticator: () => plain, users: [ascii, unicode] });

  test("the account of root is one like any other", async () => {
    assert.equal(await plain.authenticate("root", "surely not the password of root"), null);
  });

  const CLOSED: [string, (name: string) => void][] = [
    ["locked", (name) => machine.change("usermod", ["--lock"], name)],
    ["locked, by its expiry", (name) => machine.change("usermod", ["--expiredate", "1"], name)],
    ["expired", (name) => machine.change("chage", ["--expiredate", "0"], name)],
    ["in want of a new password", (name) => machine.change("chage", ["--lastday", "0"], name)],
    [
      "with a password that is too old",
      (name) => machine.change("chage", ["-d", "2001-01-01", "-M", "1", "-I", "1"], name),
    ],
    ["without a password", (name) => machine.change("passwd", ["--delete"], name)],
  ];
  for (const [index, [what, close]] of CLOSED.entries()) {
    test(`an account ${what} is refused, and takes as long as a wrong password`, async () => {
      const name = machine.account(`c${index}`, "secret1");
      const service = machine.service(`closed${index}`, [
        "auth required pam_unix.so nullok",
        "account required pam_unix.so",
      ]);
      const slept: number[] = [];
      const authenticator = make(service, { sleep: async (milliseconds) => void slept.push(milliseconds) });
      assert.deepEqual(await authenticator.authenticate(name, "secret1"), { id: name });
      assert.deepEqual(slept, []);
      close(name);
      const attempts = [
        [name, "secret1"],
        [name, "wrong"],
        [`${name}-unknown`, "secret1"],
      ] as const;
      for (const [who, password] of attempts) {
        slept.length = 0;
        const began = performance.now();
        assert.equal(await authenticator.authenticate(who, password), null);
        const worked = performance.now() - began;
        const [milliseconds = 0] = slept;
        // pam_unix wants two seconds, give or take the half, of which the work is a part.
        assert.ok(milliseconds + worked > 800 && milliseconds < 3100, `${milliseconds}, after ${worked}`);
      }
    });
  }

  test("the identity is PAM's own name, not what was typed", async () => {
    // As a directory does that does not tell case apart: this module answers the first name of its list.
    const service = machine.service("names", [
      "auth required pam_ftp.so ignore users=alice,ALICE,Älice",
      "account required pam_permit.so",
    ]);
    const authenticator = make(service);
    for (const typed of ["alice", "ALICE", "Älice"]) {
      assert.deepEqual(await authenticator.authenticate(typed, "any"), { id: "alice" }, typed);
    }
  });

  test("a stack that asks for no password admits no one, known or not", async () => {
    const open = make(
      machine.service("open", ["auth required pam_permit.so", "account required pam_permit.so"]),
    );
    await open.start();
    for (const name of [ascii.name, "nobody-of-this-name"]) {
      await fails(open.authenticate(name, ascii.password), "bad_gateway", /without asking for a password/);
    }
    const asRoot = make(machine.service("root", ["auth sufficient pam_rootok.so", ...UNIX]));
    await fails(asRoot.authenticate(ascii.name, "wrong"), "bad_gateway", /without asking for a password/);
  });

  test("a stack that refuses everyone refuses; a broken one throws", async () => {
    const deny = make(machine.service("deny", ["auth required pam_deny.so", "account required pam_deny.so"]));
    assert.equal(await deny.authenticate(ascii.name, ascii.password), null);
    const half = make(
      machine.service("half", ["auth required pam_unix.so nodelay", "account required pam_deny.so"]),
    );
    assert.equal(await half.authenticate(ascii.name, ascii.password), null);
    const broken = make(
      machine.service("broken", ["auth required pam_no_such_module.so", "account required pam_permit.so"]),
    );
    await fails(
      broken.authenticate(ascii.name, ascii.password),
      "bad_gateway",
      /is broken: pam_authenticate: .*\(28\)/,
    );
  });

  test("a service that does not exist stops the start, where libpam would take 'other'", async () => {
    await startFails(
      make("no-such-service"),
      /"no-such-service": PAM has no service of this name\. Looked for: \/etc\/pam\.d\/no-such-service \(no such file\)/,
    );
    await startFails(
      make(machine.service("authless", ["account required pam_unix.so"])),
      /has no auth line: libpam would take those of the service "other"/,
    );
  });

  test("the delay after a wrong password does not delay other logins, even with a single helper", async () => {
    const service = machine.service("delay", ["auth optional pam_faildelay.so delay=600000000", ...UNIX]);
    const waiting: { milliseconds: number; go: () => void }[] = [];
    const sleep = (milliseconds: number): Promise<void> =>
      new Promise((go) => void waiting.push({ milliseconds, go }));
    const one = make(service, { limits: { ...WIDE, helpers: 1 }, sleep });
    const order: string[] = [];
    const wrong = ["w1", "w2", "w3"].map((name) =>
      one.authenticate(ascii.name, name).then((identity) => void order.push(`${name} ${identity}`)),
    );
    assert.deepEqual(await one.authenticate(ascii.name, ascii.password), { id: ascii.name });
    assert.deepEqual(await one.authenticate(unicode.name, unicode.password), { id: unicode.name });
    assert.equal(waiting.length, 3);
    assert.deepEqual(order, []);
    for (const { milliseconds, go } of waiting) {
      assert.ok(milliseconds > 200_000, `${milliseconds}`);
      go();
    }
    await Promise.all(wrong);
    assert.deepEqual(order, ["w1 null", "w2 null", "w3 null"]);
  });

  /** A stack in which the user `slow` waits, from `reached` until that file is closed; then its password counts. */
  async function blockingStack(
    name: string,
  ): Promise<{ service: string; slow: string; reached: () => Promise<FileHandle> }> {
    const slow = machine.account(`s${name}`, "secret1");
    const [pipe, script] = [join(folder, `${name}.pipe`), join(folder, `${name}.sh`)];
    execFileSync("mkfifo", [pipe]);
    writeFileSync(script, `#!/bin/sh\n[ "$PAM_USER" != "${slow}" ] || read line < ${pipe}\n`);
    chmodSync(script, 0o700);
    const service = machine.service(name, [`auth optional pam_exec.so quiet ${script}`, ...UNIX]);
    const reached = async (): Promise<FileHandle> => {
      for (;;) {
        // A non-blocking open for writing succeeds only once the pipe has a reader.
        const file = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined);
        if (file !== undefined) return file;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    return { service, slow, reached };
  }

  test("a stack that blocks delays neither other logins nor the server itself", async () => {
    const { service, slow, reached } = await blockingStack("blocks");
    const authenticator = make(service, { limits: { ...WIDE, helpers: 2 } });
    const order: string[] = [];
    const blocked = authenticator.authenticate(slow, "secret1").then((identity) => {
      order.push("blocked");
      return identity;
    });
    const gate = await reached();
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await authenticator.authenticate(ascii.name, ascii.password), { id: ascii.name });
      await delay(1);
      order.push("other");
    }
    await gate.close();
    assert.deepEqual(await blocked, { id: slow });
    assert.deepEqual(order, ["other", "other", "other", "blocked"]);
  });

  test("a stack that never answers is ended; the next login is served", async (t) => {
    const { service, slow, reached } = await blockingStack("hangs");
    const authenticator = make(service, { limits: { ...WIDE, helpers: 1, loginSeconds: 30 } });
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const hanging = authenticator.authenticate(slow, "secret1");
    const gate = await reached();
    t.mock.timers.tick(30_000);
    await fails(hanging, "gateway_timeout", /did not answer within 30 seconds/);
    t.mock.timers.reset();
    assert.deepEqual(await authenticator.authenticate(ascii.name, ascii.password), { id: ascii.name });
    await gate.close();
  });

  test("a module that takes its process down is that login's failure only", async () => {
    const { service, slow, reached } = await blockingStack("crashes");
    const helpers: Helper[] = [];
    const authenticator = make(service, {
      limits: { ...WIDE, helpers: 1 },
      startHelper: () => {
        const helper = startHelper();
        helpers.push(helper);
        return helper;
      },
    });
    const login = authenticator.authenticate(slow, "secret1");
    const gate = await reached();
    await helpers[0]?.kill();
    await fails(login, "bad_gateway", /helper process ended \(SIGKILL\)/);
    assert.deepEqual(await authenticator.authenticate(ascii.name, ascii.password), { id: ascii.name });
    assert.equal(helpers.length, 2);
    await gate.close();
  });

  test("without access to /etc/shadow the start warns", async () => {
    assert.deepEqual(warnings, []);
    await make(machine.service("warned", UNIX), { shadow: join(folder, "shadow") }).start();
    assert.match(warnings.join(), /may not read .*shadow, so PAM's pam_unix module cannot check/);
  });

  test("helpers know none of the server's secrets, and end with it", async () => {
    const script = `
      import { PAMAuthenticator } from ${JSON.stringify(new URL("../../../src/authenticators/pam/authenticator.ts", import.meta.url).href)};
      const pam = new PAMAuthenticator({ service: process.argv[1] }, { provider: "m", directory: "/", warn() {} });
      await pam.start();
      console.log("started");
      process.stdin.resume();`;
    const service = machine.service("secrets", UNIX);
    const server = spawn(process.execPath, ["--input-type=module", "-e", script, service], {
      env: { ...process.env, TILED_SECRET_KEYS: '["hunter2"]', ALICE_PASSWORD: "hunter2" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(server.stdout, "data");
    const helpers = childrenOf(server.pid ?? 0);
    assert.equal(helpers.length, 1);
    for (const pid of helpers) assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, "utf8"), /hunter2/);
    server.kill("SIGKILL");
    await once(server, "exit");
    for (let round = 0; round < 500 && helpers.some(isAlive); round++) await delay(20);
    assert.deepEqual(helpers.filter(isAlive), []);
  });
}

function childrenOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
      .split(" ")
      .filter((child) => child !== ""),
  );
}

/** A process that has ended and was not waited for yet (a zombie) is not alive. */
function isAlive(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
