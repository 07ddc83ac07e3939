/** Making, listing, replacing and revoking API tokens, and what a login token cannot do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenIdOf } from "../../../src/domain/cave/tokens.ts";
import { Failure, type FailureCode } from "../../../src/errors.ts";
import { type Scene, scene } from "./scene.ts";

const failsWith = (code: FailureCode) => (error: unknown) => error instanceof Failure && error.code === code;

test("a token has 32 digits, the scope cave, a description and no end, and is listed without its secret", async () => {
  await using s = await scene();
  const { principal } = s.ann;
  const { token, firstEight } = await s.tokens.create(principal, "my laptop", s.byAnn);
  assert.match(token, /^[0-9a-f]{32}$/);
  assert.equal(firstEight, token.slice(0, 8));
  s.clock.advance(1);
  const second = await s.tokens.create(principal, null, s.byAnn);
  const listed = await s.tokens.list(principal.uuid, s.byAnn);
  assert.deepEqual(
    listed.map((one) => [one.firstEight, one.description, one.expirationTime]),
    [
      [second.firstEight, null, null],
      [firstEight, "my laptop", null],
    ],
  );
  assert.ok(!JSON.stringify(listed).includes(token.slice(8)));
  const document = await s.store.principals.document(principal.uuid, s.now());
  assert.deepEqual(
    document?.apiKeys.map(({ scopes }) => scopes),
    [["cave"], ["cave"]],
  );
});

test("a token makes, lists and revokes tokens; another person's is unknown to it", async () => {
  await using s = await scene();
  const bob = await s.logIn("bob");
  const [anns, bobs] = [await s.newToken(), await s.newToken(bob)];
  const context = await s.by(anns);
  const { uuid } = s.ann.principal;
  const made = await s.tokens.create(s.ann.principal, null, context);
  assert.equal((await s.tokens.list(uuid, context)).length, 2);
  assert.equal(await s.tokens.revoke(uuid, tokenIdOf({ firstEight: bobs.slice(0, 8) }), context), false);
  for (const id of [-1, 2 ** 32, 1.5, Number.NaN])
    assert.equal(await s.tokens.revoke(uuid, id, context), false);
  assert.equal(await s.tokens.revoke(uuid, tokenIdOf(made), context), true);
  assert.equal(await s.tokens.revoke(uuid, tokenIdOf({ firstEight: anns.slice(0, 8) }), context), true);
  await assert.rejects(s.tokens.create(s.ann.principal, null, context), failsWith("invalid_api_key"));
  await s.identify(bobs);
});

test("keys without the scope cave are neither listed nor revoked here", async () => {
  await using s = await scene();
  const request = { expiresIn: null, note: null, accessTags: null, scopes: ["inherit"] };
  const { key } = await s.keys.create(s.ann, s.ann.principal, request, s.byAnn);
  assert.deepEqual(await s.tokens.list(s.ann.principal.uuid, s.byAnn), []);
  assert.equal(await s.tokens.revoke(s.ann.principal.uuid, tokenIdOf(key), s.byAnn), false);
});

test("the only token is replaced and ends at once, even if it is the one in use; of several none is touched", async () => {
  await using s = await scene();
  const { principal } = s.ann;
  const replace = async (context = s.byAnn) => await s.tokens.replaceOnly(principal, null, context);
  const first = await replace();
  assert.ok(first.kind === "made");
  const second = await replace(await s.by(first.token));
  assert.ok(second.kind === "made");
  await assert.rejects(s.identify(first.token), failsWith("invalid_token"));
  const third = await s.newToken();
  assert.deepEqual(await replace(), { kind: "several" });
  for (const token of [second.token, third]) await s.identify(token);
});

test("a login token makes, lists, replaces and revokes nothing; nor does a caller without a session or token", async () => {
  await using s = await scene();
  const token = await s.newToken();
  const { principal, session } = s.ann;
  const attempts = (t: Scene["tokens"], context: typeof s.byAnn) => [
    () => t.create(principal, null, context),
    () => t.replaceOnly(principal, null, context),
    () => t.list(principal.uuid, context),
    () => t.revoke(principal.uuid, tokenIdOf({ firstEight: token.slice(0, 8) }), context),
  ];
  const { credential: _, ...without } = s.byAnn;
  const bySession = { ...s.byAnn, credential: { kind: "session" as const, session } };
  for (const context of [await s.by(await s.newLogin()), without, bySession]) {
    for (const attempt of attempts(s.tokens, context)) await assert.rejects(attempt, failsWith("forbidden"));
  }
  assert.equal((await s.tokens.list(principal.uuid, s.byAnn)).length, 1);
});

test("a description has at most 120 characters that the database can hold", async () => {
  await using s = await scene();
  const { principal } = s.ann;
  for (const text of ["x".repeat(121), "\0", "\ud800"])
    await assert.rejects(s.tokens.create(principal, text, s.byAnn), failsWith("invalid"));
  for (const text of ["x".repeat(120), "\u{1F511}".repeat(120), ""])
    await s.tokens.create(principal, text, s.byAnn);
  assert.equal((await s.tokens.list(principal.uuid, s.byAnn)).length, 3);
});

test("a key that expires makes no token that does not", async () => {
  await using s = await scene();
  const request = { expiresIn: 600, note: null, accessTags: null, scopes: ["cave"] };
  const { secret } = await s.keys.create(s.ann, s.ann.principal, request, s.byAnn);
  const context = await s.by(secret);
  for (const attempt of [
    () => s.tokens.create(s.ann.principal, null, context),
    () => s.tokens.replaceOnly(s.ann.principal, null, context),
  ])
    await assert.rejects(attempt, failsWith("forbidden"));
  assert.equal((await s.tokens.list(s.ann.principal.uuid, context)).length, 1);
});

test("tokens count for the limit of API keys", async () => {
  await using s = await scene({ apiKeyLimit: 2 });
  const { principal } = s.ann;
  const only = await s.tokens.replaceOnly(principal, null, s.byAnn);
  assert.ok(only.kind === "made");
  await s.newToken();
  await assert.rejects(s.newToken(), failsWith("limit_reached"));
  await s.tokens.revoke(principal.uuid, tokenIdOf({ firstEight: only.token.slice(0, 8) }), s.byAnn);
  assert.equal((await s.tokens.replaceOnly(principal, null, s.byAnn)).kind, "made");
});
