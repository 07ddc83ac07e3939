import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Failure } from "../../../src/errors.ts";
import { type Slapd, SUFFIX, startSlapd, withoutSlapd } from "../../support/slapd.ts";
import { passwordConformance } from "../conformance.ts";
import { ENTRIES, GROUPS, LOOKUP, make, PEOPLE, reaching, TEMPLATE } from "./support.ts";

describe("logins at an OpenLDAP", { skip: withoutSlapd() }, () => {
  let slapd: Slapd;
  before(async () => {
    slapd = await startSlapd(ENTRIES);
  });
  after(() => slapd.remove());

  const ask = async (args: Record<string, unknown>, name: string, password: string) => {
    const { authenticator } = make({ ...reaching(slapd), ...args });
    return await authenticator.authenticate(name, password);
  };
  const identity = async (args: Record<string, unknown>, name: string, password: string) => {
    const answer = await ask(args, name, password);
    return answer === null ? null : "refused" in answer ? `refused: ${answer.refused}` : answer.id;
  };

  passwordConformance("LDAP", {
    authenticator: () => make({ ...reaching(slapd), ...LOOKUP }).authenticator,
    users: [
      { name: "ada", password: "ada-pa55" },
      { name: "bob", password: "bob-pa55" },
    ],
  });

  test("with a template, and with a search", async () => {
    for (const args of [TEMPLATE, LOOKUP, { ...LOOKUP, ...TEMPLATE }]) {
      assert.equal(await identity(args, "ada", "ada-pa55"), "ada");
      assert.equal(await identity(args, "ada", "wrong"), "refused: wrong_password");
    }
    assert.equal(await identity(LOOKUP, "hugo", "hugo-pa55"), "hugo");
    assert.equal(await identity(LOOKUP, "nobody", "ada-pa55"), "refused: unknown_user");
    assert.equal(await identity(LOOKUP, "twin", "twin-pa55"), "refused: ambiguous_name");
  });

  test("templates are tried in turn, blank ones skipped", async () => {
    const args = { bind_dn_template: ["", `uid={username},ou=guests,${PEOPLE}`, `uid={username},${PEOPLE}`] };
    assert.equal(await identity(args, "ada", "ada-pa55"), "ada");
    assert.equal(await identity(args, "hugo", "hugo-pa55"), "hugo");
  });

  test("LDAPS", async () => {
    const args = { server_address: `ldaps://localhost:${slapd.tlsPort}`, ...TEMPLATE };
    assert.equal(await identity(args, "ada", "ada-pa55"), "ada");
  });

  test("one person has one identity, however the name is typed", async () => {
    for (const name of ["ada", "ADA", " ada", "ada ", "ａｄａ"]) {
      for (const args of [TEMPLATE, LOOKUP])
        assert.equal(await identity(args, name, "ada-pa55"), "ada", name);
    }
    const any = { ...TEMPLATE, valid_username_regex: "[^]*" };
    for (const name of ["a\u00adda", "ada\u200b", "\ufeffada"])
      assert.equal(await identity(any, name, "ada-pa55"), "ada", JSON.stringify(name));
    assert.equal(await identity({ ...TEMPLATE, normalize_username: false }, "ADA", "ada-pa55"), null);
  });

  test("a name cannot change the DN or the filter", async () => {
    const any = { valid_username_regex: "[^]*" };
    for (const name of [
      "hugo,ou=guests",
      "\\61da",
      "*",
      "a*",
      "ada)(uid=*",
      "(",
      "ada\n",
      "ada\0",
      "\u{1}",
    ]) {
      for (const args of [TEMPLATE, LOOKUP]) {
        const password = name.startsWith("hugo") ? "hugo-pa55" : "ada-pa55";
        const answer = await identity({ ...args, ...any }, name, password);
        assert.ok(answer === null || answer.startsWith("refused: "), `${JSON.stringify(name)}: ${answer}`);
      }
    }
    assert.equal(await identity({ ...TEMPLATE, ...any }, "o,ou=x", "odd-pa55"), "o,ou=x");
    assert.equal(await identity({ ...LOOKUP, ...any }, "o,ou=x", "odd-pa55"), "o,ou=x");
  });

  test("the rule for names must match the whole name", async () => {
    assert.equal(await identity({ ...TEMPLATE, valid_username_regex: "a" }, "ada", "ada-pa55"), null);
  });

  test("a password that is empty, blank, or vanishes is never sent", async () => {
    const { authenticator } = make({ ...reaching(slapd), ...TEMPLATE });
    const before = slapd.log().length;
    for (const password of ["", " ", "\u{ad}", "\u{200b}\u{3000}", "ada-pa55\0", "ada\npa55", "\u{d800}"]) {
      assert.equal(await authenticator.authenticate("ada", password), null, JSON.stringify(password));
    }
    assert.ok(!slapd.log().slice(before).includes("BIND"));
    assert.notEqual(await authenticator.authenticate("ada", "ada\u{ad}-ｐa55"), null);
  });

  test("a name such as EXTERNAL is no SASL mechanism", async () => {
    const args = {
      bind_dn_template: "{username}",
      normalize_username: false,
      valid_username_regex: "[A-Z]+",
    };
    await assert.rejects(ask(args, "EXTERNAL", "secret"), { code: "bad_gateway" });
    assert.ok(!slapd.log().includes("mech=EXTERNAL"));
  });

  test("the common name as identity has a backslash before its comma, as in Tiled", async () => {
    const args = { ...LOOKUP, lookup_dn_user_dn_attribute: "cn" };
    assert.equal(await identity(args, "emil", "emil-pa55"), "Smith\\, Emil");
    assert.equal(
      await identity({ ...args, bind_dn_template: `cn={username},${PEOPLE}` }, "emil", "emil-pa55"),
      "Smith\\, Emil",
    );
    assert.equal(await identity({ ...args, use_lookup_dn_username: false }, "emil", "emil-pa55"), "emil");
  });

  test("search_filter must find exactly one entry", async () => {
    const search = (filter: string) => ({
      ...TEMPLATE,
      user_search_base: PEOPLE,
      user_attribute: "uid",
      search_filter: filter,
    });
    assert.equal(await identity(search("({userattr}={username})"), "ada", "ada-pa55"), "ada");
    assert.equal(
      await identity(search("(&({userattr}={username})(sn=x))"), "ada", "ada-pa55"),
      "refused: search_filter",
    );
    assert.equal(
      await identity(search("(|(uid={username})(uid=bob))"), "ada", "ada-pa55"),
      "refused: search_filter",
    );
  });

  test("allowed_groups by DN and by name, escaped, nested if so configured", async () => {
    const groups = (...names: string[]) => ({
      ...LOOKUP,
      allowed_groups: names.map((cn) => `cn=${cn},${GROUPS}`),
    });
    assert.equal(await identity(groups("beam1"), "ada", "ada-pa55"), "ada");
    assert.equal(await identity(groups("unix"), "bob", "bob-pa55"), "bob");
    assert.equal(await identity(groups("beam1"), "bob", "bob-pa55"), "refused: not_in_allowed_groups");
    assert.equal(await identity(groups("gone", "beam2"), "emil", "emil-pa55"), "emil");
    assert.equal(await identity(groups("staff"), "ada", "ada-pa55"), "refused: not_in_allowed_groups");
    const nested = { nested_groups: true, groups: { search_base: GROUPS } };
    assert.equal(await identity({ ...groups("staff"), ...nested }, "ada", "ada-pa55"), "ada");
    assert.equal(
      await identity({ ...groups("all"), ...nested }, "bob", "bob-pa55"),
      "refused: not_in_allowed_groups",
    );
  });

  test("groups in the state", async () => {
    const state = async (args: object, name = "ada") => {
      const answer = await ask({ ...LOOKUP, ...args }, name, `${name}-pa55`);
      assert.ok(answer !== null && "id" in answer);
      return answer.state;
    };
    const base = { search_base: GROUPS };
    assert.deepEqual(await state({ groups: base }), { groups: ["beam1", "beam2"] });
    assert.deepEqual(await state({ groups: base }, "bob"), { groups: ["unix"] });
    assert.deepEqual(await state({ groups: base, nested_groups: true }), {
      groups: ["all", "beam1", "beam2", "staff"],
    });
    assert.deepEqual(await state({ groups: { ...base, only: ["*2", "staff"] } }), { groups: ["beam2"] });
    assert.deepEqual(await state({ groups: { ...base, attribute: "dn", only: ["cn=beam1,*"] } }), {
      groups: [`cn=beam1,${GROUPS}`],
    });
  });

  test("attributes in the state; what is not text is left out", async () => {
    const args = {
      ...reaching(slapd),
      ...TEMPLATE,
      auth_state_attributes: ["mail", "uid", "jpegPhoto", "title"],
    };
    const { authenticator, warnings } = make(args);
    assert.deepEqual(await authenticator.authenticate("ada", "ada-pa55"), {
      id: "ada",
      state: { mail: ["ada@lab.org"], uid: ["ada"], title: [] },
    });
    assert.match(warnings.join(), /'jpegPhoto' of .* is not text/);
  });

  test("a referral is not followed", async () => {
    assert.equal(await identity({ ...LOOKUP, user_search_base: SUFFIX }, "ada", "ada-pa55"), "ada");
    const args = { ...LOOKUP, user_search_base: `ou=elsewhere,${SUFFIX}` };
    assert.equal(await identity(args, "ada", "ada-pa55"), "refused: unknown_user");
  });

  test("a wrong search user, and a missing base, are the directory's fault", async () => {
    for (const args of [{ lookup_dn_search_password: "wrong" }, { user_search_base: `ou=none,${SUFFIX}` }]) {
      await assert.rejects(
        ask({ ...LOOKUP, ...args }, "ada", "ada-pa55"),
        (error) => error instanceof Failure && error.code === "bad_gateway",
      );
    }
  });

  test("an unknown name costs a bind, as a wrong password does", async () => {
    const binds = async (name: string) => {
      const start = slapd.log().length;
      await ask(LOOKUP, name, "wrong-pa55");
      return slapd
        .log()
        .slice(start)
        .match(/ BIND dn="[^"]+" method=128/g)?.length;
    };
    assert.equal(await binds("nobody"), await binds("ada"));
  });
});
