import assert from "node:assert/strict";
import { test } from "node:test";
import { jwtVerify, SignJWT } from "jose";
import { jwsKey, openJws, signJws } from "../../src/lib/jws.ts";

const SECRET = "a secret key of this test \u00fc";
const key = jwsKey(SECRET);
const raw = new TextEncoder().encode(SECRET);

test("another library accepts our signatures, and we accept its", async () => {
  const token = signJws({ sub: "al\u00efce", n: 1 }, key);
  const { payload, protectedHeader } = await jwtVerify(token, raw);
  assert.deepEqual(
    [payload, protectedHeader],
    [
      { sub: "al\u00efce", n: 1 },
      { alg: "HS256", typ: "JWT" },
    ],
  );
  for (const header of [
    { alg: "HS256", typ: "JWT" },
    { typ: "JWT", alg: "HS256" },
    { alg: "HS256" },
    { alg: "HS256", typ: "jwt", kid: "1" },
  ]) {
    const theirs = await new SignJWT({ sub: "bob" }).setProtectedHeader(header).sign(raw);
    assert.deepEqual(openJws(theirs, [jwsKey("another"), key]), { sub: "bob" });
  }
});

test("any change of a token, of one character even, makes it no token", () => {
  const token = signJws({ sub: "alice" }, key);
  for (let index = 0; index < token.length; index += 1) {
    const other = token[index] === "A" ? "B" : "A";
    const changed = token.slice(0, index) + other + token.slice(index + 1);
    assert.equal(openJws(changed, [key]), undefined, `character ${index}`);
  }
  for (const odd of [
    `${token}.`,
    `${token}=`,
    ` ${token}`,
    `.${token}`,
    token.slice(0, -1),
    token.replace(".", ""),
    "",
    "..",
    "a.b.c",
  ]) {
    assert.equal(openJws(odd, [key]), undefined, odd);
  }
});

test("another algorithm, a critical extension or another kind of token is refused, even where the digest is right", async () => {
  const { createHmac } = await import("node:crypto");
  const forge = (header: unknown, payload: unknown = { sub: "alice" }) => {
    const input = [header, payload]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return `${input}.${createHmac("sha256", SECRET).update(input).digest("base64url")}`;
  };
  assert.notEqual(openJws(forge({ alg: "HS256" }), [key]), undefined);
  const headers = [
    { alg: "none" },
    { alg: "hs256" },
    { alg: "HS512" },
    { alg: ["HS256"] },
    {},
    [],
    null,
    "HS256",
    { alg: "HS256", crit: [] },
    { alg: "HS256", b64: false, crit: ["b64"] },
    { alg: "HS256", typ: "at+jwt" },
    { alg: "HS256", typ: 5 },
  ];
  for (const header of headers)
    assert.equal(openJws(forge(header), [key]), undefined, JSON.stringify(header));
  for (const payload of [null, [], "text", 5]) {
    assert.equal(openJws(forge({ alg: "HS256" }, payload), [key]), undefined, JSON.stringify(payload));
  }
});

test("an empty secret signs nothing", () => {
  assert.throws(() => jwsKey(""), /empty/);
});
