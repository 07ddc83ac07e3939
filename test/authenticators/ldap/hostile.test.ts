import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { type Authority, makeAuthority } from "../../support/authority.ts";
import { ManualClock } from "../../support/clock.ts";
import {
  ANSWERS,
  type Asked,
  BIND,
  EXTENDED,
  entry,
  fakeDirectory,
  result,
  SEARCH,
} from "../../support/fake-directory.ts";
import { LOOKUP, make, PEOPLE, TEMPLATE } from "./support.ts";

let folder: string;
let authority: Authority;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "tiled-auth-ca-"));
  authority = makeAuthority(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const certificate = (name: string) => {
  const { cert, key } = authority.issue(name);
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
};
const success = ({ id, operation }: Asked): Buffer => result(id, ANSWERS[operation] ?? 0x78, 0);
const at = (port: number, more: object = {}) =>
  make({ server_address: `127.0.0.1:${port}`, tls_ca_file: authority.ca, ...TEMPLATE, ...more })
    .authenticator;
const passwordsOf = (asked: readonly Asked[]) => asked.filter(({ password }) => password !== "");
const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

/** A server that answers a login's first bind, without TLS, by `answer`. */
async function plain(t: TestContext, answer: (asked: Asked) => Buffer | null) {
  return await fakeDirectory((last) => t.after(last), { answer });
}

describe("TLS", () => {
  test("StartTLS with a right certificate", async (t) => {
    const tls = certificate("localhost");
    const fake = await fakeDirectory((last) => t.after(last), { answer: success, tls });
    assert.deepEqual(await at(fake.port).authenticate("ada", "secret"), { id: "ada", state: {} });
    assert.ok(passwordsOf(fake.asked).every(({ secure }) => secure));
  });

  test("a certificate of another name, or of another authority, is refused", async (t) => {
    const wrong = await fakeDirectory((last) => t.after(last), {
      answer: success,
      tls: certificate("elsewhere.org"),
    });
    await assert.rejects(at(wrong.port).authenticate("ada", "secret"), code("bad_gateway"));
    const right = await fakeDirectory((last) => t.after(last), {
      answer: success,
      tls: certificate("localhost"),
    });
    await assert.rejects(
      at(right.port, { tls_ca_file: null }).authenticate("ada", "secret"),
      code("bad_gateway"),
    );
    assert.deepEqual(passwordsOf([...wrong.asked, ...right.asked]), []);
    assert.ok(await at(wrong.port, { tls_verify: false }).authenticate("ada", "secret"));
  });

  test("a server that refuses StartTLS gets no password", async (t) => {
    const refuse = ({ id, operation }: Asked) =>
      result(id, ANSWERS[operation] ?? 0x78, operation === EXTENDED ? 2 : 0);
    const fake = await plain(t, refuse);
    await assert.rejects(at(fake.port).authenticate("ada", "secret"), code("bad_gateway"));
    assert.deepEqual(passwordsOf(fake.asked), []);
  });

  test("what is sent before TLS in the name of the server is refused", async (t) => {
    const injected = (asked: Asked) => Buffer.concat([success(asked), result(2, 0x61, 0)]);
    const fake = await fakeDirectory((last) => t.after(last), {
      answer: injected,
      tls: certificate("localhost"),
    });
    await assert.rejects(at(fake.port).authenticate("ada", "secret"), code("bad_gateway"));
  });

  test("after a connection that broke, nothing is sent on another one", async (t) => {
    const tls = certificate("localhost");
    const breaking = (asked: Asked) => {
      if (asked.operation !== BIND) return success(asked);
      asked.socket.destroy();
      return null;
    };
    const fake = await fakeDirectory((last) => t.after(last), { answer: breaking, tls });
    const args = { bind_dn_template: ["uid={username},dc=a", "uid={username},dc=b"] };
    await assert.rejects(at(fake.port, args).authenticate("ada", "secret"), code("bad_gateway"));
    assert.equal(fake.connections, 1);
    assert.ok(passwordsOf(fake.asked).every(({ secure }) => secure));
  });
});

describe("answers of a directory", () => {
  const PLAIN = { use_tls: false };

  test("Active Directory's reasons reach the audit log, and the answer is the same", async (t) => {
    const reasons = {
      "525": "unknown_user",
      "52e": "wrong_password",
      "530": "outside_hours",
      "531": "other_workstation",
      "532": "password_expired",
      "533": "account_disabled",
      "701": "account_expired",
      "773": "password_must_change",
      "775": "account_locked",
    };
    for (const [data, refused] of Object.entries(reasons)) {
      const text = `80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data ${data}, v2580\0`;
      const fake = await plain(t, ({ id }) => result(id, 0x61, 49, text));
      const templates = { ...PLAIN, bind_dn_template: "LAB\\{username}" };
      const answer = await at(fake.port, templates).authenticate("ada", "secret");
      assert.ok(answer !== null && "refused" in answer);
      assert.equal(answer.refused, refused);
      assert.equal(fake.asked[0]?.name, "LAB\\ada");
    }
  });

  test("silence ends in time, with 504", async (t) => {
    const fake = await plain(t, () => null);
    const silent = at(fake.port, { ...PLAIN, connect_timeout: 0.1, receive_timeout: 0.1 });
    await assert.rejects(silent.authenticate("ada", "secret"), code("gateway_timeout"));
    const startTls = at(fake.port, { connect_timeout: 0.1, receive_timeout: 0.1 });
    await assert.rejects(startTls.authenticate("ada", "secret"), code("gateway_timeout"));
  });

  test("silence in the middle of TLS ends in time, with 504, and harms nothing else", async (t) => {
    // The handshake gets no answer: at once with LDAPS, after a right answer with StartTLS.
    const silent = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        if (data[0] === 0x30) socket.write(result(1, 0x78, 0));
      });
    });
    await once(silent.listen(0, "127.0.0.1"), "listening");
    t.after(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    for (const more of [{ use_ssl: true }, {}]) {
      const login = at(port, { ...more, connect_timeout: 0.1 }).authenticate("ada", "secret");
      await assert.rejects(login, code("gateway_timeout"));
    }
  });

  test("garbage is 502", async (t) => {
    const garbage: Record<string, (asked: Asked) => Buffer> = {
      text: () => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
      "an endless message": () => Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02, 0x01]),
      "an unknown length": () => Buffer.from([0x30, 0x80, 0x02, 0x01]),
      "a result without its code": ({ id }) => Buffer.from([0x30, 0x05, 0x02, 0x01, id, 0x61, 0x00]),
      "another operation": ({ id }) => result(id, 0x7e, 0),
      "the answer to a search": ({ id }) => result(id, 0x65, 0),
    };
    for (const [what, answer] of Object.entries(garbage)) {
      const fake = await plain(t, answer);
      const patient = at(fake.port, { ...PLAIN, connect_timeout: 1, receive_timeout: 1 });
      await assert.rejects(patient.authenticate("ada", "secret"), (error) => {
        assert.equal((error as { code?: string }).code, "bad_gateway", what);
        return true;
      });
    }
  });

  test("many small messages in one packet", async (t) => {
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => result(99, 0x61, 0)));
    const fake = await plain(t, (asked) => Buffer.concat([many, success(asked)]));
    assert.ok(await at(fake.port, PLAIN).authenticate("ada", "secret"));
  });

  test("a huge entry is not read", async (t) => {
    const huge = (asked: Asked) =>
      asked.operation === SEARCH
        ? Buffer.concat([
            entry(asked.id, `uid=ada,${PEOPLE}`, { uid: ["a".repeat(2_000_000)] }),
            success(asked),
          ])
        : success(asked);
    const fake = await plain(t, huge);
    await assert.rejects(
      at(fake.port, { ...PLAIN, ...LOOKUP, bind_dn_template: null }).authenticate("ada", "secret"),
      code("bad_gateway"),
    );
  });

  test("answers without end are cut", async (t) => {
    const endless = (asked: Asked) => {
      if (asked.operation !== SEARCH) return success(asked);
      const one = entry(asked.id, `uid=ada,${PEOPLE}`, { uid: ["a".repeat(1000)] });
      return Buffer.concat(Array.from({ length: 17_000 }, () => one));
    };
    const fake = await plain(t, endless);
    await assert.rejects(
      at(fake.port, { ...PLAIN, ...LOOKUP, bind_dn_template: null }).authenticate("ada", "secret"),
      code("bad_gateway"),
    );
  });

  test("a referral at the bind is not followed", async (t) => {
    const elsewhere = await plain(t, success);
    const fake = await plain(t, ({ id }) => result(id, 0x61, 10, `ldap://127.0.0.1:${elsewhere.port}`));
    const answer = await at(fake.port, PLAIN).authenticate("ada", "secret");
    assert.ok(answer !== null && "refused" in answer);
    assert.equal(elsewhere.connections, 0);
  });
});

