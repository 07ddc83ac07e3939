/** A backend that does not tell case apart, as a directory behind PAM: each person has one account, in one spelling. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { caseRule } from "../../../src/authenticators/case-rule.ts";
import type { PasswordAuthenticator } from "../../../src/domain/ports/authenticator.ts";
import { bearer, testApp, toy } from "../../support/app.ts";

const KNOWN = "Alice";

/** `canonical`: answers its own spelling, as PAM does with sssd; else the one that was typed. */
function directory(canonical: boolean): PasswordAuthenticator {
  return {
    kind: "password",
    confirmationMessage: "",
    authenticate: async (username, password) => {
      const looked = username.trim().replaceAll("\u00ad", "").toLowerCase();
      if (password !== "right" || looked !== KNOWN.toLowerCase()) return null;
      return { id: canonical ? KNOWN.toLowerCase() : username };
    },
  };
}

const served = (canonical: boolean) => ({ authenticators: new Map([["toy", directory(canonical)]]) });
const idOf = (body: string) => (JSON.parse(body) as { identity?: { id: string } }).identity?.id;

test("a disabled person does not come back under another spelling, and the log says what to do", async () => {
  await using t = await testApp({ ...served(false), authentication: { admins: [] } });
  const first = await t.loginAttempt("alice", "right");
  const { principal } = first.json<{ principal: string }>();
  const { store } = t;
  assert.ok(store);
  const summary = await store.principals.summaryOfIdentity({ provider: "toy", id: "alice" });
  assert.ok(summary);
  const origin = { address: null, requestId: null, actor: null };
  await store.principals.setDisabled({
    principal: summary.uuid,
    disabled: true,
    now: new Date(t.clock.now()),
    context: origin,
  });
  for (const name of ["ALICE", "aLiCe", "alice ", "al\u00adice"]) {
    const refused = await t.loginAttempt(name, "right");
    assert.equal(refused.statusCode, 403, refused.body);
    assert.match(refused.body, /another spelling/);
  }
  assert.equal((await t.loginAttempt("alice", "right")).statusCode, 401);
  assert.equal((await t.loginAttempt("ALICE", "wrong")).statusCode, 401);
  const events = await store.audit.read({ limit: 100, principal: summary.uuid, events: ["login_failed"] });
  const [event] = events.filter(({ identity }) => identity?.id === "ALICE");
  assert.deepEqual(event?.detail, { reason: "other_spelling", known: "alice" });
  assert.match(t.logLines.join(""), /case_sensitive: true beside its name in authentication\.providers/);
  assert.equal(principal, summary.uuid.replaceAll("-", ""));
});

test("the backend's own spelling is the identity, however it was typed", async () => {
  await using t = await testApp({ ...served(true), authentication: { admins: [] } });
  const bodies = [];
  for (const name of ["ALICE", "alice", "Alice"]) bodies.push((await t.loginAttempt(name, "right")).body);
  assert.deepEqual(bodies.map(idOf), ["alice", "alice", "alice"]);
  assert.equal(new Set(bodies.map((body) => JSON.parse(body).principal)).size, 1);
});

test("a person whom the real Tiled stored as typed keeps that account", async () => {
  await using t = await testApp({
    ...served(true),
    authentication: { admins: [{ provider: "toy", id: "Alice" }] },
  });
  assert.equal(idOf((await t.loginAttempt("Alice", "right")).body), "Alice");
  assert.equal((await t.loginAttempt("alice", "right")).statusCode, 403);
});

test("an identity is not linked in another spelling", async () => {
  const bob = toy({ bob: "bob's" });
  assert.ok(bob.kind === "password");
  const authenticators = new Map([
    ["toy", bob],
    ["lab", directory(false)],
  ]);
  await using t = await testApp({ authenticators, authentication: { admins: [] } });
  const lab = await t.form("/api/v1/auth/provider/lab/token", { username: "alice", password: "right" });
  assert.equal(lab.statusCode, 200);
  const login = (await t.loginAttempt("bob", "bob's")).json<{ access_token: string }>();
  const link = (username: string) =>
    t.call({
      method: "POST",
      url: "/api/v1/auth/identity",
      headers: bearer(login.access_token),
      payload: { provider: "lab", username, password: "right" },
    });
  const refused = await link("ALICE");
  assert.equal(refused.statusCode, 403, refused.body);
  assert.equal((await link("alice")).statusCode, 409);
});

test("the operator's setting overrides the authenticator's; by default names are case-insensitive", () => {
  const place = { file: "", line: 0, path: "" };
  const provider = (name: string, more: object = {}) => ({
    provider: name,
    authenticator: "",
    args: {},
    place,
    ...more,
  });
  const authenticators = new Map([
    ["dictionary", toy()],
    ["own", directory(true)],
    ["loose", toy()],
    ["strict", directory(true)],
  ]);
  const rule = caseRule(
    [
      provider("dictionary"),
      provider("own"),
      provider("loose", { caseSensitive: false }),
      provider("strict", { caseSensitive: true }),
    ],
    authenticators,
  );
  assert.deepEqual(["dictionary", "own", "loose", "strict", "unknown"].map(rule), [
    true,
    false,
    false,
    true,
    false,
  ]);
});
