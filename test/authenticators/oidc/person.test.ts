import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OidcArgs } from "../../../src/authenticators/oidc/args.ts";
import { keptClaims } from "../../../src/authenticators/oidc/person.ts";
import { SUBJECT } from "../../support/hostile-provider.ts";
import { fails, login, setUp } from "./support.ts";

/** A login that answers who the person is. Names and addresses that are only shown are in `profile.test.ts`. */
async function person(
  t: { after(step: () => Promise<unknown>): void },
  args: Partial<OidcArgs>,
  claims: Record<string, unknown>,
) {
  const { authenticator, provider } = await setUp((step) => t.after(step), args);
  Object.assign(provider.claims, claims);
  return async () => {
    const { profile: _, ...identity } = await login(authenticator, provider);
    return identity;
  };
}

const VERIFIED = { email: "Ada@Lab.example", email_verified: true };

describe("user_id_claim", () => {
  test("names the person", async (t) => {
    const attempt = await person(t, { user_id_claim: "preferred_username" }, { preferred_username: "ada" });
    assert.deepEqual(await attempt(), { id: "ada" });
  });

  test("Google's sub is digits, and a text", async (t) => {
    const attempt = await person(t, {}, { sub: "104729364550912345678" });
    assert.deepEqual(await attempt(), { id: "104729364550912345678" });
  });

  for (const [what, value] of Object.entries({
    missing: undefined,
    empty: "",
    null: null,
    "a number": 7,
    "a list": ["ada"],
    "too long": "x".repeat(256),
    "with a control character": "ada\u007f",
    "with half a character": "ada\ud800",
  })) {
    test(`is refused where it is ${what}`, async (t) => {
      const attempt = await person(t, { user_id_claim: "name" }, { name: value });
      await fails(attempt(), "provider_invalid", /claim "name".*args\.user_id_claim.*args\.scopes/);
    });
  }

  test("a name of Object.prototype is not a claim", async (t) => {
    for (const claim of ["constructor", "__proto__", "toString"]) {
      const attempt = await person(t, { user_id_claim: claim }, {});
      await fails(attempt(), "provider_invalid", /args\.user_id_claim/);
    }
  });

  test("255 characters of any kind are a name", async (t) => {
    const name = "🔑".repeat(255);
    const attempt = await person(t, { user_id_claim: "name" }, { name });
    assert.deepEqual(await attempt(), { id: name });
  });

  test("the subject is needed where another claim names the person, too", async (t) => {
    const attempt = await person(t, { user_id_claim: "name" }, { name: "ada", sub: undefined });
    await fails(attempt(), "provider_invalid", /\(sub\)/);
  });

  describe("email", () => {
    test("counts where it is verified", async (t) => {
      const attempt = await person(t, { user_id_claim: "email" }, VERIFIED);
      assert.deepEqual(await attempt(), { id: "Ada@Lab.example" });
    });

    for (const [what, claims] of Object.entries({
      "that is not verified": { ...VERIFIED, email_verified: false },
      "of which nothing is said": { ...VERIFIED, email_verified: undefined },
      'that is verified in words ("true")': { ...VERIFIED, email_verified: "true" },
      "that is verified by a number": { ...VERIFIED, email_verified: 1 },
      "that is missing": { email_verified: true },
      "without a domain": { ...VERIFIED, email: "ada@" },
      "without a name": { ...VERIFIED, email: "@lab.example" },
      "that is a list": { ...VERIFIED, email: ["ada@lab.example"] },
    })) {
      test(`not one ${what}`, async (t) => {
        const attempt = await person(t, { user_id_claim: "email" }, claims);
        await fails(attempt(), "login_refused", /no verified e-mail address.*args\.user_id_claim/);
      });
    }
  });
});

describe("admission", () => {
  const refused = /may not log in.*args\.allowed_users.*args\.allowed_domains/;

  test("allowed_users", async (t) => {
    const allowed = await person(t, { allowed_users: ["someone", SUBJECT] }, {});
    assert.deepEqual(await allowed(), { id: SUBJECT });
    const other = await person(t, { allowed_users: ["someone", SUBJECT.toUpperCase()] }, { sub: "another" });
    await fails(other(), "login_refused", refused);
  });

  test("allowed_users: addresses whatever their case, and nothing else", async (t) => {
    const users = { allowed_users: ["ADA@lab.Example"] };
    const byEmail = await person(t, { user_id_claim: "email", ...users }, VERIFIED);
    assert.deepEqual(await byEmail(), { id: VERIFIED.email });
    const byName = await person(t, { user_id_claim: "name", ...users }, { name: "ada@lab.example" });
    await fails(byName(), "login_refused", refused);
  });

  // U+212A is the sign of a unit, whose lower case is "k".
  test("a letter that only looks like the small one of another is another letter", async (t) => {
    const claims = { ...VERIFIED, email: "\u212Aate@\u212Ait.example" };
    for (const rules of [{ allowed_users: ["kate@\u212Ait.example"] }, { allowed_domains: ["kit.example"] }])
      await fails(
        (await person(t, { user_id_claim: "email", ...rules }, claims))(),
        "login_refused",
        refused,
      );
  });

  for (const [what, claims, allowed] of [
    ["of the domain", VERIFIED, true],
    ["of the domain, not verified", { ...VERIFIED, email_verified: false }, false],
    ["of a domain below", { ...VERIFIED, email: "ada@sub.lab.example" }, false],
    ["of a domain that ends like it", { ...VERIFIED, email: "ada@notlab.example" }, false],
    ["with the domain in the name", { ...VERIFIED, email: "ada@lab.example@elsewhere.example" }, false],
    ["with another domain in the name", { ...VERIFIED, email: '"ada@elsewhere.example"@lab.example' }, true],
    ["without identity", {}, false],
  ] as const) {
    test(`allowed_domains: an address ${what}`, async (t) => {
      const attempt = await person(t, { allowed_domains: ["LAB.example"] }, claims);
      if (allowed) assert.deepEqual(await attempt(), { id: SUBJECT });
      else await fails(attempt(), "login_refused", refused);
    });
  }

  test("one of both is enough", async (t) => {
    const rules = { allowed_users: ["guest"], allowed_domains: ["lab.example"] };
    assert.deepEqual(await (await person(t, rules, { sub: "guest" }))(), { id: "guest" });
    assert.deepEqual(await (await person(t, rules, VERIFIED))(), { id: SUBJECT });
    await fails((await person(t, rules, {}))(), "login_refused", refused);
  });
});

test("claims that an access policy asks for are kept as lists of texts, and no others", () => {
  const claims = {
    groups: ["a", 5, "b", null, ["c"], "", "\ud800"],
    team: "red",
    secret: "x",
    odd: { a: 1 },
  };
  assert.deepEqual(keptClaims(claims, ["groups", "team", "odd", "missing", "constructor"]), {
    state: { groups: ["a", "b"], team: ["red"] },
  });
  assert.equal(keptClaims(claims, []), undefined);
  assert.equal(keptClaims(claims, ["odd"]), undefined);
  const many = { groups: Array.from({ length: 5000 }, (_, index) => `g${index}`) };
  assert.deepEqual(keptClaims(many, ["groups"]), { state: { groups: many.groups.slice(0, 2000) } });
});