describe("several servers", () => {
  const PLAIN = { use_tls: false, ...TEMPLATE };

  test("the next one is used where one fails, and the failed one is last for half a minute", async (t) => {
    const [first, second] = [await plain(t, success), await plain(t, success)];
    const clock = new ManualClock();
    let firstWorks = false;
    const broken = await plain(t, (asked) => {
      if (firstWorks) return success(asked);
      asked.socket.destroy();
      return null;
    });
    const addresses = [`127.0.0.1:${broken.port}`, `127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`];
    const plainly = make({ ...PLAIN, server_address: addresses }, { clock }).authenticator;
    await assert.rejects(plainly.authenticate("ada", "secret"), code("bad_gateway"));
    assert.ok(await plainly.authenticate("ada", "secret"));
    assert.deepEqual([first.connections, second.connections], [1, 0]);
    const before = broken.connections;
    firstWorks = true;
    clock.advance(31_000);
    assert.ok(await plainly.authenticate("ada", "secret"));
    assert.equal(broken.connections, before + 1);
  });

  test("a dead server costs no login", async (t) => {
    const fake = await plain(t, success);
    const { authenticator } = make({ ...PLAIN, server_address: ["127.0.0.1:1", `127.0.0.1:${fake.port}`] });
    assert.ok(await authenticator.authenticate("ada", "secret"));
  });

  test("sixteen logins at once; further ones wait, and get 503 when there are too many", async (t) => {
    const waiting: (() => void)[] = [];
    const fake = await plain(t, (asked) => {
      if (asked.operation === BIND) waiting.push(() => asked.socket.write(success(asked)));
      return null;
    });
    const turns = { logins: 2, perSource: 2, queue: 1, queueSeconds: 60 };
    const { authenticator } = make({ ...PLAIN, server_address: `127.0.0.1:${fake.port}` }, { turns });
    const under = ["a", "b", "c"].map((name) => authenticator.authenticate(name, "secret"));
    await assert.rejects(authenticator.authenticate("d", "secret"), code("logins_busy"));
    while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(fake.connections, 2);
    for (let done = 0; done < 3; done++) {
      while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
      waiting.shift()?.();
    }
    assert.equal((await Promise.all(under)).length, 3);
  });
});
